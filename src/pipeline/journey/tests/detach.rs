//! Taking a credential away, with every point at which it can be cut short, and what any later run makes of it.

use std::time::Duration;

use super::story::*;
use crate::api::CallErrorKind;
use crate::model::{CredentialId, OutcomeCode};
use crate::pipeline::journey::{Effect, Event, Goal, Journey, JourneyStart, OnExisting, PriorIntent};

const DETACHED: Goal = Goal::Detached { include_foreign: false };

fn claimed() -> Event {
    Event::ChangeClaimed(true)
}

/// A user that is known to hold this, and is to lose it.
fn holding(id: &str, ours: bool) -> JourneyStart {
    JourneyStart { goal: DETACHED, known: Some(known(id, ours)), ..JourneyStart::default() }
}

/// A user with this in the open, and is to lose what it holds.
fn after(intent: PriorIntent) -> JourneyStart {
    JourneyStart { goal: DETACHED, ..resumed(intent) }
}

/// The open deletion of a `detach`, so and so many seconds old.
fn open_detachment(seconds: u64) -> PriorIntent {
    PriorIntent { attaches: 0, over_nothing: false, removing: CredentialId::new("c0"), ..one_attach(seconds) }
}

fn up_to_removal() -> Vec<Event> {
    vec![user_holds("c0", "OK"), claimed(), kept(), found("c0", "OK")]
}

fn detached(replies: impl IntoIterator<Item = Event>) -> Told {
    tell(rules(), holding("c0", true), up_to_removal().into_iter().chain(replies))
}

#[test]
fn ours_is_looked_at_saved_seen_again_deleted_and_seen_gone() {
    let told = detached([removed(), absent()]);
    assert_eq!(
        told.lines,
        [
            "GET user",
            "claim a change",
            "GET events",
            "GET credential",
            "intent: deletion, taking away c0",
            "DELETE credential",
            "GET credential",
            "end: detached at remove",
        ]
    );
    assert!(told.finish.keep_intent.is_none());
}

#[test]
fn a_user_without_a_credential_is_detached_once_the_credential_itself_was_asked_for() {
    for rules in [rules(), without_precheck()] {
        let told = tell(rules, holding("c0", true), [no_credential(), absent()]);
        assert_eq!(told.lines, ["GET user", "GET credential", "end: detached at precheck"]);
    }
    // Its object embedded none, and it is there all the same.
    let told = tell(rules(), holding("c0", false), [no_credential(), found("c0", "OK")]);
    assert_eq!(told.end(), "end: leaf-credentials-exist at precheck, c0");
    let told = tell(rules(), holding("c0", true), [user_holds_something(), absent()]);
    assert_eq!(told.lines, ["GET user", "GET credential", "end: detached at precheck"]);
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let starts = [
        holding("c0", false),
        holding("another", true),
        JourneyStart { goal: DETACHED, ..JourneyStart::default() },
    ];
    for start in starts {
        let told = tell(rules(), start, [user_holds("c0", "OK")]);
        assert_eq!(told.lines, ["GET user", "end: leaf-credentials-exist at precheck, c0"]);
    }
}

#[test]
fn what_is_not_ours_goes_when_that_is_asked_for() {
    let goal = Goal::Detached { include_foreign: true };
    let start = JourneyStart { goal, ..JourneyStart::default() };
    let told = tell(rules(), start, up_to_removal().into_iter().chain([removed(), absent()]));
    assert_eq!(told.end(), "end: detached at remove");
}

#[test]
fn an_unhealthy_credential_of_ours_goes_like_a_healthy_one() {
    let replies =
        [user_holds("c0", "invalid"), claimed(), kept(), found("c0", "invalid"), removed(), absent()];
    assert_eq!(tell(rules(), holding("c0", true), replies).end(), "end: detached at remove");
}

#[test]
fn nothing_is_deleted_that_was_exchanged_or_went_by_itself_meanwhile() {
    let start = || holding("c0", true);
    let told = tell(rules(), start(), [user_holds("c0", "OK"), claimed(), kept(), found("c9", "OK")]);
    assert_eq!(told.end(), "end: leaf-credentials-exist at remove, c9");
    assert_eq!(told.count("DELETE credential"), 0);
    let told = tell(rules(), start(), [user_holds("c0", "OK"), claimed(), kept(), absent()]);
    assert_eq!(told.end(), "end: detached at remove");
    assert_eq!(told.count("DELETE credential"), 0);
    let told = detached([removed(), found("c9", "OK")]);
    assert_eq!(told.end(), "end: leaf-credentials-exist at remove, c9");
}

