//! `--lock-timeout`: two starts that overlap.

use rustix::process::Signal;
use stara_onboard::sandbox::Fault;

use super::metrics;
use crate::support::{Bench, Running, growers};

/// A run that holds the ledger until the hang of its first row ends.
pub(super) fn holder(bench: &Bench) -> Running {
    let rows = growers(1);
    bench.inject(Fault::hang().for_user(rows[0].id));
    let running = bench.run_of("growers.csv", &["--grace", "10ms", "--settle", "1s"]).start();
    bench.until(|world| world.faults_befallen("hang") == 1);
    running
}

#[test]
fn of_two_starts_that_overlap_the_second_exits_11_and_sends_nothing() {
    let bench = Bench::new(&growers(1));
    let first = holder(&bench);
    let calls = bench.calls();
    bench.run(&["--metrics", "night.prom"]).with_code(11).saying(&format!("process {}", first.pid()));
    assert_eq!(metrics(&bench).value("exit_code", &[]), 11.0);
    let ended = bench.run(&["-q", "--lock-timeout", "200ms"]).with_code(11);
    assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
    assert_eq!(bench.calls(), calls);
    first.signal(Signal::TERM);
    first.end().with_code(143);
}

#[test]
fn a_start_that_waits_goes_on_as_soon_as_the_ledger_is_free() {
    let rows = growers(1);
    let bench = Bench::new(&rows);
    let first = holder(&bench);
    let second = bench.run_of("growers.csv", &["--lock-timeout", "10m", "--settle", "1s"]).start();
    second.until_said("waiting for the ledger state/ledger.db");
    bench.world().lift_faults();
    first.signal(Signal::TERM);
    first.end().with_code(143);
    second.end().with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn every_verb_that_takes_the_ledger_can_wait_for_it() {
    let bench = Bench::new(&growers(1));
    let first = holder(&bench);
    let id = growers(1)[0].id.to_string();
    let settle = ["--settle", "1s"];
    let waiting = vec![
        bench.program().args(["audit", "--lock-timeout", "10m"]).args(settle).start(),
        bench
            .program()
            .args(["detach", &id, "--yes", "--lock-timeout", "10m", "--report", "none"])
            .args(settle)
            .start(),
    ];
    for verb in &waiting {
        verb.until_said("waiting for the ledger");
    }
    bench.world().lift_faults();
    first.signal(Signal::TERM);
    first.end().with_code(143);
    for verb in waiting {
        // In whatever order they come: neither is refused the ledger.
        assert_ne!(verb.end().code, Some(11));
    }
}

#[test]
fn a_signal_ends_the_wait_and_leaves_metrics() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let bench = Bench::new(&growers(1));
        let first = holder(&bench);
        let calls = bench.calls();
        let arguments = ["--lock-timeout", "10m", "--metrics", "night.prom"];
        let second = bench.run_of("growers.csv", &arguments).start();
        second.until_said("waiting for the ledger");
        second.signal(signal);
        second.end().with_code(code).saying("nothing was sent");
        assert_eq!((metrics(&bench).value("exit_code", &[]), bench.calls()), (f64::from(code), calls));
        first.signal(Signal::TERM);
        first.end().with_code(143);
    }
}
