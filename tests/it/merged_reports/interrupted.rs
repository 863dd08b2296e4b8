//! Shards that are at work, or were killed: the report tells of them, and shows how things stand.

use rustix::process::Signal;

use super::{run_shard, states};
use crate::support::{Bench, Running, counts, growers};

/// A run of the second of two shards that has attached somebody, and goes on.
fn at_work(bench: &Bench) -> Running {
    let before = bench.world().attach_effects_in_all();
    let run = bench.program().args(["run", "growers.csv", "--report", "none", "--shard", "1/2"]);
    let running = run.args(["--concurrency", "2"]).start();
    bench.until(|world| world.attach_effects_in_all() > before + 2);
    running
}

#[test]
fn a_shard_that_is_at_work_is_told_and_its_rows_count_as_not_reached() {
    let bench = Bench::slow(&growers(60));
    run_shard(&bench, 0, 2, &[]);
    let running = at_work(&bench);
    let ended = bench.program().args(["report", "results.jsonl"]).args(states(2)).end().with_code(0);
    let ended = ended.saying("shard 1/2 hasn't ended: a run is at work (process");
    ended.saying("60 lines of the manifest").saying("not-reached");
    let outcomes = bench.results();
    let counted = counts(&outcomes);
    assert_eq!(outcomes.len(), 60);
    assert!(counted["not-reached"] > 0 && counted["attached"] > 2, "{counted:?}");
    let status = bench.status(&states(2).iter().map(String::as_str).collect::<Vec<_>>());
    assert!(status["running"].as_str().unwrap().starts_with("shard 1/2 is at work (process"), "{status:#}");
    assert!(status["runs"][0]["endedAt"].is_null() && status["runs"][0]["exitCode"].is_null());
    let text = bench.program().args(["status"]).args(states(2)).end().with_code(0).stdout;
    let line = text.lines().find(|line| line.contains("1-of-2.db")).unwrap();
    assert!(
        line.contains(", at work") && !line.contains("failed") && !text.contains("attach-unconfirmed"),
        "{text}"
    );
    running.signal(Signal::TERM);
    running.end().with_code(143);
    let ended = bench.program().args(["report", "none"]).args(states(2)).end().with_code(0);
    ended.saying("Stopped early: shard 1/2: stopped by SIGTERM.");
    assert_eq!(
        bench.status(&["--state", "state/ledger.0-of-2.db", "state/ledger.1-of-2.db"])["runs"][0]["exitCode"],
        143
    );
}

#[test]
fn a_shard_that_was_killed_is_told_and_once_it_is_run_again_nothing_is_missing() {
    let rows = growers(60);
    let bench = Bench::slow(&rows);
    run_shard(&bench, 0, 2, &[]);
    let running = at_work(&bench);
    running.signal(Signal::KILL);
    running.end();
    let report = || bench.program().args(["report", "results.jsonl"]).args(states(2)).end().with_code(0);
    let text = bench.program().args(["status"]).args(states(2)).end().with_code(0).stdout;
    let line = text.lines().find(|line| line.contains("1-of-2.db")).unwrap();
    assert!(line.contains(", killed"), "{text}");
    report().saying("shard 1/2 hasn't ended: it was killed").saying("hasn't ended, or was killed");
    assert_eq!(bench.results().len(), 60);
    run_shard(&bench, 1, 2, &["--settle", "2s"]);
    let ended = report();
    assert!(
        !ended.stderr.contains("hasn't ended") && !ended.stderr.contains("Stopped early"),
        "{}",
        ended.stderr
    );
    assert_eq!(bench.outcomes(), ["attached"; 60]);
    bench.expect_one_effect_each(&rows);
}
