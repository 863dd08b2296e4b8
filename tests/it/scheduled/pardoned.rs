//! `--exit-zero-on`: the process exits with 0, and everything else says what was.

use super::{metrics, with_a_refused_one};
use crate::support::{Bench, growers};

#[test]
fn a_code_that_is_pardoned_is_0_for_the_caller_only() {
    let bench = Bench::new(&with_a_refused_one(3));
    let arguments = ["--exit-zero-on", "5,3", "--metrics", "night.prom", "-q"];
    let ended = bench.run(&arguments).with_code(0);
    assert!(ended.stderr.ends_with("; exit code 3\n"), "{}", ended.stderr);
    assert_eq!(bench.status(&[])["runs"][0]["exitCode"], 3);
    let page = metrics(&bench);
    assert_eq!(page.value("exit_code", &[]), 3.0);
    // Whoever pardons it calls it a success.
    assert_eq!(page.value("success_timestamp_seconds", &[]), page.value("end_timestamp_seconds", &[]));
    bench.run(&["--exit-zero-on", "4"]).with_code(3);
    bench.run_of("growers.csv", &[]).env("STARA_ONBOARD_EXIT_ZERO_ON", "3,6").end().with_code(0);
}

#[test]
fn what_needs_somebody_in_any_case_is_never_pardoned() {
    let bench = Bench::new(&growers(1));
    for codes in ["1", "2", "7", "8", "0", "3,2", "9", "", "all"] {
        bench.run(&["--exit-zero-on", codes]).with_code(2).saying("--exit-zero-on");
    }
    assert_eq!(bench.calls(), 0);
}

#[test]
fn a_plan_with_changes_and_an_audit_with_drift_can_be_pardoned_too() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    let changes = ["--detailed-exitcode", "--exit-zero-on", "6"];
    bench.program().args(["plan", "growers.csv", "--detailed-exitcode"]).end().with_code(6);
    bench.program().args(["plan", "growers.csv"]).args(changes).end().with_code(0);
    bench.run(&[&["--dry-run"], &changes[..]].concat()).with_code(0);
    bench.run(&[]).with_code(0);
    bench.world().set_status(rows[0].id, "invalid");
    bench.program().args(["audit", "--detailed-exitcode"]).end().with_code(6);
    bench.program().args(["audit"]).args(changes).end().with_code(0);
}
