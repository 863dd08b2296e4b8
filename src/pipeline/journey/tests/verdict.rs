//! Every row of the table of verdicts on an attach.

use super::story::*;
use crate::api::CallErrorKind;
use crate::pipeline::journey::{Event, JourneyStart};

#[test]
fn an_attach_that_was_not_processed_is_sent_again_under_the_same_intent() {
    let told = fresh(then([unreachable(), throttled(), created("c1"), found("c1", "OK")]));
    assert_eq!(
        told.lines[3..],
        [
            "intent: attach 1, over nothing",
            "POST credential",
            "back off within 500ms",
            "intent: attach 1, over nothing",
            "POST credential",
            "intent: attach 1, over nothing",
            "POST credential",
            "GET credential",
            "end: attached at verify, created, ours, c1",
        ]
    );
}

#[test]
fn an_attach_that_never_reached_leaf_leaves_nothing_open() {
    let told = fresh(then([unreachable(), unreachable(), unreachable(), unreachable()]));
    assert_eq!(told.count("POST credential"), 4);
    assert_eq!(told.end(), "end: leaf-unavailable at attach");
    assert!(told.finish.keep_intent.is_none());
}

#[test]
fn throttled_attaches_use_up_no_attempt() {
    let throttles = std::iter::repeat_with(throttled).take(12);
    let told = fresh(then(throttles.chain([created("c1"), found("c1", "OK")])));
    assert_eq!(told.count("POST credential"), 13);
    assert_eq!(told.count("intent: attach 1, over nothing"), 13);
}

#[test]
fn an_attach_held_back_for_too_long_leaves_nothing_open() {
    let told = fresh(then([throttled(), Event::HeldTooLong]));
    assert_eq!(told.end(), "end: throttled at attach");
    assert!(told.finish.keep_intent.is_none());
}

#[test]
fn a_success_that_cannot_be_read_is_verified_like_any_other() {
    let told = fresh(then([created_unreadably(), found("c1", "OK")]));
    assert_eq!(told.lines[5..], ["GET credential", "end: attached at verify, created, ours, c1"]);
}

#[test]
fn a_success_that_cannot_be_read_after_no_look_is_attached_but_not_proven_ours() {
    let replies = [kept(), kept(), created_unreadably(), found("c1", "OK")];
    let told = tell(without_precheck(), JourneyStart::default(), replies);
    assert_eq!(told.end(), "end: attached at verify, created, c1");
}

#[test]
fn an_attach_to_a_user_leaf_does_not_know_is_refused() {
    let told = fresh(then([not_found()]));
    assert_eq!(told.lines[4..], ["POST credential", "end: leaf-user-unknown at attach"]);
    assert!(told.finish.keep_intent.is_none());
}

#[test]
fn a_forbidden_attach_is_refused() {
    let told = fresh(then([failed(CallErrorKind::Forbidden, 403)]));
    assert_eq!(told.lines[4..], ["POST credential", "end: leaf-user-forbidden at attach"]);
    assert_eq!(told.finish.outcome.http_status, Some(403));
}

#[test]
fn any_other_answer_is_unexpected_and_not_repeated() {
    for (kind, status) in [(CallErrorKind::Unexpected, 418), (CallErrorKind::Redirected, 302)] {
        let told = fresh(then([failed(kind, status)]));
        assert_eq!(told.lines[4..], ["POST credential", "end: leaf-unexpected-answer at attach"]);
    }
}

#[test]
fn a_refusal_with_nothing_there_is_a_refused_credential() {
    for status in [400, 409, 422] {
        let told = fresh(then([failed(CallErrorKind::Refused, status), absent()]));
        assert_eq!(
            told.lines[4..],
            ["POST credential", "GET credential", "end: leaf-credentials-refused at attach"]
        );
        assert_eq!(told.finish.outcome.http_status, Some(status), "the refusal's status, not the look's");
        assert!(told.finish.keep_intent.is_none());
    }
}

#[test]
fn a_refusal_with_a_credential_where_the_look_had_shown_none_is_ours() {
    let told = fresh(then([conflict(), found("c1", "OK")]));
    assert_eq!(
        told.lines[4..],
        ["POST credential", "GET credential", "end: attached at verify, recovered, ours, c1"]
    );
}

#[test]
fn a_refusal_with_a_credential_and_no_look_before_means_that_another_is_there() {
    let told =
        tell(without_precheck(), JourneyStart::default(), [kept(), kept(), conflict(), found("c0", "OK")]);
    assert_eq!(told.lines[4..], ["GET credential", "end: leaf-credentials-exist at attach, c0"]);
    assert_eq!(told.finish.outcome.http_status, Some(409));
    assert!(!told.finish.ours);
}

#[test]
fn a_refusal_that_cannot_be_judged_stays_open() {
    let told = fresh(then([conflict(), lost(), lost(), lost(), lost()]));
    assert_eq!(
        told.lines[told.lines.len() - 2..],
        ["end: attach-unconfirmed at attach", "stays open: attach 1, over nothing"]
    );
}

#[test]
fn a_second_attach_whose_refusal_cannot_be_judged_counts_as_a_second_one() {
    let broken = || failed(CallErrorKind::Forbidden, 403);
    let told = fresh(then([lost(), absent(), absent(), conflict(), broken()]));
    assert_eq!(told.lines.last().unwrap(), "stays open: attach 2, over nothing");
}
