//! Repairing: only what is still ours and unhealthy makes way.

use std::time::Duration;

use super::story::*;
use crate::api::CallErrorKind;
use crate::model::CredentialId;
use crate::pipeline::journey::{Effect, Event, Journey, JourneyStart, OnExisting, PriorIntent};

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
    let told = repaired(ours.clone(), [user_holds("c0", "OK")]);
    assert_eq!(told.lines, ["GET user", "end: attached at precheck, created, ours, c0"]);
    for (start, seen, why) in [
        (&ours, user_holds("c9", "invalid"), "isn't the one we attached"),
        (&ours, user_holds("c9", "OK"), "isn't the one we attached"),
        (&ours, no_credential(), "gone"),
        (&not_ours, user_holds("c0", "invalid"), "isn't the one we attached"),
        (&unknown, user_holds("c0", "invalid"), "isn't the one we attached"),
        // A healthy credential isn't replaced by a repair, even where a run would.
        (&changed, user_holds("c0", "OK"), "a run replaces it"),
    ] {
        assert!(left(start, [seen]).contains(why), "{why}");
    }
    let told = repaired(ours, [not_found()]);
    assert_eq!(told.end(), "end: leaf-user-unknown at precheck");
}

/// Why a row is left as it stands.
fn left(start: &JourneyStart, replies: impl IntoIterator<Item = Event>) -> String {
    let mut journey = Journey::new(with_existing(OnExisting::Repair), start.clone());
    let mut effect = journey.on(Event::Begun, Duration::ZERO);
    for reply in replies {
        assert!(!matches!(effect, Effect::SendIntended(..)), "{effect:?}");
        effect = journey.on(reply, Duration::ZERO);
    }
    match effect {
        Effect::Leave(why) => why.into_owned(),
        effect => panic!("it isn't left: {effect:?}"),
    }
}

#[test]
fn beyond_the_bound_or_without_a_key_what_is_due_is_left_as_it_stands() {
    for (answer, why) in [(Event::ChangeClaimed(false), "--max-changes"), (Event::KeyLost, "key")] {
        assert!(left(&found_unhealthy(), [user_holds("c0", "invalid"), answer]).contains(why));
    }
}

#[test]
fn a_replacement_that_was_begun_is_settled_even_where_nothing_is_to_be_repaired_any_more() {
    let intent =
        PriorIntent { attaches: 0, replacing: true, removing: CredentialId::new("c0"), ..one_attach(200) };
    let begun = || JourneyStart { intent: Some(intent.clone()), ..found_unhealthy() };
    // The deletion had no effect, and the credential is healthy by now, or its login changed.
    let resume = |last| [found("c0", "invalid"), claimed(), kept(), kept(), kept(), last];
    let told = repaired(begun(), resume(found("c0", "OK")));
    assert_eq!(told.end(), "end: attached at remove, created, ours, c0");
    let changed = JourneyStart { login_changed: true, ..begun() };
    let told = repaired(changed, resume(found("c0", "OK")));
    assert_eq!(told.end(), "end: not-reached at remove, c0");
    assert!(told.finish.keep_intent.is_none());
    // It had, and somebody else attached another one, or nobody did.
    let told = repaired(begun(), [found("c9", "OK")]);
    assert_eq!(told.end(), "end: leaf-credentials-exist at remove, c9");
    let told = repaired(begun(), [absent(), kept(), kept(), created("c1"), found("c1", "OK")]);
    assert_eq!(told.end(), "end: attached at verify, replaced, ours, c1");
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
