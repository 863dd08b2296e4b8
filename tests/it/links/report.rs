//! `report --magic-links`: links after the run, for whoever it left refused.

use stara_onboard::sandbox::CallKind::{Authenticate, MagicLink};

use super::{given, links, one_in_twenty_refused, read};
use crate::support::{Bench, Ended, Grower, read_results};

fn report(bench: &Bench, arguments: &[&str]) -> Ended {
    bench.program().args(["report", "again.jsonl"]).args(arguments).end()
}

#[test]
fn a_report_makes_the_links_that_its_run_did_not() {
    let (bench, _, refused) = one_in_twenty_refused(60);
    bench.run(&[]).with_code(3);
    let results = bench.results();
    let logins = bench.calls_of(Authenticate);
    let ended = report(&bench, &["--magic-links", "links.csv"]).with_code(0);
    assert_eq!(ended.stdout, "again.jsonl\nlinks.csv\n");
    ended.saying("Magic links: 3 in links.csv (3 new, 0 from before)");
    assert_eq!(read_results(&bench.path("again.jsonl")), results);
    assert_eq!(links(&bench, "links.csv"), given(&bench, &refused));
    report(&bench, &["--magic-links", "links.csv"]).with_code(0).saying("(0 new, 3 from before)");
    // A run knows of them, too.
    bench.run(&["--magic-links", "of-run.csv"]).with_code(3);
    assert_eq!(links(&bench, "of-run.csv"), given(&bench, &refused));
    assert_eq!(bench.calls_of(MagicLink), 3);
    assert_eq!(bench.calls_of(Authenticate), logins);
}

#[test]
fn a_report_without_links_needs_neither_token_nor_network() {
    let (bench, ..) = one_in_twenty_refused(20);
    bench.run(&[]).with_code(3);
    let calls = bench.calls();
    let bare = || bench.program().env_remove("LEAF_TOKEN").args(["report", "again.jsonl"]);
    bare().end().with_code(0);
    bare().args(["--magic-links", "none"]).end().with_code(0);
    bare().args(["--magic-links", "links.csv"]).end().with_code(2).saying("LEAF_TOKEN");
    assert_eq!(bench.calls(), calls);
}

#[test]
fn the_kept_columns_are_those_of_the_run() {
    let (bench, manifest, _) = one_in_twenty_refused(20);
    let line = |row: &Grower| format!("{},{},wrong {},fazenda {}\n", row.id, row.login, row.login, row.login);
    let lines: Vec<String> = manifest.iter().map(line).collect();
    bench.write("growers.csv", format!("leafUserId,login,password,fazenda\n{}", lines.concat()));
    bench.run(&["--keep-column", "fazenda", "--max-failures", "100%"]).with_code(3);
    report(&bench, &["--magic-links", "links.csv"]).with_code(0);
    let (header, lines) = read(&bench, "links.csv");
    assert_eq!(header[4..], ["fazenda"]);
    assert_eq!(lines.len(), 20);
    assert!(lines.iter().all(|line| line[4] == format!("fazenda {}", line[1])));
}

#[test]
fn links_are_made_for_the_hosts_of_the_ledger_only_and_while_no_run_holds_it() {
    let (bench, ..) = one_in_twenty_refused(20);
    report(&bench, &["--magic-links", "links.csv"]).with_code(2).saying("there is no ledger");
    bench.run(&[]).with_code(3);
    let elsewhere = bench.program().env("LEAF_URL", "https://leaf.elsewhere.example");
    let ended = elsewhere.args(["report", "again.jsonl", "--magic-links", "links.csv"]).end().with_code(2);
    ended.saying("belongs to");
    assert_eq!(bench.calls_of(MagicLink), 0);
    assert!(!bench.path("links.csv").exists());
}

#[test]
fn after_a_stop_by_the_failure_budget_the_refused_get_their_links_and_nothing_else_is_said() {
    let (bench, ..) = one_in_twenty_refused(80);
    bench.run(&["--max-failures", "1", "--concurrency", "1"]).with_code(4);
    let report =
        bench.program().args(["report", "again.csv", "--magic-links", "links.csv"]).end().with_code(0);
    let report = report.saying("Magic links: 2 in links.csv (2 new, 0 from before)");
    assert!(!report.stderr.contains("went wrong for everybody"), "{}", report.stderr);
}
