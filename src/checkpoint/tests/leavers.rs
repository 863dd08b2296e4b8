//! Whose credentials are to be taken away: counted beforehand, staged without a password, and found by the run that attached.

use super::fixtures::*;
use crate::checkpoint::{
    HeldChange, HeldCredential, Intent, LeaverCounts, LedgerWriter, LineContent, LineCursor, LineDecision,
    OutcomeChange, StagedLine, UserKey,
};
use crate::model::{CredentialId, LeafUserId, OutcomeCode, UnixMillis};

fn users(lines: &[(u64, u8)]) -> Vec<StagedLine> {
    let line = |&(line, user): &(u64, u8)| StagedLine {
        line,
        content: LineContent::User(id(user)),
        kept: Vec::new(),
    };
    lines.iter().map(line).collect()
}

fn held(ours: bool, run: i64) -> HeldChange {
    let id = CredentialId::new("c1").unwrap();
    HeldChange::Holds(HeldCredential { id, ours, login: None, origin: None, run: Some(run) })
}

fn intent(run: i64, attaches: u32, over_nothing: bool) -> Intent {
    Intent {
        at: UnixMillis(1),
        attaches,
        acknowledged: false,
        over_nothing,
        replacing: false,
        removing: None,
        login: None,
        run: Some(run),
    }
}

/// A ledger whose users, from 1 on, are as these changes leave them.
async fn place<const USERS: usize>(changes: [fn(OutcomeChange) -> OutcomeChange; USERS]) -> Place {
    let mut place = Place::new();
    let lines: Vec<_> = (1..).zip(&changes).map(|(user, _)| row(u64::from(user) + 1, user, 0)).collect();
    let run = place.stage(lines).run;
    let keys: Vec<UserKey> = (1..).zip(&changes).map(|(user, _)| place.key_of(user)).collect();
    let (writer, handle) = LedgerWriter::start(place.ledger, &[]).unwrap();
    for (key, with) in keys.into_iter().zip(changes) {
        handle.finish(with(change(key, run, OutcomeCode::Attached))).await.unwrap();
    }
    place.ledger = writer.finish(handle).await.unwrap();
    place
}

fn count(place: &Place, users: impl IntoIterator<Item = u8>) -> LeaverCounts {
    let users = users.into_iter().map(|user| Ok::<LeafUserId, std::convert::Infallible>(id(user)));
    place.ledger.count_leavers(users).unwrap()
}

#[tokio::test]
async fn every_user_is_counted_once_by_what_is_known_of_it() {
    let place = place([
        |change| OutcomeChange { held: held(true, 1), ..change },
        |change| OutcomeChange { held: held(false, 1), ..change },
        |change| OutcomeChange { held: held(true, 1), open_intent: Some(intent(1, 1, true)), ..change },
        |change| {
            let mut change = OutcomeChange { held: HeldChange::Nothing, ..change };
            change.record.outcome.code = OutcomeCode::Detached;
            change
        },
        |change| change,
    ])
    .await;
    let counts = LeaverCounts { ours: 1, replaced: 0, not_ours: 1, open: 1, gone: 1, unknown: 2 };
    assert_eq!(count(&place, [1, 2, 3, 4, 5, 77, 1, 2, 3, 4, 5, 77]), counts);
    assert_eq!(count(&place, []), LeaverCounts::default());
    assert_eq!(count(&place, [1]).ours, 1, "one count says nothing to the next");
    assert!(place.ledger.user(id(77)).unwrap().is_none(), "whom nobody has met stays unknown");
}

#[tokio::test]
async fn a_run_attached_those_that_hold_what_it_attached_and_perhaps_those_in_the_open() {
    let place = place([
        |change| OutcomeChange { held: held(true, 1), ..change },
        |change| OutcomeChange { held: held(true, 2), ..change },
        |change| OutcomeChange { held: held(false, 1), ..change },
        |change| OutcomeChange { open_intent: Some(intent(1, 1, false)), ..change },
        |change| OutcomeChange { open_intent: Some(intent(2, 1, true)), ..change },
        // An attach of the first run that was being taken back, and a deletion that was not.
        |change| OutcomeChange { open_intent: Some(intent(1, 0, true)), ..change },
        |change| OutcomeChange { open_intent: Some(intent(1, 0, false)), ..change },
        |change| change,
    ])
    .await;
    assert_eq!(place.ledger.users_attached_in(1).unwrap(), [1, 4, 6].map(id));
    assert_eq!(place.ledger.users_attached_in(2).unwrap(), [2, 5].map(id));
    assert_eq!(place.ledger.users_attached_in(3).unwrap(), []);
    assert_eq!(place.ledger.run_numbered(1).unwrap().unwrap().run, 1);
    assert!(place.ledger.run_numbered(2).unwrap().is_none());
}

#[tokio::test]
async fn users_are_staged_with_the_login_that_the_ledger_knows_and_handed_on_by_their_ids() {
    let mut place = place([|change| OutcomeChange { held: held(true, 1), ..change }]).await;
    let totals = place.stage_deciding(users(&[(2, 1), (3, 9), (4, 1), (7, 1)]), |row, user| {
        assert!(row.is_none());
        if user.record.is_some() { LineDecision::ToDo } else { LineDecision::Keep }
    });
    assert_eq!((totals.lines, totals.to_do, totals.duplicate, totals.conflict), (4, 1, 2, 0));
    let results: Vec<_> = place
        .ledger
        .with_results(totals.run, |lines| {
            lines.map(|line| line.unwrap()).map(|line| (line.line, line.login.is_some())).collect()
        })
        .unwrap();
    assert_eq!(results, [(2, true), (3, false), (4, true), (7, true)]);
    let path = place.directory.path().join("ledger.db");
    let mut cursor = LineCursor::open(&path, approach("password"), totals.run).unwrap();
    let entries: Vec<_> = std::iter::from_fn(|| cursor.next_line().unwrap()).collect();
    let to_do: Vec<_> = entries
        .iter()
        .filter(|entry| entry.user.is_some())
        .map(|entry| (entry.line, entry.leaf_user_id))
        .collect();
    assert_eq!(to_do, [(2, Some(id(1)))]);
}