#[test]
fn a_user_that_leaf_does_not_know_or_hides_is_left_alone() {
    let told = tell(rules(), holding("c0", true), [not_found()]);
    assert_eq!(told.end(), "end: leaf-user-unknown at precheck");
    let told = tell(rules(), holding("c0", true), [failed(CallErrorKind::Forbidden, 403)]);
    assert_eq!(told.end(), "end: leaf-user-forbidden at precheck");
    let told = detached([failed(CallErrorKind::Forbidden, 403)]);
    assert_eq!(told.end(), "end: leaf-user-forbidden at remove, c0");
    assert!(told.finish.keep_intent.is_none());
}

#[test]
fn a_deletion_with_an_unknown_result_settles_before_it_is_looked_for() {
    let told = detached([lost(), absent()]);
    assert_eq!(
        told.lines[5..],
        ["DELETE credential", "park 120s", "GET credential", "end: detached at remove"]
    );
    for unknown in [lost, server_error] {
        assert_eq!(detached([unknown(), absent()]).end(), "end: detached at remove");
    }
}

#[test]
fn a_deletion_that_settled_without_effect_is_sent_once_more_and_then_no_more() {
    let told = detached([lost(), found("c0", "OK"), removed(), absent()]);
    assert_eq!((told.count("DELETE credential"), told.count("park 120s")), (2, 1));
    assert_eq!(told.end(), "end: detached at remove");
    let told = detached([lost(), found("c0", "OK"), lost(), found("c0", "OK")]);
    assert_eq!((told.count("DELETE credential"), told.count("park 120s")), (2, 2));
    assert_eq!(told.end(), "end: leaf-unavailable at remove, c0");
    assert!(told.finish.keep_intent.is_none(), "it settled, and the credential is as it was");
}

#[test]
fn a_deletion_that_cannot_be_seen_to_have_taken_effect_stays_open() {
    let told = detached([lost(), server_error(), server_error(), server_error(), server_error()]);
    assert_eq!(told.end(), "end: detach-unconfirmed at remove, c0");
    let told = detached([removed()].into_iter().chain((0..10).map(|_| found("c0", "OK"))));
    assert_eq!(told.end(), "end: detach-unconfirmed at remove");
    assert_eq!(told.lines.last().unwrap(), "stays open: deletion, taking away c0");
    let told = detached([failed(CallErrorKind::Unexpected, 418)]);
    assert_eq!(told.end(), "end: detach-unconfirmed at remove, c0", "nobody knows what 418 means");
}

#[test]
fn a_deletion_that_was_surely_not_processed_is_sent_again_at_once() {
    let told = detached([unreachable(), throttled(), removed(), absent()]);
    assert_eq!((told.count("DELETE credential"), told.count("park 120s")), (3, 0));
    assert_eq!(told.end(), "end: detached at remove");
}

#[test]
fn beyond_the_bound_of_changes_the_user_is_left_as_it_stands() {
    for (answer, why) in [(Event::ChangeClaimed(false), "--max-changes"), (Event::KeyLost, "fingerprint key")]
    {
        let mut journey = Journey::new(rules(), holding("c0", true));
        journey.on(Event::Begun, Duration::ZERO);
        journey.on(user_holds("c0", "OK"), Duration::ZERO);
        match journey.on(answer, Duration::ZERO) {
            Effect::Leave(said) => assert!(said.contains(why), "{said}"),
            effect => panic!("{effect:?}"),
        }
    }
}

#[test]
fn whatever_is_in_the_open_settles_first() {
    let replacement = PriorIntent { attaches: 0, replacing: true, ..open_detachment(20) };
    for intent in [one_attach(20), replacement, open_detachment(20)] {
        let told = tell(rules(), after(intent), [no_credential(), absent()]);
        assert_eq!(told.lines, ["park 100s", "GET user", "GET credential", "end: detached at precheck"]);
    }
    let told = tell(rules(), after(open_detachment(120)), [no_credential(), absent()]);
    assert_eq!(told.lines, ["GET user", "GET credential", "end: detached at precheck"]);
    let unknown_age = PriorIntent { age: None, ..open_detachment(0) };
    let told = tell(rules(), after(unknown_age), [no_credential(), absent()]);
    assert_eq!(told.lines[0], "park 120s");
}

