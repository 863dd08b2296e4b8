//! The ledger's tables, and the steps from one version of them to the next.

use std::path::Path;

use rusqlite::Connection;

use super::error::LedgerError;
use super::ledger::of_sqlite;

/// Marks the file as ours (`PRAGMA application_id`): the letters `SOnb`.
const APPLICATION_ID: i64 = 0x534f_6e62;

/// Each step brings a ledger from the version that is its index to the next one.
const STEPS: &[&str] =
    &[include_str!("schema/1.sql"), include_str!("schema/2.sql"), include_str!("schema/3.sql")];

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
    let steps = STEPS.get(recognise(connection, path)?..).unwrap_or_default();
    if steps.is_empty() {
        return Ok(());
    }
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(failed)?;
    for step in steps {
        transaction.execute_batch(step).map_err(failed)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.pragma_update(None, "user_version", STEPS.len()).map_err(failed)?;
    transaction.commit().map_err(failed)
}
