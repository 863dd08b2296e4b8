//! What goes wrong around the attach: one effect a user, whatever became of the reply.

use stara_onboard::sandbox::CallKind::{self, CreateCredential, GetCredential};
use stara_onboard::sandbox::{Answer, Calls, Fault, RetryAfter, SandboxOptions, SecondAttach, Trouble, When};

use crate::support::{Bench, Grower, ResultLine, growers};

/// A run over these growers with one fault for each, side by side, because an unknown result is waited for.
fn run_with(faults: Vec<Fault>, arguments: &[&str], code: i32) -> (Bench, Vec<Grower>) {
    let rows = growers(faults.len());
    // Were an attach sent twice, this Leaf would take it: the test would see two effects.
    let options =
        SandboxOptions { on_second_attach: SecondAttach::SecondObject, ..SandboxOptions::default() };
    let bench = Bench::with_options(options, &rows);
    for (fault, row) in faults.into_iter().zip(&rows) {
        bench.inject(fault.for_user(row.id));
    }
    bench.run(arguments).with_code(code);
    (bench, rows)
}

fn origins(bench: &Bench) -> Vec<String> {
    let origin = |result: ResultLine| format!("{} {:?}", result.outcome, result.origin);
    bench.results().into_iter().map(origin).map(|text| text.replace("Some(", "").replace(')', "")).collect()
}

#[test]
fn a_lost_reply_is_found_out_by_looking_and_never_by_sending_again() {
    let faults = vec![
        Fault::reply_lost(),
        Fault::error_after_effect(),
        Fault::hang_after_effect(),
        Fault::late_answer(),
        Fault::new(Calls::One(CreateCredential), When::Always, Trouble::AnswerAfterEffect(Answer::new(408))),
    ];
    let (bench, rows) = run_with(faults, &["--timeout", "1s"], 0);
    assert_eq!(origins(&bench), ["attached \"recovered\""; 5]);
    assert_eq!(bench.calls_of(CreateCredential), rows.len());
    bench.expect_one_effect_each(&rows);
}

#[test]
fn an_attach_without_effect_is_sent_again_once_that_is_settled() {
    let faults = vec![
        Fault::cut_before_effect(),
        Fault::reset_before_effect(),
        Fault::error_before_effect(),
        Fault::hang(),
    ];
    let (bench, rows) = run_with(faults, &["--timeout", "1s", "--settle", "3s"], 0);
    bench.expect_one_effect_each(&rows);
    assert_eq!(origins(&bench), ["attached \"created\""; 4]);
    for row in &rows {
        let calls = bench.calls_about(row);
        let looks_between = calls
            .iter()
            .skip_while(|call| **call != CreateCredential)
            .skip(1)
            .take_while(|call| **call != CreateCredential)
            .filter(|call| **call == GetCredential)
            .count();
        assert_eq!(looks_between, 2, "one look soon, one when it is settled: {calls:?}");
    }
}

#[test]
fn an_attach_that_takes_effect_late_is_waited_for() {
    let faults = vec![Fault::late_effect(), Fault::cut_then_late_effect()];
    let (bench, rows) = run_with(faults, &["--timeout", "1s", "--settle", "4s"], 0);
    bench.expect_one_effect_each(&rows);
    assert_eq!(origins(&bench), ["attached \"recovered\""; 2]);
    assert_eq!(bench.calls_of(CreateCredential), 2);
}

#[test]
fn an_attach_lost_twice_needs_review_and_is_looked_at_first_by_the_next_run() {
    let (bench, rows) = run_with(vec![Fault::cut_before_effect().when(When::Always)], &["--settle", "2s"], 3);
    assert_eq!(bench.outcomes(), ["needs-review"]);
    assert_eq!(bench.calls_of(CreateCredential), 2);
    bench.world().lift_faults();
    let before = bench.calls();
    bench.run(&["--settle", "2s"]).with_code(3);
    let calls: Vec<CallKind> = bench.seen()[before..].iter().map(|call| call.call).collect();
    assert!(calls.iter().all(|call| *call == GetCredential), "not before 15 minutes have passed: {calls:?}");
    assert_eq!(bench.outcomes(), ["needs-review"]);
    // Somebody mends it by hand; then the next run finds it.
    bench.world().seed_credential(rows[0].id, "OK");
    bench.run(&["--settle", "2s"]).with_code(0);
}

#[test]
fn a_credential_that_leaf_shows_late_is_waited_for() {
    let faults = vec![Fault::lagging_looks(), Fault::lagging_time()];
    let (bench, rows) = run_with(faults, &[], 0);
    bench.expect_one_effect_each(&rows);
    assert_eq!(origins(&bench), ["attached \"created\""; 2]);
    assert_eq!(bench.calls_of(CreateCredential), 2);
}

#[test]
fn a_credential_not_seen_in_time_is_unconfirmed_and_only_looked_for_by_the_next_run() {
    let (bench, rows) = run_with(vec![Fault::lagging_time()], &["--verify-wait", "500ms"], 3);
    assert_eq!(bench.outcomes(), ["attach-unconfirmed"]);
    bench.run(&["--settle", "3s"]).with_code(0);
    assert_eq!(bench.calls_of(CreateCredential), 1);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn an_answer_that_cannot_be_read_still_means_that_leaf_took_the_attach() {
    let faults = vec![
        Fault::truncated_body(),
        Fault::html_body(),
        Fault::empty_body(),
        Fault::wrong_types(),
        Fault::cut_in_body(),
        Fault::huge_body(),
        Fault::slow_body(),
    ];
    let (bench, rows) = run_with(faults, &["--timeout", "1s"], 0);
    assert_eq!(origins(&bench), ["attached \"created\""; 7]);
    assert_eq!(bench.calls_of(CreateCredential), 7);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_user_throttled_at_the_attach_is_sent_again_without_a_settle() {
    let answer = Answer::new(429).retry_after(RetryAfter::Seconds(1));
    let throttled = Fault::new(Calls::One(CreateCredential), When::FirstPerRow(1), Trouble::Answer(answer));
    let (bench, rows) = run_with(vec![throttled.clone(), throttled], &[], 0);
    bench.expect_one_effect_each(&rows);
    assert_eq!(origins(&bench), ["attached \"created\""; 2]);
}

#[test]
fn a_conflict_is_decided_by_what_is_there() {
    for second in [SecondAttach::Conflict409, SecondAttach::BadRequest400] {
        let rows = growers(2);
        let options = SandboxOptions { on_second_attach: second, ..SandboxOptions::default() };
        let bench = Bench::with_options(options, &rows);
        bench.world().seed_credential(rows[0].id, "OK");
        bench.run(&["--precheck", "off"]).with_code(3);
        assert_eq!(bench.outcomes(), ["leaf-credentials-exist", "attached"], "{second:?}");
        assert_eq!(bench.world().attach_effects(rows[0].id), 0);
    }
}

#[test]
fn a_redirect_stops_the_run_and_is_never_followed() {
    let (bench, _) = run_with(vec![Fault::redirect(), Fault::redirect()], &["--concurrency", "1"], 7);
    assert_eq!((bench.calls_of(CreateCredential), bench.calls_of(CallKind::Other)), (1, 0));
    assert_eq!(bench.world().attach_effects_in_all(), 0);
    assert_eq!(
        bench.outcomes(),
        ["not-reached"; 2],
        "a redirect processed nothing, so nothing is in the open"
    );
    bench.world().lift_faults();
    // A settle of ten minutes would be waited for if something were.
    bench.run(&["--settle", "10m"]).with_code(0);
    assert_eq!(bench.world().attach_effects_in_all(), 2);
}
