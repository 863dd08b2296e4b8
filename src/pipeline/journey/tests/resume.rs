//! Intents that an earlier run left open.

use std::time::Duration;

use super::story::*;
use crate::api::CallErrorKind;
use crate::pipeline::journey::{Event, JourneyRules, PriorIntent};

fn age(seconds: Option<u64>, attaches: u32) -> PriorIntent {
    PriorIntent { age: seconds.map(Duration::from_secs), attaches, ..one_attach(0) }
}

fn attached_anew() -> [Event; 4] {
    [kept(), kept(), created("c2"), found("c2", "OK")]
}

#[test]
fn what_is_there_is_recovered_at_once_whatever_its_age() {
    for seconds in [Some(0), Some(60), Some(100_000), None] {
        let told = tell(rules(), resumed(age(seconds, 1)), [found("c1", "OK")]);
        assert_eq!(told.lines, ["GET credential", "end: attached at verify, recovered, ours, c1"]);
    }
}

#[test]
fn a_young_intent_waits_for_the_rest_of_its_settle_time() {
    let replies = [absent(), absent()].into_iter().chain(attached_anew());
    let told = tell(rules(), resumed(age(Some(50), 1)), replies);
    assert_eq!(
        told.lines,
        [
            "GET credential",
            "park 70s",
            "GET credential",
            "POST autenticacao",
            "POST token",
            "intent: attach 2, over nothing",
            "POST credential",
            "GET credential",
            "end: attached at verify, created, ours, c2",
        ]
    );
}

#[test]
fn a_clock_that_went_back_waits_for_the_whole_settle_time() {
    let told = tell(rules(), resumed(age(None, 1)), [absent(), found("c1", "OK")]);
    assert_eq!(told.lines[1], "park 120s");
}

#[test]
fn a_settled_intent_is_judged_by_one_look() {
    for seconds in [120, 3_600] {
        let replies = [absent()].into_iter().chain(attached_anew());
        let told = tell(rules(), resumed(age(Some(seconds), 1)), replies);
        assert_eq!(told.lines[..2], ["GET credential", "POST autenticacao"]);
        assert_eq!(told.count("intent: attach 2, over nothing"), 1);
    }
}

#[test]
fn a_settled_intent_that_cannot_be_looked_at_is_left_to_the_next_run() {
    let told = tell(rules(), resumed(age(Some(500), 1)), [lost(), lost(), lost(), lost()]);
    assert_eq!(told.count("GET credential"), 4);
    assert_eq!(
        told.lines[told.lines.len() - 2..],
        ["end: attach-unconfirmed at attach", "stays open: attach 1, over nothing"]
    );
}

#[test]
fn no_login_is_spent_before_the_look() {
    let told = tell(rules(), resumed(age(Some(500), 1)), [failed(CallErrorKind::Forbidden, 403)]);
    assert_eq!(
        told.lines,
        ["GET credential", "end: attach-unconfirmed at attach", "stays open: attach 1, over nothing"]
    );
}

#[test]
fn an_absent_attach_leaves_nothing_open_when_the_login_is_refused_meanwhile() {
    let rejected = failed(CallErrorKind::LoginRejected, 401);
    let told = tell(rules(), resumed(age(Some(500), 1)), [absent(), rejected]);
    assert_eq!(
        told.lines,
        ["GET credential", "POST autenticacao", "end: stara-login-rejected at authenticate, login refused"]
    );
}

#[test]
fn a_third_attach_waits_for_fifteen_minutes() {
    for seconds in [Some(130), Some(899)] {
        let told = tell(rules(), resumed(age(seconds, 2)), [absent()]);
        assert_eq!(
            told.lines,
            ["GET credential", "end: needs-review at attach", "stays open: attach 2, over nothing"]
        );
    }
    let told = tell(rules(), resumed(age(None, 2)), [absent(), absent()]);
    assert_eq!(told.end(), "end: needs-review at attach");
}

#[test]
fn after_fifteen_minutes_what_needs_review_may_be_sent_again_once() {
    let replies = [absent()].into_iter().chain(attached_anew());
    let told = tell(rules(), resumed(age(Some(900), 2)), replies);
    assert_eq!(told.count("intent: attach 3, over nothing"), 1);
    assert_eq!(told.end(), "end: attached at verify, created, ours, c2");

    let replies = [absent(), kept(), kept(), lost(), absent(), absent()];
    let told = tell(rules(), resumed(age(Some(900), 2)), replies);
    assert_eq!(told.count("POST credential"), 1);
    assert_eq!(told.lines.last().unwrap(), "stays open: attach 3, over nothing");
    assert_eq!(told.end(), "end: needs-review at attach");
}

#[test]
fn a_settle_time_above_fifteen_minutes_counts_instead_of_them() {
    let rules = JourneyRules { settle: Duration::from_mins(30), ..rules() };
    let told = tell(rules, resumed(age(Some(1_200), 2)), [absent(), absent()]);
    assert_eq!(told.lines[1], "park 600s");
    assert_eq!(told.end(), "end: needs-review at attach");
}

#[test]
fn the_run_after_an_acknowledged_attach_only_looks() {
    for seconds in [Some(0), Some(200), Some(100_000), None] {
        let intent = || PriorIntent { acknowledged: true, ..age(seconds, 1) };
        let told = tell(rules(), resumed(intent()), [found("c1", "OK")]);
        assert_eq!(told.lines, ["GET credential", "end: attached at verify, created, ours, c1"]);

        let told = tell(rules(), resumed(intent()), std::iter::repeat_with(absent).take(10));
        assert_eq!(told.count("POST credential"), 0);
        assert_eq!(told.end(), "end: attach-unconfirmed at verify");
        assert_eq!(
            told.lines.last().unwrap(),
            "stays open: attach 2, over nothing",
            "from here on it needs an age of 15 minutes, like one that was sent twice"
        );
    }
}

#[test]
fn an_acknowledged_attach_that_cannot_be_looked_at_stays_acknowledged() {
    let intent = PriorIntent { acknowledged: true, ..age(Some(0), 1) };
    let told = tell(rules(), resumed(intent), [lost(), lost(), lost(), lost()]);
    assert_eq!(told.lines.last().unwrap(), "stays open: attach 1, over nothing, acknowledged");
}

#[test]
fn without_a_look_before_a_resumed_attach_is_not_proven_ours() {
    let intent = PriorIntent { over_nothing: false, ..age(Some(10), 1) };
    let told = tell(without_precheck(), resumed(intent), [found("c1", "OK")]);
    assert_eq!(told.end(), "end: attached at verify, recovered, c1");
}

#[test]
fn an_intent_that_counts_absurdly_many_attaches_does_no_harm() {
    let told =
        tell(rules(), resumed(age(Some(u64::MAX), u32::MAX)), [absent()].into_iter().chain(attached_anew()));
    assert_eq!(told.end(), "end: attached at verify, created, ours, c2");
}

#[test]
fn a_look_that_was_sent_before_the_attach_had_settled_does_not_prove_its_absence() {
    // 119 s old when the look is sent, 121 s when its answer comes.
    let replies = [absent(), absent(), kept(), kept(), created("c1"), found("c1", "OK")];
    let told = tell_slowly(rules(), resumed(one_attach(119)), Duration::from_secs(2), replies);
    assert_eq!(told.lines[..3], ["GET credential", "GET credential", "POST autenticacao"]);
}
