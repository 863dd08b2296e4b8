//! The writer's thread: what it makes durable, in which groups, and what becomes of a failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures::future::join_all;
use futures::poll;

use super::fixtures::*;
use crate::checkpoint::{
    DecidedRow, HeldChange, HeldCredential, Intent, LedgerError, LedgerHandle, LedgerWriter, OutcomeChange,
    Refusal, RefusalChange, SavedEvent, UserKey, UserRecord,
};
use crate::model::{Credential, CredentialId, Dialect, Login, Origin, OutcomeCode, UnixMillis};

fn intent(at: i64) -> Intent {
    Intent {
        at: UnixMillis(at),
        attaches: 2,
        acknowledged: true,
        over_nothing: true,
        replacing: true,
        removing: CredentialId::new("c0"),
        login: None,
        run: Some(1),
    }
}

fn held(id: &str) -> HeldCredential {
    HeldCredential {
        id: CredentialId::new(id).unwrap(),
        ours: true,
        login: Some(Login::new("grower")),
        origin: Some(Origin::Recovered),
        run: Some(1),
    }
}

/// A staged ledger with one user, given to its writer.
struct Written {
    place: Place,
    writer: Option<LedgerWriter>,
    handle: Option<LedgerHandle>,
    key: UserKey,
    run: i64,
}

impl Written {
    fn new() -> (Self, LedgerHandle) {
        let mut place = Place::new();
        let run = place.stage(vec![row(2, 1, 0)]).run;
        let key = place.key_of(1);
        let ledger = std::mem::replace(&mut place.ledger, open(&place.directory));
        let (writer, handle) = LedgerWriter::start(ledger, &[]).unwrap();
        (Self { place, writer: Some(writer), handle: Some(handle.clone()), key, run }, handle)
    }

    /// What another connection sees of the user at this moment.
    fn user(&self) -> UserRecord {
        self.place.ledger.user(id(1)).unwrap().unwrap()
    }

