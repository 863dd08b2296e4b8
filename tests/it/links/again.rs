//! When a link is used again, and when it isn't.

use stara_onboard::sandbox::CallKind::MagicLink;
use stara_onboard::sandbox::Fault;

use super::{given, links, one_in_twenty_refused};
use crate::support::{Bench, Grower, growers};

/// Lets every link that the ledger keeps have been made so long ago, and expire so soon, in days.
fn age(bench: &Bench, made: i64, left: i64) {
    let ledger = rusqlite::Connection::open(bench.path("state/ledger.db")).unwrap();
    let day = 86_400_000;
    let changed = ledger
        .execute(
            "UPDATE links SET made_at = made_at - ?1, expires_at = made_at - ?1 + ?2",
            [made * day, (made + left) * day],
        )
        .unwrap();
    assert!(changed > 0, "or nothing is shown");
}

fn run(bench: &Bench) -> crate::support::Ended {
    bench.run(&["--magic-links", "links.csv"])
}

#[test]
fn a_link_with_more_than_a_tenth_of_its_life_left_is_used_again_and_one_with_less_is_not() {
    let (bench, _, refused) = one_in_twenty_refused(40);
    run(&bench).with_code(3);
    let first = given(&bench, &refused);
    age(&bench, 26, 4);
    run(&bench).with_code(3).saying("(0 new, 2 from before)");
    assert_eq!(links(&bench, "links.csv"), first);
    age(&bench, 28, 2);
    run(&bench).with_code(3).saying("(2 new, 0 from before)");
    let second = links(&bench, "links.csv");
    for row in &refused {
        assert_eq!(Some(&second[&row.id.to_string()]), bench.world().links_of(row.id).last());
    }
    assert_ne!(first, second);
    assert_eq!(bench.calls_of(MagicLink), 4);
}

#[test]
fn a_link_that_can_not_be_renewed_is_written_while_it_works_and_not_a_moment_longer() {
    let (bench, _, refused) = one_in_twenty_refused(40);
    run(&bench).with_code(3);
    let first = given(&bench, &refused);
    bench.inject(Fault::parse("magic-link:html-body").unwrap());
    age(&bench, 28, 2);
    run(&bench).with_code(5).saying("Magic links: 2 in links.csv").saying("Magic links missing: 2");
    assert_eq!(links(&bench, "links.csv"), first);
    age(&bench, 31, -1);
    run(&bench).with_code(5).saying("Magic links: 0 in links.csv").saying("Magic links missing: 2");
    assert!(links(&bench, "links.csv").is_empty());
}

#[test]
fn pruning_drops_links_that_have_expired_and_no_others() {
    let (bench, ..) = one_in_twenty_refused(40);
    run(&bench).with_code(3);
    let prune = || bench.program().args(["state", "prune"]).end().with_code(0);
    assert!(!prune().stderr.contains("magic link"));
    age(&bench, 31, -1);
    prune().saying("0 saved events, 2 expired magic links.");
    run(&bench).with_code(3).saying("(2 new, 0 from before)");
}

#[test]
fn where_everybody_is_refused_nobody_gets_a_letter() {
    let rows = growers(60);
    let bench = Bench::new(&rows);
    let wrong: Vec<Grower> = rows.iter().map(|row| row.with_password("not the password")).collect();
    bench.write_manifest(&wrong);
    run(&bench).with_code(4).saying("Magic links: 0 in links.csv");
    // Nor afterwards, while nobody knows whether the growers were at fault.
    let report =
        bench.program().args(["report", "again.csv", "--magic-links", "links.csv"]).end().with_code(0);
    report.saying("Run 1 stopped because it went wrong for everybody");
    bench.program().args(["audit", "--magic-links", "links.csv"]).end().with_code(0);
    run(&bench).with_code(4);
    assert_eq!(bench.calls_of(MagicLink), 0);
    assert!(links(&bench, "links.csv").is_empty());
    // The others' logins are accepted: it was these growers' passwords.
    let corrected: Vec<Grower> = wrong[..3].iter().chain(&rows[3..]).cloned().collect();
    bench.write_manifest(&corrected);
    run(&bench).with_code(3).saying("Magic links: 3 in links.csv (3 new, 0 from before)");
}

#[test]
fn a_report_asks_leaf_for_nothing_that_its_own_command_line_does_not_name() {
    let (bench, ..) = one_in_twenty_refused(40);
    bench.run(&[]).with_code(3);
    let calls = bench.calls();
    let report = bench.program().args(["report", "again.csv"]).env("STARA_ONBOARD_MAGIC_LINKS", "links.csv");
    report.env_remove("LEAF_TOKEN").end().with_code(0);
    bench.write("stara-onboard.toml", "magic-links = \"links.csv\"\n");
    bench.program().args(["report", "again.csv"]).env_remove("LEAF_TOKEN").end().with_code(0);
    assert_eq!(bench.calls(), calls);
    assert!(!bench.path("links.csv").exists());
}

#[test]
fn who_reads_progress_hears_that_links_are_made_and_only_then() {
    let (bench, ..) = one_in_twenty_refused(60);
    let told = || {
        let ended = bench.run(&["--magic-links", "links.csv", "--progress", "json"]).with_code(3);
        let lines = ended.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines
            .map(|line| (line["type"].as_str().unwrap().to_owned(), line["users"].clone()))
            .collect::<Vec<_>>()
    };
    let types = told();
    assert!(
        types.ends_with(&[("links".to_owned(), 3.into()), ("ended".to_owned(), serde_json::Value::Null)]),
        "{types:?}"
    );
    assert!(told().iter().all(|(name, _)| name != "links"));
}
