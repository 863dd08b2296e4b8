//! An attach of an earlier run, found when the row has another login than the attach had.

use super::story::*;
use crate::api::CallErrorKind;
use crate::http::Unreached;
use crate::model::CredentialId;
use crate::pipeline::journey::{Event, JourneyStart, PriorIntent};

/// An attach of five minutes ago with the login of that time.
fn of_another_login() -> JourneyStart {
    resumed(PriorIntent { other_login: true, ..one_attach(300) })
}

fn granted() -> Event {
    Event::ChangeClaimed(true)
}

fn earlier(told: &Told) -> Option<&str> {
    told.finish.earlier.as_ref().map(CredentialId::as_str)
}

#[test]
fn its_credential_is_replaced_like_one_whose_login_changed() {
    let tokens_and_events = [kept(), kept(), kept()];
    let replacing = [found("c1", "OK"), removed(), absent(), created("c2"), found("c2", "OK")];
    let replies = [found("c1", "OK"), granted()].into_iter().chain(tokens_and_events).chain(replacing);
    let told = tell(rules(), of_another_login(), replies);
    assert_eq!(told.end(), "end: attached at verify, replaced, ours, c2");
    assert!(told.finish.keep_intent.is_none());
}

#[test]
fn an_attach_that_leaf_confirmed_is_replaced_as_well() {
    let intent = PriorIntent { other_login: true, acknowledged: true, ..one_attach(300) };
    let told = tell(rules(), resumed(intent), [found("c1", "OK"), Event::ChangeClaimed(false)]);
    assert_eq!((told.end(), earlier(&told)), ("end: not-reached at precheck, c1", Some("c1")));
}

#[test]
fn whatever_keeps_it_from_being_replaced_its_credential_is_remembered_as_the_earlier_logins() {
    let rejected = failed(CallErrorKind::LoginRejected, 401);
    let told = tell(rules(), of_another_login(), [found("c1", "OK"), granted(), rejected]);
    assert_eq!(
        (told.end(), earlier(&told)),
        ("end: stara-login-rejected at authenticate, login refused, c1", Some("c1"))
    );
    assert!(told.finish.keep_intent.is_none() && told.finish.refused);
}

#[test]
fn where_it_left_nothing_the_row_is_attached_with_its_own_login() {
    let replies = [absent(), kept(), kept(), created("c2"), found("c2", "OK")];
    let told = tell(rules(), of_another_login(), replies);
    assert_eq!((told.end(), earlier(&told)), ("end: attached at verify, created, ours, c2", None));
}

#[test]
fn a_credential_that_may_be_somebody_elses_is_kept_and_not_called_attached() {
    let intent = PriorIntent { other_login: true, over_nothing: false, ..one_attach(300) };
    let told = tell(rules(), resumed(intent), [found("c1", "OK")]);
    assert_eq!((told.end(), earlier(&told)), ("end: already-attached at precheck, found, c1", None));
}

/// A deletion of c1, which an attach of the earlier login had left, announced and left open five minutes ago.
fn being_removed(other_login: bool) -> JourneyStart {
    let removing = CredentialId::new("c1");
    resumed(PriorIntent { attaches: 0, replacing: true, removing, other_login, ..one_attach(300) })
}

#[test]
fn a_run_that_dies_while_it_deletes_it_leaves_word_that_it_is_ours_and_the_earlier_logins() {
    for start in [of_another_login(), being_removed(true)] {
        let tokens_and_events = [kept(), kept(), kept()];
        let removing = [found("c1", "OK"), failed(CallErrorKind::Unreachable(Unreached::Refused), 0)];
        let replies = [found("c1", "OK"), granted()].into_iter().chain(tokens_and_events).chain(removing);
        let told = tell(
            rules(),
            start,
            replies.chain((1..4).map(|_| failed(CallErrorKind::Unreachable(Unreached::Refused), 0))),
        );
        assert_eq!(told.count("intent: deletion, over nothing, replacing c1"), 4);
        assert_eq!(earlier(&told), Some("c1"));
    }
}

#[test]
fn it_is_kept_when_the_row_has_the_earlier_login_again() {
    let told = tell(rules(), being_removed(false), [found("c1", "OK")]);
    assert_eq!(told.end(), "end: attached at precheck, recovered, ours, c1");
}

#[test]
fn once_it_is_gone_nothing_says_any_more_whose_it_was() {
    let rejected = failed(CallErrorKind::LoginRejected, 401);
    let told = tell(rules(), being_removed(true), [absent(), rejected]);
    assert_eq!(told.end(), "end: credential-removed at authenticate, login refused");
    assert_eq!(told.count("stays open: deletion, replacing c1"), 1);
}
