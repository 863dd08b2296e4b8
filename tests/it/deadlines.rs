//! What a row and a run may take: what is over its time is left for the next run, and nothing is lost by it.

use std::time::Duration;

use stara_onboard::sandbox::CallKind::{Authenticate, CreateCredential, GetCredential, ListUsers};
use stara_onboard::sandbox::{Answer, Calls, Fault, RetryAfter, SandboxOptions, Trouble, When};

use crate::support::{Bench, counts, growers, side_by_side};

#[test]
fn a_row_that_takes_longer_than_it_may_ends_as_timed_out_and_is_tried_again() {
    let rows = growers(2);
    let bench = Bench::slow(&rows);
    // Every answer takes 20 ms.
    bench.run(&["--row-deadline", "10ms"]).with_code(3);
    let results = bench.results();
    assert_eq!(bench.outcomes(), ["timed-out"; 2]);
    assert!(results.iter().all(|result| result.message.contains("--row-deadline")));
    assert_eq!((bench.calls(), bench.calls_of(Authenticate)), (2, 0), "one look each, and nothing after it");
    bench.run(&[]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_deadline_never_closes_an_intent() {
    let rows = growers(1);
    let bench = Bench::new(&rows);
    bench.inject(Fault::hang_after_effect());
    bench.run(&["--timeout", "3s", "--row-deadline", "3s"]).with_code(3);
    assert_eq!(bench.outcomes(), ["attach-unconfirmed"]);
    assert_eq!(bench.status(&[&rows[0].id.to_string()])["openIntent"]["attaches"], 1);
    assert_eq!(bench.calls_of(GetCredential), 0);

    bench.run(&[]).with_code(0);
    assert_eq!(bench.results()[0].origin.as_deref(), Some("recovered"));
    assert_eq!(bench.calls_of(CreateCredential), 1);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_hosts_pause_does_not_count_against_the_row() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    let pause = Answer::new(429).retry_after(RetryAfter::Seconds(4));
    bench.inject(Fault::new(Calls::One(Authenticate), When::First(1), Trouble::Answer(pause)));
    bench.run(&["--row-deadline", "3s"]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_run_whose_time_is_over_drains_and_says_how_to_go_on() {
    let rows = growers(400);
    let bench = Bench::slow(&rows);
    // Each row takes five answers of 20 ms, one row at a time.
    let arguments = ["--max-duration", "1500ms", "--concurrency", "1"];
    let ended = bench.run(&arguments).with_code(5);
    let told = "\nstopped: the run has taken --max-duration (1500ms)\nhint: Run the same command again; ";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    let (_, command) = ended.stderr.split_once("To go on: ").unwrap();
    assert!(command.contains("--max-duration 1500ms"), "the exact command: {command}");
    let results = bench.results();
    let counted = counts(&results);
    assert_eq!(counted["attached"] as u64, bench.world().attach_effects_in_all(), "what was begun was ended");
    assert_eq!(counted["attached"] + counted["not-reached"], rows.len());
    assert_eq!(bench.status(&[])["runs"][0]["exitCode"], 5);
    bench.run(&[]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn what_is_under_way_when_the_time_is_over_gets_the_grace_and_no_more() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    bench.inject(Fault::hang().for_user(rows[0].id));
    let ended = bench.run(&["--max-duration", "1s", "--grace", "100ms", "--timeout", "50s"]).with_code(5);
    ended.saying("--max-duration (1s)");
    assert_eq!(bench.outcomes(), ["attach-unconfirmed", "attached"]);
    bench.run(&["--settle", "1s"]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn what_is_parked_when_the_time_is_over_is_not_waited_for() {
    let rows = growers(1);
    let bench = Bench::new(&rows);
    bench.inject(Fault::cut_before_effect());
    bench.run(&["--max-duration", "3s", "--grace", "10m", "--settle", "10m"]).with_code(5);
    assert_eq!(bench.outcomes(), ["attach-unconfirmed"]);
    bench.run(&["--settle", "1s"]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_list_that_leaf_holds_back_gets_the_grace_and_no_more() {
    let rows = growers(30);
    let bench = Bench::new(&rows);
    let pause = Answer::new(429).retry_after(RetryAfter::Seconds(600));
    bench.inject(Fault::new(Calls::One(ListUsers), When::Always, Trouble::Answer(pause)));
    let ended = bench.run(&["--precheck", "auto", "--max-duration", "1s", "--grace", "100ms"]).with_code(5);
    ended.saying("--max-duration (1s)");
    assert_eq!(bench.status(&[])["runs"][0]["exitCode"], 5);
}

#[test]
fn a_run_that_ends_within_its_time_or_its_grace_is_no_stopped_one() {
    side_by_side(["10m", "1ms"], |longest| {
        let rows = growers(1);
        let latency = Duration::from_millis(200);
        let bench = Bench::with_options(SandboxOptions { latency, ..SandboxOptions::default() }, &rows);
        let ended = bench.run(&["--max-duration", longest]);
        if longest == "10m" {
            ended.with_code(0);
            bench.expect_one_effect_each(&rows);
        } else {
            // Nothing had been begun.
            ended.with_code(5);
            assert_eq!(bench.calls(), 0);
            bench.run(&[]).with_code(0);
        }
    });
}