#[test]
fn what_an_open_attach_made_is_ours_and_stays_known_as_such() {
    let told =
        tell(rules(), after(one_attach(120)), up_to_removal().into_iter().chain([removed(), absent()]));
    assert_eq!(told.lines[4], "intent: deletion, over nothing, taking away c0");
    assert_eq!(told.end(), "end: detached at remove");

    // Killed behind that deletion: whoever goes on knows it still.
    let taken_back = PriorIntent { over_nothing: true, ..open_detachment(120) };
    let told = tell(rules(), after(taken_back), up_to_removal().into_iter().chain([removed(), absent()]));
    assert_eq!(told.end(), "end: detached at remove");

    let forbidden = failed(CallErrorKind::Forbidden, 403);
    let told = tell(rules(), after(one_attach(120)), up_to_removal().into_iter().chain([forbidden]));
    assert_eq!(told.finish.earlier, CredentialId::new("c0"), "the proof outlives the intent");
}

#[test]
fn an_attach_that_met_a_credential_or_a_replaced_one_that_is_back_proves_nothing() {
    let not_over_nothing = PriorIntent { over_nothing: false, ..one_attach(120) };
    let told = tell(rules(), after(not_over_nothing), [user_holds("c0", "OK")]);
    assert_eq!(told.end(), "end: leaf-credentials-exist at precheck, c0");
    let replaced = PriorIntent { replacing: true, removing: CredentialId::new("c0"), ..one_attach(120) };
    let told = tell(rules(), after(replaced), [user_holds("c0", "OK")]);
    assert_eq!(told.end(), "end: leaf-credentials-exist at precheck, c0");
}

#[test]
fn a_look_that_fails_says_nothing_about_what_is_in_the_open() {
    let replacement = PriorIntent { attaches: 0, replacing: true, ..open_detachment(120) };
    let cases = [
        (one_attach(120), OutcomeCode::AttachUnconfirmed),
        (replacement, OutcomeCode::CredentialRemoved),
        (open_detachment(120), OutcomeCode::DetachUnconfirmed),
    ];
    for (intent, code) in cases {
        let told = tell(rules(), after(intent), [(); 4].map(|()| server_error()));
        assert_eq!(told.finish.outcome.code, code);
        assert!(told.finish.keep_intent.is_some());
    }
}

#[test]
fn a_run_never_attaches_because_of_an_open_detachment() {
    let told = tell(rules(), resumed(open_detachment(20)), [no_credential(), absent()]);
    assert_eq!(told.lines, ["park 100s", "GET user", "GET credential", "end: detached at precheck"]);
    let told = tell(without_precheck(), resumed(open_detachment(120)), [no_credential(), absent()]);
    assert_eq!(told.lines, ["GET user", "GET credential", "end: detached at precheck"]);
    let told = tell(rules(), resumed(open_detachment(120)), [(); 4].map(|()| server_error()));
    assert_eq!(told.end(), "end: detach-unconfirmed at precheck");
    assert!(told.finish.keep_intent.is_some());
    let told = tell(rules(), resumed(open_detachment(120)), [not_found()]);
    assert_eq!(told.end(), "end: leaf-user-unknown at precheck");
    assert!(told.finish.keep_intent.is_some(), "the user may come back");
}

#[test]
fn a_run_that_finds_the_credential_goes_on_from_there() {
    let start = JourneyStart { known: Some(known("c0", true)), ..resumed(open_detachment(120)) };
    let told = tell(rules(), start, [user_holds("c0", "OK")]);
    assert_eq!(told.lines, ["GET user", "end: attached at precheck, created, ours, c0"]);
    let taken_back = PriorIntent { over_nothing: true, ..open_detachment(120) };
    let told = tell(with_existing(OnExisting::Fail), resumed(taken_back.clone()), [user_holds("c0", "OK")]);
    assert_eq!(told.lines, ["GET user", "end: attached at precheck, recovered, ours, c0"]);
    // Seed 487222 of `leaving`: the intent is closed, and the credential is still known as ours.
    let start = JourneyStart { login_changed: true, ..resumed(taken_back) };
    let told = tell(rules(), start, [user_holds("c0", "OK"), Event::ChangeClaimed(false)]);
    assert_eq!(told.end(), "end: not-reached at precheck, c0");
    assert_eq!(told.finish.earlier, CredentialId::new("c0"));
}

#[test]
fn somebody_elses_credential_that_took_the_place_of_one_that_was_taken_back_is_not_ours() {
    let taken_back = || PriorIntent { over_nothing: true, ..open_detachment(120) };
    let told = tell(rules(), after(taken_back()), [user_holds("c9", "OK")]);
    assert_eq!(told.lines, ["GET user", "end: leaf-credentials-exist at precheck, c9"]);
    let told = tell(rules(), resumed(taken_back()), [user_holds("c9", "OK")]);
    assert_eq!(told.lines, ["GET user", "end: already-attached at precheck, found, c9"]);
}
