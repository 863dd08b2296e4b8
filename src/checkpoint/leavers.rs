//! Whose credentials are to be taken away: what is known of them beforehand, and whom a run attached.

use rusqlite::{OptionalExtension as _, params};

use super::error::LedgerError;
use super::ledger::Ledger;
use super::runs::{RunRecord, read_run};
use super::staging::StageError;
use crate::model::{Finding, LeafUserId, Origin, OutcomeCode};

/// What the ledger knows of users before their credentials are taken away. Each user counts once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeaverCounts {
    /// Users with a credential of ours.
    pub ours: u64,
    /// Those of them whose credential took another one's place.
    pub replaced: u64,
    /// Users with one that isn't ours, as far as the ledger or the last audit knows.
    pub not_ours: u64,
    /// Users with something in the open, of whom only a look can tell.
    pub open: u64,
    /// Users whose credential was taken away before, and who hold none since.
    pub gone: u64,
    /// Users of whom it knows no credential.
    pub unknown: u64,
}

const COUNT: &str = "
    SELECT coalesce(sum(is_ours AND NOT is_open), 0), coalesce(sum(is_held AND NOT is_ours AND NOT is_open), 0),
           coalesce(sum(is_open), 0), coalesce(sum(is_gone AND NOT is_held AND NOT is_open), 0),
           coalesce(sum(NOT is_held AND NOT is_open AND NOT is_gone), 0),
           coalesce(sum(is_ours AND NOT is_open AND is_replaced), 0)
    FROM (SELECT users.held_id IS NOT NULL AS is_held,
                 users.held_id IS NOT NULL AND users.held_ours AND findings.finding IS NOT ?2 AS is_ours,
                 users.intent_at IS NOT NULL AS is_open, users.outcome IS ?1 AS is_gone,
                 users.held_origin IS ?3 AS is_replaced
          FROM temp.leavers LEFT JOIN users ON users.leaf_user_id = leavers.leaf_user_id
          LEFT JOIN findings ON findings.user = users.key)";

impl Ledger {
    /// Counts what is known of these users. They are kept in a temporary table, and nothing of the ledger is changed.
    ///
    /// # Errors
    ///
    /// When the users end with an error, or the ledger can't be read.
    pub fn count_leavers<E>(
        &self,
        users: impl Iterator<Item = Result<LeafUserId, E>>,
    ) -> Result<LeaverCounts, StageError<E>> {
        let failed = |source| StageError::Ledger(self.failed(source));
        let tables = "DROP TABLE IF EXISTS temp.leavers;
                      CREATE TEMP TABLE leavers (leaf_user_id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;";
        self.connection.execute_batch(tables).map_err(failed)?;
        let transaction = self.connection.unchecked_transaction().map_err(failed)?;
        {
            let put = "INSERT INTO leavers (leaf_user_id) VALUES (?1) ON CONFLICT DO NOTHING";
            let mut put = transaction.prepare(put).map_err(failed)?;
            for user in users {
                put.execute([user.map_err(StageError::Lines)?.as_bytes()]).map_err(failed)?;
            }
        }
        transaction.commit().map_err(failed)?;
        let names = [OutcomeCode::Detached.as_str(), Finding::Foreign.as_str(), Origin::Replaced.as_str()];
        let counts = self.connection.query_row(COUNT, names, |row| {
            Ok(LeaverCounts {
                ours: row.get(0)?,
                not_ours: row.get(1)?,
                open: row.get(2)?,
                gone: row.get(3)?,
                unknown: row.get(4)?,
                replaced: row.get(5)?,
            })
        });
        let counts = counts.map_err(failed)?;
        self.connection.execute_batch("DROP TABLE temp.leavers").map_err(failed)?;
        Ok(counts)
    }

    /// Users who hold a credential that exactly this run attached, and those of whom an attach of this run is in the open.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn users_attached_in(&self, run: i64) -> Result<Vec<LeafUserId>, LedgerError> {
        let sql = "SELECT leaf_user_id FROM users
                   WHERE (held_id IS NOT NULL AND held_ours = 1 AND held_run = ?1)
                      OR (intent_at IS NOT NULL AND intent_run = ?1 AND (intent_attaches > 0 OR intent_over_nothing = 1))
                   ORDER BY key";
        let read = || -> rusqlite::Result<Vec<_>> {
            let mut statement = self.connection.prepare(sql)?;
            statement.query_map([run], |row| Ok(LeafUserId::from_bytes(row.get(0)?)))?.collect()
        };
        read().map_err(|source| self.failed(source))
    }

    /// The run with this number; `None` when there was none.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn run_numbered(&self, run: i64) -> Result<Option<RunRecord>, LedgerError> {
        self.connection
            .query_row("SELECT * FROM runs WHERE run = ?1", params![run], read_run)
            .optional()
            .map_err(|source| self.failed(source))
    }
}
