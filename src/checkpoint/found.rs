//! What the audit that is under way has found: read back, counted, and accepted.

use rusqlite::{OptionalExtension as _, Row, params};

use super::error::LedgerError;
use super::ledger::Ledger;
use super::record::UserKey;
use crate::model::{Credential, CredentialId, Finding, LeafUserId, Login, UnixMillis};

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

/// What the last audit of a user found, where it isn't well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFinding {
    /// What was found.
    pub finding: Finding,
    /// When first.
    pub since: UnixMillis,
    /// When last.
    pub at: UnixMillis,
    /// In how many audits in a row.
    pub audits: u64,
    /// The credential that was seen.
    pub credential: Option<Credential>,
}

/// Which credentials an audit found foreign are known from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// Those of all users in the ledger.
    All,
    /// That of this user.
    Of(LeafUserId),
}

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

    /// What the last audit of a user found; `None` where it was well, or never audited.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn finding_of(&self, id: LeafUserId) -> Result<Option<KeptFinding>, LedgerError> {
        let sql = "SELECT finding, since, at, audits, findings.credential_id, findings.credential_status
                   FROM findings JOIN users ON users.key = findings.user WHERE users.leaf_user_id = ?1";
        let read = |row: &Row<'_>| {
            let (id, status): (Option<String>, Option<String>) = (row.get(4)?, row.get(5)?);
            let credential =
                (id.is_some() || status.is_some()).then(|| Credential::new(id.as_deref(), status.as_deref()));
            let finding = row.get::<_, String>(0)?.parse().ok();
            let (since, at) = (UnixMillis(row.get(1)?), UnixMillis(row.get(2)?));
            let audits = row.get(3)?;
            Ok(finding.map(|finding| KeptFinding { finding, since, at, audits, credential }))
        };
        let found = self.connection.query_row(sql, [id.as_bytes()], read).optional();
        found.map(Option::flatten).map_err(|source| self.failed(source))
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
