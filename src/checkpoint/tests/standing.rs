//! Which ledger a run may use, and which of its refusals stand.

use super::fixtures::*;
use crate::checkpoint::{
    Approach, FingerprintKey, KeyStanding, Ledger, LedgerAccess, LedgerError, LedgerWriter, LineCursor,
    LineDecision, OutcomeChange, Refusal, RefusalChange, RunStart, StagedRow, StagedUser, Target,
};
use crate::model::{OutcomeCode, UnixMillis};

/// Opens the ledger of a place for these hosts.
fn reopen(place: &Place, leaf: &str) -> Result<Ledger, LedgerError> {
    let target = Target::new("https://stara.example", leaf);
    Ledger::open(&place.directory.path().join("ledger.db"), LedgerAccess::Run(&target))
}

#[test]
fn a_ledger_belongs_to_the_hosts_of_its_first_staging() {
    let mut place = Place::new();
    place.stage(rows(2, 1));
    assert!(reopen(&place, "https://leaf.example").is_ok());
    let error = reopen(&place, "https://leaf2.example").unwrap_err();
    assert!(matches!(error, LedgerError::OtherTarget { .. }), "{error}");
}

#[test]
fn a_staging_that_fails_binds_a_new_ledger_to_no_hosts() {
    let mut place = Place::new();
    let lines = [Ok(row(2, 1, 0)), Err("cut off")].into_iter();
    place.ledger.stage(&start(), lines, |_, _| LineDecision::ToDo).unwrap_err();
    assert_eq!(place.ledger.target().unwrap(), None);
    place.ledger = reopen(&place, "https://leaf2.example").unwrap();
    place.stage(rows(2, 1));
    let target = place.ledger.target().unwrap().unwrap();
    assert!(target.to_string().ends_with("Leaf at https://leaf2.example"), "{target}");
}

/// What is told of the refusal of user 1 to whoever decides, and then beside the second reading: whether it stands, and
/// whether it is open again.
fn standing(place: &mut Place, approach: Approach) -> [(bool, bool); 2] {
    let mut staged = None;
    let lines = [Ok::<_, std::convert::Infallible>(row(2, 1, 0))].into_iter();
    let decide = |_: Option<&StagedRow>, user: &StagedUser| {
        staged = Some((user.refusal.is_some(), user.is_reopened));
        LineDecision::ToDo
    };
    place.ledger.stage(&RunStart { approach, ..start() }, lines, decide).unwrap();
    let mut cursor = LineCursor::open(&place.directory.path().join("ledger.db"), approach, 0).unwrap();
    let entry = cursor.next_line().unwrap().unwrap();
    [staged.unwrap(), (entry.is_refused, entry.is_reopened)]
}

#[tokio::test]
async fn a_refusal_in_doubt_stands_only_for_those_who_ask_in_the_same_way() {
    let (stands, is_reopened, unknown) = ([(true, false); 2], [(false, true); 2], [(false, false); 2]);
    let mut place = Place::new();
    let run = place.stage(rows(2, 2)).run;
    assert_eq!(standing(&mut place, approach("password")), unknown);
    let refused = OutcomeChange {
        refusal: RefusalChange::Add(Refusal {
            login: prints(1, 0).login,
            http_status: Some(401),
            at: UnixMillis(0),
        }),
        ..change(place.key_of(1), run, OutcomeCode::StaraLoginRejected)
    };
    let (writer, handle) = LedgerWriter::start(place.ledger, &[]).unwrap();
    handle.finish(refused).await.unwrap();
    place.ledger = writer.finish(handle).await.unwrap();
    assert_eq!(standing(&mut place, approach("password")), stands, "an ordinary one stands");
    assert_eq!(standing(&mut place, approach("pin")), stands, "however Stara is asked");

    for (of_run, asked, expected) in [
        (run + 1, Some(approach("password")), stands),
        (run, Some(approach("password")), is_reopened),
        (run, None, stands),
    ] {
        let (writer, handle) = LedgerWriter::start(place.ledger, &[]).unwrap();
        handle.doubt_refusals(of_run, asked).await.unwrap();
        place.ledger = writer.finish(handle).await.unwrap();
        assert_eq!(standing(&mut place, approach("pin")), expected, "{of_run} {asked:?}");
        assert_eq!(standing(&mut place, approach("password")), stands);
    }
}

#[test]
fn a_ledger_of_the_first_version_is_brought_up_and_its_refusals_stand() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    // As the first release made it, with its target, one user whom Stara refused and one that was attached.
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../schema/1.sql")).unwrap();
    old.pragma_update(None, "application_id", 0x534f_6e62).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    let key = FingerprintKey::create(&path).unwrap();
    for (name, value) in
        [("stara", "https://stara.example"), ("leaf", "https://leaf.example"), ("key id", &key.id())]
    {
        old.execute("INSERT INTO facts VALUES (?1, ?2)", [name, value]).unwrap();
    }
    let print = prints(1, 0).login;
    old.execute("INSERT INTO refusals (login_print, http_status, at) VALUES (?1, 401, 5)", [print.0])
        .unwrap();
    for (user, code) in [(1, "stara-login-rejected"), (2, "attached")] {
        old.execute(
            "INSERT INTO users (leaf_user_id, login, row_print, login_print, run, outcome, stage, attempts, finished_at)
             VALUES (?1, ?2, ?3, ?3, 1, ?4, 'verify', 1, 5)",
            rusqlite::params![id(user).as_bytes(), format!("grower{user}"), prints(user, 0).row.0, code],
        )
        .unwrap();
    }
    drop(old);

    let mut place = Place { ledger: open(&directory), directory };
    assert_eq!(place.ledger.key_standing(), KeyStanding::Own);
    assert_eq!(standing(&mut place, approach("password")), [(true, false); 2]);
    assert_eq!(standing(&mut place, approach("pin")), [(true, false); 2]);
    let attached = place.ledger.user(id(2)).unwrap().unwrap();
    assert_eq!(attached.outcome.unwrap().outcome.code, OutcomeCode::Attached);
    let version =
        place.ledger.connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    assert_eq!(version.unwrap(), 6);
}

#[test]
fn of_an_old_ledger_only_runs_that_are_known_to_have_attached_can_be_taken_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../schema/1.sql")).unwrap();
    old.execute_batch(include_str!("../schema/2.sql")).unwrap();
    old.pragma_update(None, "application_id", 0x534f_6e62).unwrap();
    old.pragma_update(None, "user_version", 2).unwrap();
    // Run 7 attached for user 1. It found well what an earlier run had attached for user 2, and failed for user 3, who holds
    // what an earlier run attached.
    for (user, code, stage, ours) in [
        (1, "attached", "verify", 1),
        (2, "attached", "precheck", 1),
        (3, "leaf-unavailable", "precheck", 1),
        (4, "already-attached", "precheck", 0),
    ] {
        old.execute(
            "INSERT INTO users (leaf_user_id, login, run, outcome, stage, credential_id, held_id, held_ours)
             VALUES (?1, 'grower', 7, ?2, ?3, iif(?2 = 'attached', 'c', NULL), 'c', ?4)",
            rusqlite::params![id(user).as_bytes(), code, stage, ours],
        )
        .unwrap();
    }
    drop(old);
    assert_eq!(open(&directory).users_attached_in(7).unwrap(), [id(1)]);
}
