//! What each shard judges: the whole manifest by its quality, its own lines by what is to be done.

use std::collections::BTreeMap;

use super::{SHARDS, all, run_as, taken_by};
use crate::support::{Bench, Grower, csv_of, growers, read_results, side_by_side, user};

/// A manifest of so many growers and so many lines behind them that name nobody.
fn with_bad_lines(growers: &[Grower], bad: usize) -> String {
    (0..bad).fold(csv_of(growers), |text, number| format!("{text}no id,grower{number},secret\n"))
}

#[test]
fn a_line_that_names_nobody_belongs_to_the_first_shard_and_every_line_to_one() {
    let rows = growers(64);
    let bench = Bench::new(&rows);
    let named = format!("{},grower without password,\n", user(500));
    let twice = format!("{},{},{}\n", rows[5].id.to_string().to_uppercase(), rows[5].login, "another");
    bench.write("growers.csv", with_bad_lines(&rows, 3) + &named + &twice);
    let running: Vec<_> =
        all(SHARDS).map(|shard| run_as(&bench, shard, "growers.csv", &[]).start()).collect();
    let mut outcomes = BTreeMap::new();
    for (shard, running) in all(SHARDS).zip(running) {
        let ended = running.end();
        let results = read_results(&bench.path(&format!("{}.jsonl", shard.index())));
        let own = results.iter().map(|result| result.line).collect::<Vec<_>>();
        // 64 rows from line 2 on, then three lines without a user, one that names one, and one that contradicts another.
        assert_eq!(own.contains(&66), shard.index() == 0, "{shard}");
        assert_eq!(own.contains(&69), shard.takes(user(500)), "{shard}");
        assert_eq!(own.contains(&70), shard.takes(rows[5].id), "{shard}");
        assert!(own.is_sorted());
        let is_clean = results.iter().all(|result| result.outcome == "attached");
        assert_eq!(ended.code, Some(if is_clean { 0 } else { 3 }), "{shard}: {ended:?}");
        for result in results {
            assert!(outcomes.insert(result.line, result.outcome).is_none());
        }
    }
    assert_eq!(outcomes.keys().copied().collect::<Vec<u64>>(), (2..71).collect::<Vec<u64>>());
    let of = |outcome: &str| -> Vec<u64> {
        outcomes.iter().filter(|(_, other)| *other == outcome).map(|(line, _)| *line).collect()
    };
    assert_eq!(of("manifest-invalid"), [66, 67, 68, 69]);
    assert_eq!(of("manifest-conflict"), [7, 70]);
    assert_eq!(of("attached").len(), 63);
}

#[test]
fn a_manifest_that_is_bad_as_a_whole_is_refused_by_every_shard() {
    let rows = growers(30);
    let bench = Bench::new(&rows);
    bench.write("bad.csv", with_bad_lines(&rows, 21));
    let swapped: Vec<Grower> = growers(200)
        .into_iter()
        .map(|grower| Grower {
            login: format!("S3nha!{}", grower.password.len()),
            password: grower.login,
            ..grower
        })
        .collect();
    bench.write("swapped.csv", csv_of(&swapped));
    let (own, stranger) = (rows[0].id.to_string(), user(999).to_string());
    side_by_side(all(4), |shard| {
        run_as(&bench, shard, "bad.csv", &[]).end().with_code(2).saying("21 of 51 lines are no rows");
        run_as(&bench, shard, "bad.csv", &["--max-invalid", "50", "--strict"]).end().with_code(2);
        run_as(&bench, shard, "swapped.csv", &[]).end().with_code(2).saying("seem to have changed places");
        run_as(&bench, shard, "growers.csv", &["--only", &stranger]).end().with_code(2).saying(&stranger);
    });
    assert_eq!(bench.calls(), 0);
    // Whom it names is in the manifest, though in one shard only.
    side_by_side(all(4), |shard| {
        run_as(&bench, shard, "growers.csv", &["--only", &own]).end().with_code(0);
    });
    bench.expect_one_effect_each(&rows[..1]);
}

#[test]
fn what_the_lint_found_is_told_by_the_first_shard_only() {
    let mut rows = growers(40);
    rows[3].login.push(' ');
    let bench = Bench::new(&rows);
    for shard in all(3) {
        let ended = run_as(&bench, shard, "growers.csv", &[]).end().with_code(0);
        assert_eq!(ended.stderr.contains("the manifest has"), shard.index() == 0, "{ended:?}");
    }
}

#[test]
fn a_plan_foresees_its_own_rows_and_counts_its_own_lines() {
    let rows = growers(40);
    let bench = Bench::new(&rows);
    for shard in all(3) {
        let plan = bench.program().args(["plan", "growers.csv", "--json", "--shard", &shard.to_string()]);
        let plan: serde_json::Value = serde_json::from_str(&plan.end().with_code(0).stdout).unwrap();
        assert_eq!(plan["lines"]["manifest"], taken_by(shard, &rows).len(), "{plan:#}");
    }
    assert!(!bench.path("state").exists());
    // An audit of a manifest is about its own users, too: the others would be nobody's.
    let shard = all(3).nth(1).unwrap();
    run_as(&bench, shard, "growers.csv", &[]).end().with_code(0);
    let audit = bench.program().args(["audit", "growers.csv", "--json", "--shard", "1/3"]).end().with_code(0);
    let audit: serde_json::Value = serde_json::from_str(&audit.stdout).unwrap();
    assert_eq!(audit["counts"]["healthy"], taken_by(shard, &rows).len(), "{audit:#}");
    let counts = audit["counts"].as_object().unwrap();
    assert_eq!(
        counts.values().filter_map(serde_json::Value::as_u64).sum::<u64>(),
        taken_by(shard, &rows).len() as u64
    );
}
