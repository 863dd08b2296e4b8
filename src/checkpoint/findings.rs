//! What audits find: judged from what was seen beside the ledger, kept in it where it isn't as it should be.
//!
//! A finding counts from its first audit on for as long as it stays the same. It goes with the first audit that finds the
//! user well, and with the first run that brings the user to its end.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::error::LedgerError;
use super::ledger::Ledger;
use super::record::UserKey;
use super::sights::read_sight;
use crate::model::{CredentialId, Finding, LeafUserId, OutcomeCode, Sight, UnixMillis};

/// What the last audit of a user found, where it wasn't well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandingFinding {
    /// What it found.
    pub finding: Finding,
    /// In how many audits in a row.
    pub audits: u64,
    /// Whether it is about the credential that the ledger knows, and that is ours.
    pub is_of_ours: bool,
}

/// A subject of an audit: what the ledger knows of it, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditedUser {
    /// Its place among the subjects.
    pub user: UserKey,
    /// Its id.
    pub leaf_user_id: LeafUserId,
    /// The credential that the ledger knows.
    pub known: Option<CredentialId>,
    /// Whether its last outcome says that it is attached.
    pub is_done: bool,
    /// Whether something that was sent isn't settled.
    pub is_open: bool,
    /// What was seen of it; `None` where nothing certain was.
    pub sight: Option<Sight>,
}

/// What an audit makes of a subject's finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingChange {
    /// It is well.
    Clear,
    /// It isn't.
    Keep(Finding),
}

/// What was found by the audit that is under way. It outlives the finding: a repair takes that away.
const TABLES: &str = "
    DROP TABLE IF EXISTS temp.found;
    CREATE TEMP TABLE found (
        user               INTEGER PRIMARY KEY,
        leaf_user_id       BLOB NOT NULL,
        finding            TEXT NOT NULL,
        credential_id      TEXT,
        credential_status  TEXT,
        known_id           TEXT,
        is_ours            INTEGER NOT NULL,
        since              INTEGER NOT NULL,
        audits             INTEGER NOT NULL
    ) STRICT;";

const AUDITED: &str = "
    SELECT sights.user, coalesce(users.leaf_user_id, strangers.leaf_user_id), users.held_id, users.outcome,
           users.intent_at IS NOT NULL, sight, sights.credential_id, sights.credential_status
    FROM sights LEFT JOIN users ON users.key = sights.user LEFT JOIN strangers ON strangers.user = sights.user
    WHERE sights.user > ?1 ORDER BY 1 LIMIT ?2";

/// The same finding about the same credential goes on; any other begins. Of strangers nothing is kept.
const KEEP: &str = "
    INSERT INTO findings (user, finding, since, at, audits, credential_id, credential_status)
    SELECT key, ?2, ?3, ?3, 1, sights.credential_id, sights.credential_status
    FROM users JOIN sights ON sights.user = users.key WHERE key = ?1
    ON CONFLICT DO UPDATE SET
        since = iif((finding, credential_id) IS (excluded.finding, excluded.credential_id), since, excluded.since),
        audits = iif((finding, credential_id) IS (excluded.finding, excluded.credential_id), audits + 1, 1),
        finding = excluded.finding, at = excluded.at,
        credential_id = excluded.credential_id, credential_status = excluded.credential_status";

const FIND: &str = "
    INSERT OR REPLACE INTO found
    SELECT sights.user, coalesce(users.leaf_user_id, strangers.leaf_user_id), ?2, sights.credential_id,
           sights.credential_status, users.held_id, ifnull(users.held_ours, 0), ifnull(findings.since, ?3),
           ifnull(findings.audits, 1)
    FROM sights LEFT JOIN users ON users.key = sights.user LEFT JOIN strangers ON strangers.user = sights.user
         LEFT JOIN findings ON findings.user = sights.user
    WHERE sights.user = ?1";

