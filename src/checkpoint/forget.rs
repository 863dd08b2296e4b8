//! Forgets: users for good, and what is old.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::LedgerError;
use super::ledger::Ledger;
use super::links::DROP_LINK;
use crate::model::{LeafUserId, UnixMillis};

/// What was forgotten of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// Users that the ledger knew.
    pub users: u64,
    /// Lines of the latest run that named one of them.
    pub lines: u64,
    /// Saved entries of Leaf's logs.
    pub events: u64,
    /// Remembered refusals that were about nobody else.
    pub refusals: u64,
    /// Magic links.
    pub links: u64,
}

/// What of the past was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Totals of earlier runs.
    pub runs: u64,
    /// Counts of earlier audits.
    pub audits: u64,
    /// Saved entries of Leaf's logs.
    pub events: u64,
    /// Magic links that had expired.
    pub links: u64,
}

/// A refusal goes unless another user shares login and password, in the ledger or in the latest manifest.
const FORGET_REFUSAL: &str = "
    DELETE FROM refusals WHERE login_print = ?1
        AND NOT EXISTS (SELECT 1 FROM users WHERE users.login_print = ?1)
        AND NOT EXISTS (SELECT 1 FROM lines WHERE lines.login_print = ?1)";

/// The totals of the last runs stay, and of those whose credentials are still held or whose attaches aren't settled, so
/// that they can be rolled back.
const PRUNE_RUNS: &str = "
    DELETE FROM runs WHERE run <= (SELECT max(run) FROM runs) - ?1
        AND run NOT IN (SELECT held_run FROM users WHERE held_ours = 1 AND held_run IS NOT NULL
                        UNION ALL
                        SELECT intent_run FROM users WHERE intent_at IS NOT NULL AND intent_run IS NOT NULL)";

const PRUNE_AUDITS: &str = "DELETE FROM audits WHERE audit <= (SELECT max(audit) FROM audits) - ?1";

/// Leaf writes its times so that they can be compared as text. What is written otherwise stays.
const PRUNE_EVENTS: &str =
    "DELETE FROM events WHERE created GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*' AND created < ?1";

/// What has expired leads nowhere.
const PRUNE_LINKS: &str = "DELETE FROM links WHERE expires_at < ?1";

impl Ledger {
    /// Forgets these users for good: no byte of what was known of them alone stays in the ledger or in its log.
    ///
    /// # Errors
    ///
    /// When the ledger can't be written, or another process reads it so long that its log can't be emptied. To do it again
    /// is harmless then.
    pub fn forget(&self, users: &[LeafUserId]) -> Result<Forgotten, LedgerError> {
        let forget = || {
            self.connection.pragma_update(None, "secure_delete", true)?;
            let transaction = self.connection.unchecked_transaction()?;
            let mut forgotten = Forgotten::default();
            for user in users {
                forget_user(&transaction, *user, &mut forgotten)?;
            }
            transaction.commit()?;
            Ok(forgotten)
        };
        let forgotten = forget().map_err(|source| self.failed(source))?;
        self.write_anew()?;
        Ok(forgotten)
    }

    /// Drops the totals of all but the last `runs` runs and audits, saved events that are older than `events_before`, and
    /// magic links that have expired.
    ///
    /// # Errors
    ///
    /// When the ledger can't be written.
    pub fn prune(&self, runs: u32, events_before: UnixMillis) -> Result<Pruned, LedgerError> {
        let prune = || {
            let transaction = self.connection.unchecked_transaction()?;
            let count = |sql, value: &dyn rusqlite::ToSql| {
                transaction.execute(sql, [value]).map(|dropped| dropped as u64)
            };
            let pruned = Pruned {
                runs: count(PRUNE_RUNS, &runs)?,
                audits: count(PRUNE_AUDITS, &runs)?,
                events: count(PRUNE_EVENTS, &events_before.to_rfc3339())?,
                links: count(PRUNE_LINKS, &UnixMillis::now().0)?,
            };
            transaction.commit()?;
            Ok(pruned)
        };
        let pruned = prune().map_err(|source| self.failed(source))?;
        if pruned != Pruned::default() {
            self.write_anew()?;
        }
        Ok(pruned)
    }

    /// Writes the database anew from what it holds, so that nothing stays in pages of it that aren't in use, and empties
    /// the log.
    fn write_anew(&self) -> Result<(), LedgerError> {
        let is_busy = || -> rusqlite::Result<bool> {
            self.connection.execute_batch("VACUUM")?;
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        };
        if is_busy().map_err(|source| self.failed(source))? {
            let source = std::io::Error::new(
                std::io::ErrorKind::ResourceBusy,
                "another process reads the ledger, so that its log can't be emptied",
            );
            return Err(LedgerError::File { path: self.path.clone(), source });
        }
        Ok(())
    }
}

fn forget_user(connection: &Connection, id: LeafUserId, forgotten: &mut Forgotten) -> rusqlite::Result<()> {
    let key: Option<i64> = connection
        .query_row("SELECT key FROM users WHERE leaf_user_id = ?1", [id.as_bytes()], |row| row.get(0))
        .optional()?;
    let prints: Vec<i64> = connection
        .prepare_cached(
            "SELECT login_print FROM users WHERE key = ?1 AND login_print IS NOT NULL
             UNION SELECT login_print FROM lines WHERE user = ?1 AND login_print IS NOT NULL",
        )?
        .query_map([key], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let count = |deleted: usize| deleted as u64;
    let lines = "DELETE FROM lines WHERE user = ?1 OR leaf_user_id = ?2";
    forgotten.lines += count(connection.execute(lines, params![key, id.as_bytes()])?);
    forgotten.events += count(connection.execute("DELETE FROM events WHERE user = ?1", [key])?);
    connection.execute("DELETE FROM findings WHERE user = ?1", [key])?;
    forgotten.links += count(connection.execute(DROP_LINK, [key])?);
    forgotten.users += count(connection.execute("DELETE FROM users WHERE key = ?1", [key])?);
    for print in prints {
        forgotten.refusals += count(connection.execute(FORGET_REFUSAL, [print])?);
    }
    Ok(())
}
