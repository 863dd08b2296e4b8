//! `--exit-zero-on`: the process exits with 0, and everything else says what was.

use rustix::process::Signal;
use stara_onboard::sandbox::Fault;

use super::{lock, metrics, with_a_refused_one};
use crate::support::{Bench, Ended, Invocation, growers};

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

/// With everything pardoned that can be.
fn pardoned(bench: &Bench, arguments: &[&str]) -> Invocation {
    let pardoned = ["--exit-zero-on", "3,4,5,6,11,129,130,143", "--metrics", "night.prom"];
    bench.run_of("growers.csv", &[&pardoned, arguments].concat())
}

/// The process exited with 0, and the metrics say with which code, and that nothing went well yet.
#[track_caller]
fn expect_no_success(bench: &Bench, ended: Ended, code: f64) {
    ended.with_code(0);
    let page = metrics(bench);
    assert_eq!((page.value("exit_code", &[]), page.value("success_timestamp_seconds", &[])), (code, 0.0));
}

#[test]
fn a_night_that_did_not_do_its_work_is_no_success_however_it_is_pardoned() {
    let bench = Bench::new(&growers(1));
    let first = lock::holder(&bench);
    expect_no_success(&bench, pardoned(&bench, &[]).end(), 11.0);
    first.signal(Signal::TERM);
    first.end().with_code(143);

    let bench = Bench::new(&with_a_refused_one(3));
    bench.inject(Fault::parse("magic-link:503").unwrap());
    let hold = ["--magic-links", "links.csv", "--max-hold", "1s"];
    expect_no_success(&bench, pardoned(&bench, &hold).end(), 5.0);

    let wrong: Vec<_> = growers(40).iter().map(|row| row.with_password("sandbox:wrong-password")).collect();
    let bench = Bench::new(&wrong);
    expect_no_success(&bench, pardoned(&bench, &[]).end(), 4.0);

    for (signal, code) in [(Signal::HUP, 129.0), (Signal::INT, 130.0), (Signal::TERM, 143.0)] {
        let bench = Bench::slow(&growers(60));
        let running = pardoned(&bench, &["--concurrency", "2"]).start();
        bench.until(|world| world.attach_effects_in_all() >= 1);
        running.signal(signal);
        expect_no_success(&bench, running.end(), code);
    }
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
    bench.program().args(["audit", "--metrics", "night.prom"]).args(changes).end().with_code(0);
    let page = metrics(&bench);
    assert_eq!(page.value("exit_code", &[]), 6.0);
    assert_eq!(
        page.value("success_timestamp_seconds", &[]),
        page.value("end_timestamp_seconds", &[]),
        "the audit did what it was to do"
    );
}
