//! Shards of different nights, and of a roll-back: `report` makes no one run of them, and `status` shows how each stands.

use serde_json::{Value, json};

use super::{ledger, run_shard, run_shards, states};
use crate::support::{Bench, growers};

fn status(bench: &Bench, count: u32) -> (Value, String) {
    let states = states(count);
    let json = bench.status(&states.iter().map(String::as_str).collect::<Vec<_>>());
    let text = bench.program().args(["status"]).args(states).end().with_code(0).stdout;
    (json, text)
}

/// The line of a shard in the text of `status`.
fn line_of<'a>(text: &'a str, ledger: &str) -> &'a str {
    text.lines().find(|line| line.contains(&format!("({ledger})"))).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn a_manifest_of_the_same_users_with_other_logins_is_another_one() {
    let rows = growers(12);
    let bench = Bench::new(&rows);
    run_shards(&bench, 3, &[]);
    let changed: Vec<_> =
        (0..).zip(&rows).map(|(number, row)| row.with_login(&format!("new{number}@example.com"))).collect();
    bench.write_manifest(&changed);
    run_shard(&bench, 0, 3, &["--max-failures", "100%"]);
    let refused = bench.program().args(["report", "results.jsonl"]).args(states(3)).end().with_code(2);
    refused.saying("read different manifests");
    assert!(!bench.path("results.jsonl").exists());
}

#[test]
fn while_some_shards_have_not_begun_the_new_manifest_status_shows_each_and_says_which() {
    let rows = growers(12);
    let bench = Bench::new(&rows);
    run_shards(&bench, 3, &[]);
    bench.write_manifest(&rows[..11]);
    run_shard(&bench, 1, 3, &[]);
    let (json, text) = status(&bench, 3);
    assert!(text.contains("aren't added up") && text.contains("read different manifests"), "{text}");
    for index in [0, 2] {
        let line = line_of(&text, &ledger(index, 3)).to_owned();
        assert!(line.contains("finished (exit 0)"), "{line}");
        assert!(line.contains("; another manifest than shard 1/3  ("), "{line}");
    }
    assert!(!line_of(&text, &ledger(1, 3)).contains("another"), "{text}");
    assert_eq!((&json["outcomes"], &json["runs"]), (&Value::Null, &json!([])));
    assert!(json["apart"].as_str().unwrap().contains("read different manifests"), "{json:#}");
    assert_eq!(json["shards"].as_array().unwrap().len(), 3);
    run_shard(&bench, 0, 3, &[]);
    run_shard(&bench, 2, 3, &[]);
    let (json, text) = status(&bench, 3);
    assert!(text.contains("Latest runs together: 11 lines") && json["apart"].is_null(), "{text}");
}

#[test]
fn shards_that_were_not_run_again_with_an_unchanged_manifest_are_named() {
    let bench = Bench::new(&growers(12));
    run_shards(&bench, 3, &[]);
    run_shard(&bench, 2, 3, &[]);
    let (json, text) = status(&bench, 3);
    assert_eq!(json["behind"], json!(["0/3", "1/3"]));
    let ended = bench.program().args(["report", "results.jsonl"]).args(states(3)).end().with_code(0);
    for shard in ["0/3", "1/3"] {
        let said = format!("shard {shard}: its latest run ended 20");
        assert!(text.contains(&said), "{text}");
        assert!(ended.stderr.contains(&format!("warning: {said}")), "{}", ended.stderr);
    }
    assert!(ended.stderr.contains("before that of shard 2/3 began (20"), "{}", ended.stderr);
    assert!(!text.contains("shard 2/3: its latest run"), "{text}");
}

#[test]
fn after_a_roll_back_in_all_shards_each_is_reported_by_itself() {
    let bench = Bench::new(&growers(12));
    run_shards(&bench, 3, &[]);
    for shard in ["0/3", "1/3", "2/3"] {
        let detach = ["detach", "--from-run", "1", "--yes", "--report", "none", "--shard", shard];
        bench.program().args(detach).end().with_code(0);
    }
    let refused = bench.program().args(["report", "results.jsonl"]).args(states(3)).end().with_code(2);
    refused.saying("hint: a roll-back has no common manifest: report each shard by itself with --shard I/N");
    let (json, text) = status(&bench, 3);
    for index in 0..3 {
        let line = line_of(&text, &ledger(index, 3)).to_owned();
        assert!(line.contains("(detach)") && !line.contains("another"), "{line}");
    }
    assert!(json["apart"].as_str().unwrap().contains("roll-back"), "{json:#}");
    let report = ["report", "results.jsonl", "--shard", "1/3"];
    bench.program().args(report).end().with_code(0);
    assert!(bench.outcomes().iter().all(|outcome| outcome == "detached"), "{:?}", bench.outcomes());
}