    async fn finish(&mut self) {
        self.writer.take().unwrap().finish(self.handle.take().unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn an_intent_is_there_for_others_as_soon_as_it_was_waited_for() {
    let (written, handle) = Written::new();
    handle.intend(written.key, intent(5)).await.unwrap();
    assert_eq!(written.user().intent, Some(intent(5)));
    let later = Intent { attaches: 0, acknowledged: false, removing: None, ..intent(6) };
    handle.intend(written.key, later.clone()).await.unwrap();
    assert_eq!(written.user().intent, Some(later));
}

#[tokio::test]
async fn an_outcome_comes_back_as_it_was_written_and_closes_the_intent() {
    let (written, handle) = Written::new();
    handle.intend(written.key, intent(5)).await.unwrap();
    let mut finished = change(written.key, written.run, OutcomeCode::LeafCredentialsExist);
    finished.record.outcome.origin = Some(Origin::Replaced);
    finished.record.outcome.credential = Some(Credential::new(Some("c1"), Some("OK")));
    let record = finished.record.clone();
    handle.finish(finished).await.unwrap();
    let user = written.user();
    assert_eq!(user.outcome, Some(record));
    assert_eq!(user.intent, None);
    assert_eq!(user.login, Some(Login::new("grower")));
    assert_eq!((user.row, user.login_print), (Some(prints(1, 0).row), Some(prints(1, 0).login)));
}

#[tokio::test]
async fn an_outcome_may_leave_an_intent_open() {
    let (written, handle) = Written::new();
    let mut finished = change(written.key, written.run, OutcomeCode::AttachUnconfirmed);
    finished.open_intent = Some(intent(9));
    handle.finish(finished).await.unwrap();
    assert_eq!(written.user().intent, Some(intent(9)));
    let code = OutcomeCode::Internal;
    handle.finish_keeping_intent(change(written.key, written.run, code)).await.unwrap();
    assert_eq!(written.user().intent, Some(intent(9)), "nobody knows what became of it");
    assert_eq!(written.user().outcome.unwrap().outcome.code, code);
}

#[tokio::test]
async fn fingerprints_of_another_key_are_not_kept() {
    let (written, handle) = Written::new();
    let finished = change(written.key, written.run, OutcomeCode::Attached);
    handle.finish(finished).await.unwrap();
    let mut finished = change(written.key, written.run, OutcomeCode::Attached);
    finished.row = finished.row.map(|row| DecidedRow { fingerprints: None, ..row });
    handle.finish(finished).await.unwrap();
    assert_eq!((written.user().row, written.user().login_print), (None, None));
}

#[tokio::test]
async fn a_held_credential_outlives_outcomes_that_say_nothing_about_it() {
    let (written, handle) = Written::new();
    let with = |held| {
        let mut finished = change(written.key, written.run, OutcomeCode::Attached);
        finished.held = held;
        finished
    };
    handle.finish(with(HeldChange::Holds(held("c1")))).await.unwrap();
    assert_eq!(written.user().held, Some(held("c1")));
    handle.finish(with(HeldChange::Leave)).await.unwrap();
    assert_eq!(written.user().held, Some(held("c1")));
    let found = HeldCredential { ours: false, login: None, origin: None, ..held("c2") };
    handle.finish(with(HeldChange::Holds(found.clone()))).await.unwrap();
    assert_eq!(written.user().held, Some(found));
    handle.finish(with(HeldChange::Nothing)).await.unwrap();
    assert_eq!(written.user().held, None, "it was seen gone");
}

#[tokio::test]
async fn an_outcome_without_a_row_leaves_what_was_decided_of_the_row_before() {
    let (written, handle) = Written::new();
    handle.finish(change(written.key, written.run, OutcomeCode::Attached)).await.unwrap();
    let decided = written.user();
    let detached = OutcomeChange { row: None, ..change(written.key, written.run, OutcomeCode::Detached) };
    handle.finish(detached).await.unwrap();
    let user = written.user();
    assert_eq!((&user.login, user.row, user.login_print), (&decided.login, decided.row, decided.login_print));
    assert_eq!(user.outcome.unwrap().outcome.code, OutcomeCode::Detached);
}

#[tokio::test]
async fn a_refusal_is_remembered_and_withdrawn() {
    let (mut written, handle) = Written::new();
    let login = prints(1, 0).login;
    let refusal = |status| Refusal { login, http_status: Some(status), at: UnixMillis(3) };
    let with = |refusal| {
        let mut finished = change(written.key, written.run, OutcomeCode::StaraLoginRejected);
        finished.refusal = refusal;
        finished
    };
    let changes = [
        (with(RefusalChange::Add(refusal(401))), Some(refusal(401))),
        (with(RefusalChange::Add(refusal(403))), Some(refusal(403))),
        (with(RefusalChange::Leave), Some(refusal(403))),
        (with(RefusalChange::Withdraw(login)), None),
    ];
    for (change, expected) in changes {
        handle.finish(change).await.unwrap();
        let mut remembered = None;
        written.place.stage_deciding(vec![row(2, 1, 0)], |_, user| {
            remembered = user.refusal;
            crate::checkpoint::LineDecision::ToDo
        });
        assert_eq!(remembered, expected);
    }
}

#[tokio::test]
async fn saved_events_are_kept_once_each() {
    let (written, handle) = Written::new();
    let event =
        |id: &str| SavedEvent { id: id.to_owned(), created: "2026".to_owned(), status_code: Some(401) };
    handle.save_events(written.key, vec![event("e1"), event("e2")]).await.unwrap();
    handle.save_events(written.key, vec![event("e2")]).await.unwrap();
    assert_eq!(written.place.ledger.events_of(id(1)).unwrap(), [event("e1"), event("e2")]);
}

#[tokio::test]
async fn a_login_that_succeeded_is_remembered_for_its_dialect_only() {
    let (written, handle) = Written::new();
    handle.login_succeeded(Dialect::Form).await.unwrap();
    assert!(written.place.ledger.has_login_succeeded(Dialect::Form).unwrap());
    assert!(!written.place.ledger.has_login_succeeded(Dialect::Json).unwrap());
}

#[tokio::test]
async fn whatever_is_queued_is_committed_at_once() {
    let mut place = Place::new();
    place.stage(rows(2, 200));
    let keys: Vec<UserKey> = (0..200).map(|user| place.key_of(user)).collect();
    let commits = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&commits);
    let hook = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    place.ledger.connection.commit_hook(Some(hook)).unwrap();
    let other = open(&place.directory);
    let (writer, handle) = LedgerWriter::start(place.ledger, &[]).unwrap();

    // While somebody else writes, the writer has to wait with its first group, and the others queue up behind it.
    other.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut all = Box::pin(join_all(keys.iter().map(|key| handle.intend(*key, intent(1)))));
    assert!(poll!(&mut all).is_pending());
    other.connection.execute_batch("COMMIT").unwrap();
    assert!(all.await.iter().all(Result::is_ok));

    let ledger = writer.finish(handle).await.unwrap();
    let committed = commits.load(Ordering::Relaxed);
    assert!((1..=2).contains(&committed), "{committed} commits for 200 intents");
    for user in 0..200 {
        assert_eq!(ledger.user(id(user)).unwrap().unwrap().intent, Some(intent(1)));
    }
}

#[tokio::test]
async fn everything_handed_over_is_written_before_the_ledger_is_given_back() {
    let (mut written, handle) = Written::new();
    let key = written.key;
    let waiting = tokio::spawn(async move { handle.intend(key, intent(4)).await });
    waiting.await.unwrap().unwrap();
    written.finish().await;
    assert_eq!(written.user().intent, Some(intent(4)));
}

#[tokio::test]
async fn a_write_nobody_waits_for_any_more_does_no_harm() {
    let (mut written, handle) = Written::new();
    {
        let mut cancelled = Box::pin(handle.intend(written.key, intent(4)));
        let _ = poll!(&mut cancelled);
    }
    handle.intend(written.key, intent(5)).await.unwrap();
    drop(handle);
    written.finish().await;
    assert_eq!(written.user().intent, Some(intent(5)));
}

#[tokio::test]
async fn a_commit_that_fails_is_reported_takes_nothing_over_and_closes_the_queue() {
    let (mut written, handle) = Written::new();
    written.place.ledger.connection.execute_batch("DROP TABLE refusals").unwrap();
    let mut finished = change(written.key, written.run, OutcomeCode::StaraLoginRejected);
    let login = prints(1, 0).login;
    finished.refusal = RefusalChange::Add(Refusal { login, http_status: None, at: UnixMillis(0) });
    let error = handle.finish(finished).await.unwrap_err();
    assert!(error.is_unwritable());
    assert!(error.to_string().contains("no such table: refusals"), "{error}");
    assert_eq!(written.user().outcome, None, "the half that could be written isn't there");

    let error = handle.intend(written.key, intent(1)).await.unwrap_err();
    assert!(matches!(error, LedgerError::WriterGone { .. }), "{error:?}");
    assert_eq!(written.user().intent, None);
    drop(handle);
    written.finish().await;
}

#[tokio::test]
async fn a_group_that_fails_fails_for_everybody_in_it() {
    let mut place = Place::new();
    let run = place.stage(rows(2, 3)).run;
    let keys = [0, 1, 2].map(|user| place.key_of(user));
    let other = open(&place.directory);
    place.ledger.connection.execute_batch("DROP TABLE refusals").unwrap();
    let (_writer, handle) = LedgerWriter::start(place.ledger, &[]).unwrap();
    other.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut bad = change(keys[1], run, OutcomeCode::StaraLoginRejected);
    bad.refusal = RefusalChange::Withdraw(prints(1, 0).login);
    let mut all = Box::pin(futures::future::join3(
        handle.finish(bad),
        handle.finish(change(keys[0], run, OutcomeCode::Attached)),
        handle.intend(keys[2], intent(1)),
    ));
    assert!(poll!(&mut all).is_pending());
    other.connection.execute_batch("COMMIT").unwrap();
    let (first, second, third) = all.await;
    assert!(first.is_err() && second.is_err() && third.is_err());
    for user in 0..3 {
        let user = other.user(id(user)).unwrap().unwrap();
        assert_eq!((user.outcome, user.intent), (None, None));
    }
}
