//! Leaf's log of credentials, stripped of headers and bodies, of which a user's newest entries are kept.

use rusqlite::{Connection, params};

use super::error::LedgerError;
use super::ledger::Ledger;
use super::record::{SavedEvent, UserKey};

/// How many entries are kept of a user. Leaf keeps its log for 30 days.
const KEPT: u32 = 100;

/// The entries beyond those kept, the oldest ones by Leaf's own words, which sort like times.
const DROP_OLDER: &str = "
    DELETE FROM events WHERE user = ?1 AND (id, created) NOT IN
        (SELECT id, created FROM events WHERE user = ?1 ORDER BY created DESC, id DESC LIMIT ?2)";

impl Ledger {
    /// Keeps what Leaf's logs of these users' credentials say, beside what was kept before.
    ///
    /// # Errors
    ///
    /// When the ledger can't be written.
    pub fn keep_events(&self, logs: &[(UserKey, Vec<SavedEvent>)]) -> Result<(), LedgerError> {
        let keep = || -> rusqlite::Result<()> {
            let transaction = self.connection.unchecked_transaction()?;
            for (user, events) in logs {
                save_events(&transaction, *user, events)?;
            }
            transaction.commit()
        };
        keep().map_err(|source| self.failed(source))
    }

    /// The newest entries that are kept of a user, at most `most`, the newest first.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn newest_events(&self, user: UserKey, most: usize) -> Result<Vec<SavedEvent>, LedgerError> {
        let sql = "SELECT id, created, status_code FROM events WHERE user = ?1 ORDER BY created DESC, id DESC LIMIT ?2";
        let read = || -> rusqlite::Result<Vec<_>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            let event = |row: &rusqlite::Row<'_>| {
                Ok(SavedEvent { id: row.get(0)?, created: row.get(1)?, status_code: row.get(2)? })
            };
            statement.query_map(params![user.0, most], event)?.collect()
        };
        read().map_err(|source| self.failed(source))
    }
}

/// Adds entries to a user's, and drops the oldest beyond those that are kept.
pub(super) fn save_events(
    connection: &Connection,
    user: UserKey,
    events: &[SavedEvent],
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO events (user, id, created, status_code) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    )?;
    for event in events {
        insert.execute(params![user.0, event.id, event.created, event.status_code])?;
    }
    connection.prepare_cached(DROP_OLDER)?.execute(params![user.0, KEPT]).map(drop)
}
