//! Killed at every named step: each call of a row before and after its effect, and each system call that makes something
//! durable or gives a file its name.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::campaign::Campaign;
use super::kill::Kill;
use super::scenario::Scenario;
use crate::support::{has_strace, is_killed, leave_out, number_of};

const ROWS: usize = 6;

/// How many are under way at a time.
const AT_ONCE: usize = 6;

/// Kills a run once, and lets it be resumed to its end. The answer is the system call before which it was killed; `None`
/// when it ended by itself.
fn survive(scenario: Scenario, kill: &Kill) -> Option<String> {
    let mut campaign = Campaign::new(scenario);
    let killed = is_killed(campaign.run(kill));
    let by_strace = killed && matches!(kill, Kill::BeforeSystemCall(..));
    let last = if by_strace { campaign.last_system_call() } else { String::new() };
    campaign.finish();
    killed.then_some(last)
}

#[test]
fn a_run_survives_a_kill_while_any_of_its_calls_is_open() {
    let held = ["user:hang", "authenticate:hang", "token:hang", "attach:hang", "attach:hang-after-effect"];
    let cases =
        held.iter().chain(&["look:hang"]).flat_map(|call| [1, 3].map(|nth| format!("{call}:nth={nth}")));
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || {
                let mut scenario = Scenario::plain(0, ROWS);
                scenario.sandbox.extend(["--fault".to_owned(), case.clone()]);
                assert!(survive(scenario, &Kill::Never).is_some(), "{case} was never reached");
            });
        }
    });
}

#[test]
fn a_run_survives_a_kill_after_any_answer() {
    std::thread::scope(|scope| {
        for kind in ["user", "authenticate", "token", "attach", "look"] {
            scope.spawn(move || {
                let mut scenario = Scenario::plain(0, ROWS);
                // Its rows go on while the answer is noticed, but not to their end.
                scenario.sandbox.extend(["--latency".to_owned(), "20ms".to_owned()]);
                assert!(survive(scenario, &Kill::Answered(kind)).is_some(), "{kind}");
            });
        }
    });
}

/// Kills runs before the nth of these system calls, for every `step`th n until none is reached; tells before which.
fn sweep(calls: &'static str, step: usize) -> BTreeSet<String> {
    let (next, end) = (AtomicUsize::new(1), AtomicUsize::new(usize::MAX));
    let reached = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let nth = next.fetch_add(step, Ordering::Relaxed);
                    if nth > end.load(Ordering::Relaxed) {
                        return;
                    }
                    match survive(Scenario::plain(nth as u64, ROWS), &Kill::BeforeSystemCall(calls, nth)) {
                        Some(call) => drop(reached.lock().unwrap().insert(call)),
                        None => drop(end.fetch_min(nth, Ordering::Relaxed)),
                    }
                }
            });
        }
    });
    reached.into_inner().unwrap()
}

#[track_caller]
fn expect_reached(reached: &BTreeSet<String>, expected: &[&[&str]]) {
    for parts in expected {
        let is_one = |call: &String| parts.iter().all(|part| call.contains(part));
        assert!(reached.iter().any(is_one), "no kill fell before {parts:?}: {reached:#?}");
    }
}

#[test]
fn a_run_survives_a_kill_before_every_flush() {
    if !has_strace() {
        return leave_out("kills before flushes");
    }
    // strace counts for each thread by itself, so that the first flushes of the report's are behind those of others.
    let reached = sweep("fsync", 1);
    expect_reached(
        &reached,
        &[&["</state/.key."], &["</state>"], &["</state/ledger.db>"], &["</state/ledger.db-wal>"]],
    );
}

#[test]
fn a_run_survives_a_kill_before_every_name_that_is_given_or_taken() {
    if !has_strace() {
        return leave_out("kills before renames");
    }
    // Each kind by itself: strace counts them apart, and a first one of either kind would hide the other.
    let renames = ["rename", "renameat", "renameat2", "link", "linkat"].map(|call| sweep(call, 1));
    expect_reached(&renames.into_iter().flatten().collect(), &[&["ledger.key"], &["results.jsonl"]]);
    expect_reached(&sweep("unlink", 1), &[&["ledger.db-wal"]]);
    expect_reached(&sweep("mkdir", 1), &[&["state"]]);
}

#[test]
fn a_run_survives_a_kill_before_a_write_to_the_ledger() {
    if !has_strace() {
        return leave_out("kills before writes to the ledger");
    }
    // All of them only where there is the time for it.
    let step = if number_of("CRASH_KILLS") >= Some(1_000) { 1 } else { 9 };
    let reached = sweep("pwrite64", step);
    expect_reached(&reached, &[&["</state/ledger.db>"], &["</state/ledger.db-wal>"]]);
}

/// Lets the nth of these system calls fail, and all that follow; tells which was the first, and `None` when none was made.
/// What the program claims must be in the ledger all the same, and when the disk is well again it comes to its end.
fn survive_failure(call: &'static str, error: &'static str, nth: usize) -> Option<String> {
    let scenario = Scenario::plain(nth as u64, ROWS);
    let well = scenario.last_code();
    let mut campaign = Campaign::new(scenario);
    let code = campaign.run(&Kill::Failing { call, error, nth }).code().unwrap();
    let failed = campaign.first_failed_call();
    let stderr = campaign.stderr();
    // What SQLite tidies up while the ledger is closed may fail: nothing depends on it any more.
    let is_expected = code == 8 && stderr.contains("hint: ") || code == well;
    assert!(is_expected, "exit code {code} after {failed:?}\n{stderr}");
    campaign.finish();
    failed
}

#[test]
fn a_run_survives_a_disk_that_fails_at_any_flush_or_is_full_at_any_write() {
    if !has_strace() {
        return leave_out("disks that fail");
    }
    let step = if number_of("CRASH_KILLS") >= Some(1_000) { 1 } else { 9 };
    let mut failed = BTreeSet::new();
    for (call, error, step) in [("fsync", "EIO", 1), ("pwrite64", "ENOSPC", step)] {
        failed.extend((1..).step_by(step).map_while(|nth| survive_failure(call, error, nth)));
    }
    expect_reached(
        &failed,
        &[&["fsync", "</state/.key."], &["fsync", "ledger.db-wal"], &["pwrite64", "ledger.db-wal"]],
    );
}
