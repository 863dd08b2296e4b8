//! Forgetting users and what is old.

use std::time::Duration;

use rusqlite::{Connection, params};

use super::fixtures::{Place, id, row};
use crate::checkpoint::{Forgotten, LedgerError, Pruned};
use crate::model::UnixMillis;

#[test]
fn while_somebody_reads_the_log_the_user_is_gone_but_that_is_not_claimed() {
    let mut place = Place::new();
    place.stage(vec![row(2, 1, 0), row(3, 2, 0)]);
    place.ledger.connection.busy_timeout(Duration::ZERO).unwrap();
    let reader = Connection::open(place.directory.path().join("ledger.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM users").unwrap();
    let count: i64 = reader.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 2);
    let error = place.ledger.forget(&[id(1)]).unwrap_err();
    assert!(matches!(error, LedgerError::File { .. } | LedgerError::Database { .. }), "{error:?}");
    assert!(place.ledger.user(id(1)).unwrap().is_none());
    drop(reader);
    assert_eq!(place.ledger.forget(&[id(1)]).unwrap(), Forgotten::default());
    assert!(place.ledger.user(id(2)).unwrap().is_some());
}

#[test]
fn events_are_dropped_by_their_age_and_only_where_it_can_be_told() {
    let mut place = Place::new();
    place.stage(vec![row(2, 1, 0)]);
    let key = place.key_of(1);
    for (event, created) in [
        ("old", "2026-01-01T00:00:00.000000Z"),
        ("new", "2026-11-01T00:00:00.000000Z"),
        ("odd", "yesterday"),
        ("none", ""),
    ] {
        let sql = "INSERT INTO events (user, id, created) VALUES (?1, ?2, ?3)";
        place.ledger.connection.execute(sql, params![key.0, event, created]).unwrap();
    }
    let before = UnixMillis(1_780_000_000_000);
    assert!(before.to_rfc3339().starts_with("2026-05-28T"), "{}", before.to_rfc3339());
    let pruned = place.ledger.prune(100, before).unwrap();
    assert_eq!(pruned, Pruned { events: 1, ..Pruned::default() });
    let left: Vec<String> =
        place.ledger.events_of(id(1)).unwrap().into_iter().map(|event| event.id).collect();
    assert_eq!(left, ["none", "new", "odd"]);
}

#[test]
fn a_run_that_can_still_be_taken_back_is_kept() {
    let mut place = Place::new();
    let runs: Vec<i64> = (0..4).map(|_| place.stage(vec![row(2, 1, 0), row(3, 2, 0)]).run).collect();
    for (user, set) in [
        (1, format!("held_id = 'c', held_ours = 1, held_run = {}", runs[0])),
        (2, format!("intent_at = 5, intent_attaches = 1, intent_run = {}", runs[1])),
    ] {
        let sql = format!("UPDATE users SET {set} WHERE key = ?1");
        let key = place.key_of(user);
        place.ledger.connection.execute(&sql, [key.0]).unwrap();
    }
    assert_eq!(place.ledger.prune(1, UnixMillis(0)).unwrap().runs, 1);
    let kept: Vec<bool> = runs.iter().map(|run| place.ledger.run_numbered(*run).unwrap().is_some()).collect();
    assert_eq!(kept, [true, true, false, true]);
}
