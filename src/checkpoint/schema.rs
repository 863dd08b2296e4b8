//! The ledger's tables, and the steps from one version of them to the next.

use std::path::Path;

use rusqlite::Connection;

use super::error::LedgerError;
use super::ledger::of_sqlite;

/// Marks the file as ours (`PRAGMA application_id`): the letters `SOnb`.
const APPLICATION_ID: i64 = 0x534f_6e62;

/// Each step brings a ledger from the version that is its index to the next one.
const STEPS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
];

/// Refuses a file that is no ledger, or one of a newer program, without writing to it; answers the ledger's version.
pub(super) fn recognise(connection: &Connection, path: &Path) -> Result<usize, LedgerError> {
    let failed = |source| of_sqlite(path, source);
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let version = number("user_version").map_err(failed)?;
    let application = number("application_id").map_err(failed)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    let is_new = version == 0 && application == 0 && tables == 0;
    if !is_new && application != APPLICATION_ID {
        return Err(LedgerError::NotALedger { path: path.to_owned() });
    }
    let known = STEPS.len();
    usize::try_from(version).ok().filter(|version| *version <= known).ok_or_else(|| LedgerError::TooNew {
        path: path.to_owned(),
        found: version,
        known: i64::try_from(known).unwrap_or(i64::MAX),
    })
}

/// Brings the ledger to the newest version in one transaction.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), LedgerError> {
    let failed = |source| LedgerError::Database { path: path.to_owned(), source };
    if recognise(connection, path)? == STEPS.len() {
        return Ok(());
    }
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(failed)?;
    // Asked again: another process may have made the ledger while this one waited for its turn.
    let version = recognise(&transaction, path)?;
    for step in STEPS.get(version..).unwrap_or_default() {
        transaction.execute_batch(step).map_err(failed)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.pragma_update(None, "user_version", STEPS.len()).map_err(failed)?;
    transaction.commit().map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    thread_local! {
        /// Another process in the middle of making the same ledger.
        static OTHER: RefCell<Option<Connection>> = const { RefCell::new(None) };
    }

    fn let_the_other_finish(_: i32) -> bool {
        OTHER.take().is_some_and(|other| other.execute_batch("COMMIT").is_ok())
    }

    #[test]
    fn a_ledger_that_another_process_makes_at_the_same_time_is_made_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.db");
        let [mut mine, other] = [(), ()].map(|()| Connection::open(&path).unwrap());
        mine.pragma_update(None, "journal_mode", "WAL").unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        for step in STEPS {
            other.execute_batch(step).unwrap();
        }
        other.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        other.pragma_update(None, "user_version", STEPS.len()).unwrap();
        OTHER.set(Some(other));
        // Called once we wait for the other, which is after we have found that there are no tables.
        mine.busy_handler(Some(let_the_other_finish)).unwrap();
        migrate(&mut mine, &path).unwrap();
        assert!(OTHER.take().is_none(), "nobody waited for the other");
        assert_eq!(recognise(&mine, &path).unwrap(), STEPS.len());
    }
}
