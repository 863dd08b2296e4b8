//! Repairing: only what is still ours and unhealthy makes way.

use super::story::*;
use crate::api::CallErrorKind;
use crate::pipeline::journey::{Event, JourneyStart, OnExisting};

/// The row of a user whom an audit found with an unhealthy credential of ours, c0.
fn found_unhealthy() -> JourneyStart {
    JourneyStart { known: Some(known("c0", true)), ..JourneyStart::default() }
}

fn repaired(start: JourneyStart, replies: impl IntoIterator<Item = Event>) -> Told {
    tell(with_existing(OnExisting::Repair), start, replies)
}

fn claimed() -> Event {
    Event::ChangeClaimed(true)
}

#[test]
fn what_is_ours_and_unhealthy_is_replaced_with_the_new_tokens_in_hand() {
    let replies = [
        user_holds("c0", "invalid"),
        claimed(),
        kept(),
        kept(),
        kept(),
        found("c0", "invalid"),
        removed(),
        absent(),
        created("c1"),
        found("c1", "OK"),
    ];
    let told = repaired(found_unhealthy(), replies);
    assert_eq!(told.end(), "end: attached at verify, replaced, ours, c1");
    let at = |line: &str| told.lines.iter().position(|told| told == line).unwrap();
    assert!(at("POST token") < at("GET events") && at("GET events") < at("DELETE credential"));
}

#[test]
fn whatever_else_is_there_is_left_alone_without_a_login() {
    let changed = JourneyStart { login_changed: true, ..found_unhealthy() };
    let not_ours = JourneyStart { known: Some(known("c0", false)), ..JourneyStart::default() };
    let (ours, unknown) = (found_unhealthy(), JourneyStart::default());
    let cases = [
        (ours.clone(), user_holds("c0", "OK"), "end: attached at precheck, created, ours, c0"),
        (ours.clone(), user_holds("c9", "invalid"), "end: leaf-credentials-exist at precheck, c9"),
        (ours.clone(), user_holds("c9", "OK"), "end: leaf-credentials-exist at precheck, c9"),
        (ours.clone(), no_credential(), "end: not-reached at precheck"),
        (not_ours, user_holds("c0", "invalid"), "end: leaf-credentials-exist at precheck, c0"),
        (unknown, user_holds("c0", "invalid"), "end: leaf-credentials-exist at precheck, c0"),
        // A healthy credential isn't replaced by a repair, even where a run would.
        (changed, user_holds("c0", "OK"), "end: not-reached at precheck, c0"),
    ];
    for (start, seen, end) in cases {
        let told = repaired(start, [seen]);
        assert_eq!(told.lines, ["GET user", end]);
    }
    let told = repaired(ours, [not_found()]);
    assert_eq!(told.end(), "end: leaf-user-unknown at precheck");
}

#[test]
fn a_credential_that_becomes_healthy_or_changes_before_it_is_deleted_stays() {
    for (seen, end) in [
        (found("c0", "OK"), "end: attached at remove, created, ours, c0"),
        (found("c9", "invalid"), "end: leaf-credentials-exist at remove, c9"),
    ] {
        let replies = [user_holds("c0", "invalid"), claimed(), kept(), kept(), kept(), seen];
        let told = repaired(found_unhealthy(), replies);
        assert_eq!(told.end(), end);
        assert_eq!(told.count("DELETE credential"), 0);
    }
}

#[test]
fn a_refused_login_leaves_the_unhealthy_credential_alone() {
    let refused = failed(CallErrorKind::LoginRejected, 401);
    let told = repaired(found_unhealthy(), [user_holds("c0", "invalid"), claimed(), refused]);
    assert_eq!(told.end(), "end: stara-login-rejected at authenticate, login refused, c0");
}
