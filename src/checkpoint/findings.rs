//! What audits find: judged from what was seen beside the ledger, kept in it where it isn't as it should be.
//!
//! A finding counts from its first audit on for as long as it stays the same. It goes with the first audit that finds the
//! user well, and with the first run that brings the user to its end.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::error::LedgerError;
use super::ledger::Ledger;
use super::record::UserKey;
use super::sights::read_sight;
use crate::model::{Credential, CredentialId, Finding, LeafUserId, Login, OutcomeCode, Sight, UnixMillis};

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

/// A user whom an audit found not to be well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundUser {
    /// Its place in the ledger, unless it is a stranger.
    pub user: UserKey,
    /// Its id.
    pub leaf_user_id: LeafUserId,
    /// What was found.
    pub finding: Finding,
    /// Its login, where the ledger knows it.
    pub login: Option<Login>,
    /// The credential that was seen.
    pub credential: Option<Credential>,
    /// The credential that the ledger knows.
    pub known: Option<CredentialId>,
    /// Whether the credential that the ledger knows is ours.
    pub is_ours: bool,
    /// When this was found first.
    pub since: UnixMillis,
    /// In how many audits in a row.
    pub audits: u64,
}

/// Which credentials an audit found foreign are known from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// Those of all users in the ledger.
    All,
    /// That of this user.
    Of(LeafUserId),
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

/// The credential is known from now on, and stays somebody else's.
const ACCEPT: &str = "
    UPDATE users SET held_id = found.credential_id, held_ours = 0, held_login = login, held_origin = 'found', held_run = NULL
    FROM found WHERE found.user = users.key AND found.finding = 'foreign' AND found.credential_id IS NOT NULL
        AND (?1 IS NULL OR found.leaf_user_id = ?1)";

const FORGET_ACCEPTED: &str = "
    DELETE FROM findings WHERE finding = 'foreign'
        AND credential_id IS (SELECT held_id FROM users WHERE key = findings.user)";

const FOUND_COLUMNS: &str = "found.user, found.leaf_user_id, finding, users.login, found.credential_id, \
    found.credential_status, known_id, is_ours, since, found.audits \
    FROM found LEFT JOIN users ON users.key = found.user";

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

    /// Calls `consume` with what this audit found, of everybody or only of one kind, in the ledger's order, read as it goes.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read. An error further on comes through the iterator.
    pub fn with_found<T>(
        &self,
        only: Option<Finding>,
        consume: impl FnOnce(&mut dyn Iterator<Item = Result<FoundUser, LedgerError>>) -> T,
    ) -> Result<T, LedgerError> {
        let sql = format!("SELECT {FOUND_COLUMNS} WHERE ?1 IS NULL OR finding = ?1 ORDER BY 1");
        let mut statement = self.connection.prepare(&sql).map_err(|source| self.failed(source))?;
        let rows = statement.query_map([only.map(Finding::as_str)], read_found);
        let rows = rows.map_err(|source| self.failed(source))?;
        Ok(consume(&mut rows.map(|row| row.map_err(|source| self.failed(source)))))
    }

    /// The next users whom this audit found unhealthy, at most `most`, from behind `after` on.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn found_unhealthy(
        &self,
        after: Option<UserKey>,
        most: usize,
    ) -> Result<Vec<(UserKey, LeafUserId)>, LedgerError> {
        let sql = "SELECT user, leaf_user_id FROM found WHERE finding = 'unhealthy' AND user > ?1 ORDER BY 1 LIMIT ?2";
        let read = |row: &Row<'_>| Ok((UserKey(row.get(0)?), LeafUserId::from_bytes(row.get(1)?)));
        let all = || -> rusqlite::Result<Vec<_>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.query_map(params![after.map_or(-1, |user| user.0), most], read)?.collect()
        };
        all().map_err(|source| self.failed(source))
    }

    /// Takes credentials that this audit found foreign for known from now on, never for ours; tells how many. Those of users
    /// whom the ledger has never met can't be.
    ///
    /// # Errors
    ///
    /// When the ledger can't be written.
    pub fn accept(&self, accepted: Accepted) -> Result<u64, LedgerError> {
        let id = match &accepted {
            Accepted::All => None,
            Accepted::Of(id) => Some(id.as_bytes()),
        };
        let accept = || -> rusqlite::Result<u64> {
            let transaction = self.connection.unchecked_transaction()?;
            let users = transaction.execute(ACCEPT, [id])?;
            transaction.execute(FORGET_ACCEPTED, [])?;
            transaction.commit()?;
            Ok(users as u64)
        };
        accept().map_err(|source| self.failed(source))
    }

    /// How many of those whom this audit found aren't well yet, after what was done for them since.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn still_found(&self) -> Result<u64, LedgerError> {
        let sql = "SELECT count(*) FROM found WHERE user NOT IN (SELECT key FROM users)
                       OR user IN (SELECT user FROM findings)";
        self.connection.query_row(sql, [], |row| row.get(0)).map_err(|source| self.failed(source))
    }

    /// How many of those whom this audit found hold a credential of ours that so many audits in a row have found unhealthy,
    /// and haven't been brought to an end since.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn due_for_repair(&self, audits: u64) -> Result<u64, LedgerError> {
        let sql = "SELECT count(*) FROM found JOIN findings ON findings.user = found.user
                   WHERE found.finding = 'unhealthy' AND found.audits >= ?1 AND is_ours AND known_id = found.credential_id";
        self.connection.query_row(sql, [audits], |row| row.get(0)).map_err(|source| self.failed(source))
    }

    /// How many replacements of credentials were begun and haven't ended.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn open_replacements(&self) -> Result<u64, LedgerError> {
        let sql = "SELECT count(*) FROM users WHERE intent_at IS NOT NULL AND intent_replacing";
        self.connection.query_row(sql, [], |row| row.get(0)).map_err(|source| self.failed(source))
    }

    /// How many credentials a run has replaced so far.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn replaced_in(&self, run: i64) -> Result<u64, LedgerError> {
        let sql =
            "SELECT count(*) FROM users WHERE run = ?1 AND outcome = 'attached' AND origin = 'replaced'";
        self.connection.query_row(sql, [run], |row| row.get(0)).map_err(|source| self.failed(source))
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

fn read_found(row: &Row<'_>) -> rusqlite::Result<FoundUser> {
    let finding: String = row.get(2)?;
    let (id, status): (Option<String>, Option<String>) = (row.get(4)?, row.get(5)?);
    let known: Option<String> = row.get(6)?;
    let has_credential = id.is_some() || status.is_some();
    Ok(FoundUser {
        user: UserKey(row.get(0)?),
        leaf_user_id: LeafUserId::from_bytes(row.get(1)?),
        // Only this program's own words stand in a table of this process.
        finding: finding.parse().map_err(|_| rusqlite::Error::InvalidQuery)?,
        login: row.get::<_, Option<String>>(3)?.map(Login::new),
        credential: has_credential.then(|| Credential::new(id.as_deref(), status.as_deref())),
        known: known.as_deref().and_then(CredentialId::new),
        is_ours: row.get(7)?,
        since: UnixMillis(row.get(8)?),
        audits: row.get(9)?,
    })
}
