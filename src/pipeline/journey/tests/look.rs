//! The look before anything is spent.

use super::story::*;
use crate::api::CallErrorKind;
use crate::pipeline::journey::{Event, JourneyStart, OnExisting};

#[test]
fn a_row_with_a_precheck_takes_five_calls() {
    let told = fresh(then([created("c1"), found("c1", "OK")]));
    assert_eq!(
        told.lines,
        [
            "GET user",
            "POST autenticacao",
            "POST token",
            "intent: attach 1, over nothing",
            "POST credential",
            "GET credential",
            "end: attached at verify, created, ours, c1",
        ]
    );
    assert_eq!(told.finish.outcome.http_status, Some(200));
    assert_eq!(told.finish.outcome.attempts, 1);
}

#[test]
fn a_row_without_a_precheck_takes_four_calls() {
    let replies = [kept(), kept(), created("c1"), found("c1", "OK")];
    let told = tell(without_precheck(), JourneyStart::default(), replies);
    assert_eq!(
        told.lines,
        [
            "POST autenticacao",
            "POST token",
            "intent: attach 1",
            "POST credential",
            "GET credential",
            "end: attached at verify, created, ours, c1",
        ]
    );
}

#[test]
fn without_a_precheck_what_the_ledger_knows_of_is_still_looked_at() {
    let starts = [
        JourneyStart { look_first: true, ..JourneyStart::default() },
        JourneyStart { known: Some(known("c0", false)), ..JourneyStart::default() },
    ];
    for start in starts {
        let told = tell(without_precheck(), start, [user_holds("c0", "OK")]);
        assert_eq!(told.lines, ["GET user", "end: already-attached at precheck, found, c0"]);
    }
}

#[test]
fn a_user_that_leaf_does_not_know_costs_one_call() {
    let told = fresh([not_found()]);
    assert_eq!(told.lines, ["GET user", "end: leaf-user-unknown at precheck"]);
    assert_eq!(told.finish.outcome.http_status, Some(404));
}

#[test]
fn a_user_that_may_not_be_seen_is_forbidden() {
    let told = fresh([failed(CallErrorKind::Forbidden, 403)]);
    assert_eq!(told.lines, ["GET user", "end: leaf-user-forbidden at precheck"]);
}

#[test]
fn an_answer_that_cannot_be_read_is_not_taken_for_an_absence() {
    let told = fresh([failed(CallErrorKind::Unexpected, 200)]);
    assert_eq!(told.lines, ["GET user", "end: leaf-unexpected-answer at precheck"]);
}

#[test]
fn an_incomplete_embedded_credential_takes_one_call_more() {
    let told = fresh([user_holds_something(), found("c0", "OK")]);
    assert_eq!(told.lines, ["GET user", "GET credential", "end: already-attached at precheck, found, c0"]);
}

#[test]
fn an_incomplete_embedded_credential_that_is_not_there_is_attached_over_nothing() {
    let told = fresh([user_holds_something(), absent(), kept(), kept(), created("c1"), found("c1", "OK")]);
    assert_eq!(told.lines[1..3], ["GET credential", "POST autenticacao"]);
    assert_eq!(told.end(), "end: attached at verify, created, ours, c1");
}

#[test]
fn a_healthy_credential_is_kept_as_found() {
    for status in ["OK", "ok", "PENDING", "a status nobody documents", ""] {
        let told = fresh([user_holds("c0", status)]);
        assert_eq!(told.lines, ["GET user", "end: already-attached at precheck, found, c0"], "{status}");
    }
}

#[test]
fn an_unhealthy_credential_is_told_with_its_status_word_for_word() {
    let told = fresh([user_holds("c0", "Limited Permission")]);
    assert_eq!(told.lines, ["GET user", "end: credential-unhealthy at precheck, c0"]);
    assert!(told.finish.outcome.message.contains("Limited Permission"));
}

#[test]
fn a_credential_of_ours_that_is_seen_again_counts_as_attached() {
    let start = || JourneyStart { known: Some(known("c0", true)), ..JourneyStart::default() };
    let told = tell(rules(), start(), [user_holds("c0", "OK")]);
    assert_eq!(told.end(), "end: attached at precheck, created, ours, c0");
    let told = tell(rules(), start(), [user_holds("c0", "invalid")]);
    assert_eq!(told.end(), "end: credential-unhealthy at precheck, ours, c0");
    let told = tell(rules(), start(), [user_holds("another", "OK")]);
    assert_eq!(told.end(), "end: already-attached at precheck, found, another");
}

#[test]
fn on_existing_fail_leaves_any_credential_alone() {
    for status in ["OK", "invalid"] {
        let told = tell(with_existing(OnExisting::Fail), JourneyStart::default(), [user_holds("c0", status)]);
        assert_eq!(told.lines, ["GET user", "end: leaf-credentials-exist at precheck, c0"]);
    }
}

#[test]
fn on_existing_fail_is_about_the_credentials_of_others() {
    let start = || JourneyStart { known: Some(known("c0", true)), ..JourneyStart::default() };
    for (status, end) in [
        ("OK", "end: attached at precheck, created, ours, c0"),
        ("invalid", "end: credential-unhealthy at precheck, ours, c0"),
    ] {
        let told = tell(with_existing(OnExisting::Fail), start(), [user_holds("c0", status)]);
        assert_eq!(told.end(), end);
    }
}

#[test]
fn on_existing_does_not_matter_where_nothing_is() {
    for on_existing in [OnExisting::Keep, OnExisting::Fail, OnExisting::Replace] {
        let replies = then([created("c1"), found("c1", "OK")]);
        let told = tell(with_existing(on_existing), JourneyStart::default(), replies);
        assert_eq!(told.end(), "end: attached at verify, created, ours, c1");
    }
}

#[test]
fn a_look_is_made_four_times_at_most() {
    let told = fresh([server_error(), lost(), unreachable(), server_error()]);
    assert_eq!(
        told.lines,
        [
            "GET user",
            "back off within 500ms",
            "GET user",
            "back off within 1s",
            "GET user",
            "back off within 2s",
            "GET user",
            "end: leaf-unavailable at precheck",
        ]
    );
    assert_eq!(told.finish.outcome.attempts, 4);
}

#[test]
fn being_throttled_uses_up_no_attempt() {
    let throttles = std::iter::repeat_with(throttled).take(20);
    let told = fresh(throttles.chain([server_error(), user_holds("c0", "OK")]));
    assert_eq!(told.count("GET user"), 22);
    assert_eq!(told.end(), "end: already-attached at precheck, found, c0");
    assert_eq!(told.finish.outcome.attempts, 2);
}

#[test]
fn a_host_that_asks_for_too_long_a_pause_ends_the_row_as_throttled() {
    let told = fresh([Event::HeldTooLong]);
    assert_eq!(told.end(), "end: throttled at precheck");
    assert_eq!(told.finish.outcome.attempts, 0, "nothing was sent");
}

#[test]
fn a_host_that_stays_down_ends_the_row_as_its_unavailability() {
    let told = fresh([Event::HostDown(None)]);
    assert_eq!(told.end(), "end: leaf-unavailable at precheck");
    assert_eq!(told.finish.outcome.attempts, 0, "nothing was sent");
    let told = fresh([no_credential(), Event::HostDown(None)]);
    assert_eq!(told.end(), "end: stara-unavailable at authenticate");
}

#[test]
fn an_answer_to_another_question_ends_the_row_as_a_defect() {
    let told = fresh([kept()]);
    assert_eq!(told.end(), "end: internal at precheck");
}
