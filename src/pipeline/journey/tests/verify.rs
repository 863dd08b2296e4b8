//! Seeing the credential at Leaf after the attach.

use std::time::Duration;

use super::story::*;
use crate::api::CallErrorKind;
use crate::model::{Credential, CredentialId};
use crate::pipeline::journey::types::Finish;
use crate::pipeline::journey::{Answer, Event, JourneyRules, JourneyStart};

fn without_id(status: &str) -> Event {
    let credential = Credential::new(None, Some(status));
    Event::Answered(Answer::Credential(Some(credential)))
}

fn id_of(finish: &Finish) -> Option<&str> {
    let credential = finish.outcome.credential.as_ref()?;
    credential.id.as_ref().map(CredentialId::as_str)
}

#[test]
fn a_credential_that_shows_late_is_waited_for_with_growing_patience() {
    let told =
        fresh(then([created("c1"), absent(), absent(), absent(), absent(), absent(), found("c1", "OK")]));
    assert_eq!(
        told.lines[5..],
        [
            "GET credential",
            "wait 500ms",
            "GET credential",
            "wait 1s",
            "GET credential",
            "wait 2s",
            "GET credential",
            "wait 4s",
            "GET credential",
            "wait 5s",
            "GET credential",
            "end: attached at verify, created, ours, c1",
        ]
    );
}

#[test]
fn a_credential_that_never_shows_is_unconfirmed_after_the_wait() {
    let looks = std::iter::repeat_with(absent).take(10);
    let told = fresh(then([created("c1")].into_iter().chain(looks)));
    let waited: f64 = told
        .lines
        .iter()
        .filter_map(|line| line.strip_prefix("wait "))
        .map(|time| match time.strip_suffix("ms") {
            Some(millis) => millis.parse::<f64>().unwrap() / 1000.0,
            None => time.trim_end_matches('s').parse().unwrap(),
        })
        .sum();
    assert!((waited - 30.0).abs() < 1e-9, "{waited} s");
    assert_eq!(
        told.lines[told.lines.len() - 2..],
        ["end: attach-unconfirmed at verify", "stays open: attach 1, over nothing, acknowledged"]
    );
}

#[test]
fn an_odd_answer_to_a_look_is_followed_by_another_look() {
    let odd = || failed(CallErrorKind::Unexpected, 200);
    let told = fresh(then([created("c1"), odd(), odd(), found("c1", "OK")]));
    assert_eq!(told.lines[6], "wait 500ms");
    assert_eq!(told.end(), "end: attached at verify, created, ours, c1");
    let told = fresh(then([created("c1")].into_iter().chain(std::iter::repeat_with(odd).take(10))));
    assert_eq!(told.end(), "end: attach-unconfirmed at verify");
    let told = fresh(then([created("c1"), failed(CallErrorKind::Forbidden, 403)]));
    assert_eq!(told.end(), "end: attach-unconfirmed at verify");
}

#[test]
fn without_a_wait_there_is_one_look() {
    let rules = JourneyRules { verify_wait: Duration::ZERO, ..rules() };
    let told = tell(rules, JourneyStart::default(), then([created("c1"), absent()]));
    assert_eq!(told.count("GET credential"), 1);
    assert_eq!(told.end(), "end: attach-unconfirmed at verify");
}

#[test]
fn an_unhealthy_credential_gets_the_wait_to_recover() {
    let told = fresh(then([created("c1"), found("c1", "invalid"), found("c1", "OK")]));
    assert_eq!(told.lines[6], "wait 500ms");
    assert_eq!(told.end(), "end: attached at verify, created, ours, c1");
}

#[test]
fn a_credential_that_stays_unhealthy_is_ours_and_unhealthy() {
    let looks = std::iter::repeat_with(|| found("c1", "Unauthenticated")).take(10);
    let told = fresh(then([created("c1")].into_iter().chain(looks)));
    assert_eq!(told.end(), "end: credential-unhealthy at verify, ours, c1");
    assert!(told.finish.keep_intent.is_none());
    assert!(told.finish.outcome.message.contains("Unauthenticated"));
}

#[test]
fn a_status_nobody_documents_is_not_called_broken() {
    let told = fresh(then([created("c1"), found("c1", "SYNCING")]));
    assert_eq!(told.end(), "end: attached at verify, created, ours, c1");
    assert_eq!(told.finish.outcome.credential.unwrap().status.as_deref(), Some("SYNCING"));
}

#[test]
fn another_credential_in_the_place_of_ours_is_told_after_the_wait() {
    let looks = std::iter::repeat_with(|| found("c9", "OK")).take(10);
    let told = fresh(then([created("c1")].into_iter().chain(looks)));
    assert_eq!(told.end(), "end: leaf-credentials-exist at verify, c9");
    let told = fresh(then([created("c1"), found("c9", "OK"), found("c1", "OK")]));
    assert_eq!(told.end(), "end: attached at verify, created, ours, c1");
}

#[test]
fn a_look_that_shows_no_id_keeps_the_id_that_came_with_the_201() {
    let told = fresh(then([created("c1"), without_id("OK")]));
    assert_eq!(id_of(&told.finish), Some("c1"));
    assert!(told.finish.ours);
}

#[test]
fn a_verify_that_fails_proves_nothing_and_stays_open() {
    for failure in [|| failed(CallErrorKind::Forbidden, 403), || failed(CallErrorKind::Redirected, 302)] {
        let told = fresh(then([created("c1"), failure()]));
        assert_eq!(
            told.lines[6..],
            ["end: attach-unconfirmed at verify", "stays open: attach 1, over nothing, acknowledged"]
        );
    }
}

#[test]
fn a_verify_is_asked_four_times_in_a_row_at_most() {
    let told = fresh(then([created("c1"), lost(), server_error(), unreachable(), lost()]));
    assert_eq!(told.count("GET credential"), 4);
    assert_eq!(told.end(), "end: attach-unconfirmed at verify");
    // An answer in between begins the count anew.
    let told = fresh(then([created("c1"), lost(), lost(), lost(), absent(), lost(), found("c1", "OK")]));
    assert_eq!(told.end(), "end: attached at verify, created, ours, c1");
}

#[test]
fn a_verify_held_back_for_too_long_stays_open() {
    let told = fresh(then([created("c1"), Event::HeldTooLong]));
    assert_eq!(told.end(), "end: attach-unconfirmed at verify");
    assert!(told.finish.keep_intent.unwrap().acknowledged);
}