impl Ledger {
    /// The next subjects of an audit, at most `most`, from behind `after` on.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn audited(&self, after: Option<UserKey>, most: usize) -> Result<Vec<AuditedUser>, LedgerError> {
        let all = || -> rusqlite::Result<Vec<_>> {
            let mut statement = self.connection.prepare_cached(AUDITED)?;
            statement.query_map(params![after.map_or(-1, |user| user.0), most], read_audited)?.collect()
        };
        all().map_err(|source| self.failed(source))
    }

    /// Takes back what a list showed of these subjects: it isn't enough to call them anything.
    ///
    /// # Errors
    ///
    /// When it can't be kept.
    pub fn unsee(&self, users: &[UserKey]) -> Result<(), LedgerError> {
        self.change_all("UPDATE sights SET sight = NULL WHERE user = ?1", users)
    }

    fn change_all(&self, sql: &str, users: &[UserKey]) -> Result<(), LedgerError> {
        let change = || -> rusqlite::Result<()> {
            let transaction = self.connection.unchecked_transaction()?;
            {
                let mut statement = transaction.prepare_cached(sql)?;
                for user in users {
                    statement.execute([user.0])?;
                }
            }
            transaction.commit()
        };
        change().map_err(|source| self.failed(source))
    }

    /// Begins anew to keep what an audit finds.
    ///
    /// # Errors
    ///
    /// When the ledger can't be used.
    pub fn begin_finding(&self) -> Result<(), LedgerError> {
        self.connection.execute_batch(TABLES).map_err(|source| self.failed(source))
    }

    /// Keeps what an audit finds of these subjects at this time, in one transaction.
    ///
    /// # Errors
    ///
    /// When the ledger can't be written.
    pub fn keep_findings(
        &self,
        at: UnixMillis,
        changes: &[(UserKey, FindingChange)],
    ) -> Result<(), LedgerError> {
        let keep = || -> rusqlite::Result<()> {
            let transaction = self.connection.unchecked_transaction()?;
            {
                let mut clear = transaction.prepare_cached(CLEAR)?;
                let mut keep = transaction.prepare_cached(KEEP)?;
                let mut find = transaction.prepare_cached(FIND)?;
                for (user, change) in changes {
                    match change {
                        FindingChange::Clear => drop(clear.execute([user.0])?),
                        FindingChange::Keep(finding) => {
                            let cells = params![user.0, finding.as_str(), at.0];
                            keep.execute(cells)?;
                            find.execute(cells)?;
                        }
                    }
                }
            }
            transaction.commit()
        };
        keep().map_err(|source| self.failed(source))
    }
}

/// Takes a user's finding away.
pub(super) const CLEAR: &str = "DELETE FROM findings WHERE user = ?1";

/// Reads what the last audit of a user found.
pub(super) const STANDING: &str = "
    SELECT finding, audits, held_ours AND held_id IS findings.credential_id
    FROM findings JOIN users ON users.key = findings.user WHERE findings.user = ?1";

/// Reads a row of [`STANDING`]; a finding that this program didn't write is none.
pub(super) fn read_standing(row: &Row<'_>) -> rusqlite::Result<Option<StandingFinding>> {
    let name: String = row.get(0)?;
    let (audits, is_of_ours) = (row.get(1)?, row.get::<_, Option<bool>>(2)?.unwrap_or_default());
    Ok(name.parse().ok().map(|finding| StandingFinding { finding, audits, is_of_ours }))
}

/// Whether there are findings at all.
pub(super) fn any(connection: &Connection) -> rusqlite::Result<bool> {
    let found = connection.query_row("SELECT 1 FROM findings LIMIT 1", [], |_| Ok(())).optional()?;
    Ok(found.is_some())
}

fn read_audited(row: &Row<'_>) -> rusqlite::Result<AuditedUser> {
    let known: Option<String> = row.get(2)?;
    let outcome: Option<String> = row.get(3)?;
    let outcome: Option<OutcomeCode> = outcome.and_then(|name| name.parse().ok());
    Ok(AuditedUser {
        user: UserKey(row.get(0)?),
        leaf_user_id: LeafUserId::from_bytes(row.get(1)?),
        known: known.as_deref().and_then(CredentialId::new),
        is_done: outcome.is_some_and(OutcomeCode::is_done),
        is_open: row.get(4)?,
        sight: read_sight(row, 5)?,
    })
}
