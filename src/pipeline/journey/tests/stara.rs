//! Login and tokens.

use super::story::*;
use crate::api::CallErrorKind;
use crate::pipeline::journey::Event;

fn rejected() -> Event {
    failed(CallErrorKind::LoginRejected, 401)
}

#[test]
fn a_refused_login_is_tried_once_and_remembered() {
    let told = fresh([no_credential(), rejected()]);
    assert_eq!(
        told.lines,
        ["GET user", "POST autenticacao", "end: stara-login-rejected at authenticate, login refused"]
    );
    assert_eq!(told.finish.outcome.http_status, Some(401));
}

#[test]
fn an_answer_that_is_no_clear_refusal_is_not_blamed_on_the_grower() {
    let kinds = [
        CallErrorKind::Unexpected,
        CallErrorKind::NotFound,
        CallErrorKind::Redirected,
        CallErrorKind::LoginDoubtful,
        CallErrorKind::Forbidden,
    ];
    for kind in kinds {
        let told = fresh([no_credential(), failed(kind, 400)]);
        assert_eq!(told.lines[1..], ["POST autenticacao", "end: stara-unexpected-answer at authenticate"]);
    }
}

#[test]
fn stara_is_asked_three_times_at_most() {
    let told = fresh([no_credential(), server_error(), unreachable(), lost()]);
    assert_eq!(
        told.lines[1..],
        [
            "POST autenticacao",
            "back off within 500ms",
            "POST autenticacao",
            "back off within 1s",
            "POST autenticacao",
            "end: stara-unavailable at authenticate",
        ]
    );
    assert_eq!(told.finish.outcome.attempts, 3);
    let told = fresh([no_credential(), kept(), lost(), lost(), lost()]);
    assert_eq!(told.end(), "end: stara-unavailable at token");
}

#[test]
fn throttled_logins_use_up_no_attempt() {
    let throttles = std::iter::repeat_with(throttled).take(10);
    let told = fresh([no_credential()].into_iter().chain(throttles).chain([rejected()]));
    assert_eq!(told.count("POST autenticacao"), 11);
    assert_eq!(told.finish.outcome.attempts, 1);
}

#[test]
fn a_refused_key_is_got_anew_once() {
    for kind in [CallErrorKind::Unauthorized, CallErrorKind::Forbidden] {
        let told = fresh([
            no_credential(),
            kept(),
            failed(kind, 401),
            kept(),
            kept(),
            created("c1"),
            found("c1", "OK"),
        ]);
        assert_eq!(
            told.lines[1..5],
            ["POST autenticacao", "POST token", "POST autenticacao", "POST token"],
            "{kind:?}"
        );
        assert_eq!(told.end(), "end: attached at verify, created, ours, c1");
    }
}

#[test]
fn a_key_that_is_refused_twice_is_an_unexpected_answer_and_never_a_refused_login() {
    let refused = || failed(CallErrorKind::Unauthorized, 401);
    let told = fresh([no_credential(), kept(), refused(), kept(), refused()]);
    assert_eq!(told.end(), "end: stara-unexpected-answer at token");
    assert!(!told.finish.refused);
}

#[test]
fn a_login_that_is_refused_the_second_time_is_a_refused_login() {
    let told = fresh([no_credential(), kept(), failed(CallErrorKind::Forbidden, 403), rejected()]);
    assert_eq!(told.end(), "end: stara-login-rejected at authenticate, login refused");
}

#[test]
fn an_answer_without_tokens_is_unexpected() {
    let told = fresh([no_credential(), kept(), failed(CallErrorKind::Unexpected, 200)]);
    assert_eq!(told.end(), "end: stara-unexpected-answer at token");
    assert!(told.finish.keep_intent.is_none());
}
