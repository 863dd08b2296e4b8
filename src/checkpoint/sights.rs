//! What looks at Leaf have shown of the users that a verb is about, beside the ledger and never in memory.
//!
//! The tables are temporary: SQLite keeps them in a file of its own that goes with the connection. What was seen is true
//! for a moment only, and nothing of it outlives the verb.

use rusqlite::{Row, params};

use super::error::LedgerError;
use super::fingerprint::{Fingerprint, RowFingerprints};
use super::ledger::Ledger;
use super::record::{LineDecision, UserKey, UserRecord};
use super::user_row::{Cells, USER_COLUMNS, read_user};
use crate::model::{Credential, Health, LeafUserId, Login, Sight};

/// Whose truth is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subjects {
    /// Users of staged rows that are to be carried out, whom a healthy credential would end: nothing is open, and no
    /// credential of theirs is to be replaced.
    RowsToDo,
    /// Users of staged rows that are to be carried out, whatever is open.
    RowsWithWork,
    /// The same, and users of staged rows that are done.
    RowsWithWorkOrDone,
    /// Every user in the ledger. Those with an open intent aren't looked for: nothing that is seen now tells how it ends.
    Everybody,
    /// Those that [`Ledger::see_too`] names, and nobody else.
    Named,
}

/// A user that hasn't been seen yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unseen {
    /// Its place in the ledger.
    pub user: UserKey,
    /// Its id.
    pub leaf_user_id: LeafUserId,
}

/// `sight` is NULL until the user was seen; `doubtful` where two sightings in a list disagreed; `unsettled` where the user
/// isn't looked for. `looks` counts the calls of a user's own look, and is NULL where there was none. Strangers are users
/// that the ledger has never met; their keys lie behind those of its users.
const TABLES: &str = "
    DROP TABLE IF EXISTS temp.sights;
    CREATE TEMP TABLE sights (
        user               INTEGER PRIMARY KEY,
        sight              TEXT,
        credential_id      TEXT,
        credential_status  TEXT,
        looks              INTEGER
    ) STRICT;
    DROP TABLE IF EXISTS temp.strangers;
    CREATE TEMP TABLE strangers (
        user          INTEGER PRIMARY KEY,
        leaf_user_id  BLOB NOT NULL UNIQUE
    ) STRICT;";

const SEE_EVERYBODY: &str = "
    INSERT INTO sights (user, sight) SELECT key, iif(intent_at IS NULL, NULL, 'unsettled') FROM users ORDER BY 1";

/// How many are looked for.
const COUNT: &str = "SELECT count(*) FROM sights WHERE sight IS NULL";

const WITH_WORK: &str = "lines.decision IN ('to-do', 'replace')";

impl Ledger {
    /// Begins anew to see these users, and tells how many are looked for.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn begin_seeing(&self, subjects: Subjects) -> Result<u64, LedgerError> {
        let of_lines = |decisions: &str| {
            format!(
                "INSERT INTO sights (user) SELECT DISTINCT users.key FROM lines JOIN users ON users.key = lines.user
                 WHERE {decisions} ORDER BY 1"
            )
        };
        let fill = match subjects {
            Subjects::RowsToDo => of_lines(&format!(
                "lines.decision = '{}' AND users.intent_at IS NULL",
                LineDecision::ToDo.as_str()
            )),
            Subjects::RowsWithWork => of_lines(WITH_WORK),
            Subjects::RowsWithWorkOrDone => of_lines(&format!(
                "{WITH_WORK} OR lines.decision = 'keep' AND users.outcome IN ('attached', 'already-attached')"
            )),
            Subjects::Everybody => SEE_EVERYBODY.to_owned(),
            Subjects::Named => String::new(),
        };
        let begin = || {
            self.connection.execute_batch(TABLES)?;
            self.connection.execute_batch(&fill)?;
            self.connection.query_row(COUNT, [], |row| row.get(0))
        };
        begin().map_err(|source| self.failed(source))
    }

    /// Takes these users among the subjects, whether or not the ledger has met them. Nothing is kept of those whom it hasn't.
    ///
    /// # Errors
    ///
    /// When it can't be kept.
    pub fn see_too(&self, ids: &[LeafUserId]) -> Result<(), LedgerError> {
        let see = || -> rusqlite::Result<()> {
            let transaction = self.connection.unchecked_transaction()?;
            {
                let mut known = transaction.prepare_cached(
                    "INSERT INTO sights (user, sight) SELECT key, iif(intent_at IS NULL, NULL, 'unsettled') FROM users
                     WHERE leaf_user_id = ?1 ON CONFLICT DO NOTHING",
                )?;
                let mut find = transaction.prepare_cached("SELECT 1 FROM users WHERE leaf_user_id = ?1")?;
                let mut stranger = transaction.prepare_cached(
                    "INSERT INTO strangers (user, leaf_user_id)
                     SELECT 1 + max((SELECT ifnull(max(key), 0) FROM users), (SELECT ifnull(max(user), 0) FROM strangers)), ?1
                     WHERE TRUE ON CONFLICT DO NOTHING",
                )?;
                let mut see = transaction.prepare_cached("INSERT INTO sights (user) VALUES (?1)")?;
                for id in ids {
                    let is_known = known.execute([id.as_bytes()])? > 0 || find.exists([id.as_bytes()])?;
                    if !is_known && stranger.execute([id.as_bytes()])? > 0 {
                        see.execute([transaction.last_insert_rowid()])?;
                    }
                }
            }
            transaction.commit()
        };
        see().map_err(|source| self.failed(source))
    }

    /// How many subjects are looked for and haven't been seen yet.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn still_to_be_seen(&self) -> Result<u64, LedgerError> {
        self.connection.query_row(COUNT, [], |row| row.get(0)).map_err(|source| self.failed(source))
    }

    /// At least so many users are known to be at Leaf: those that a look has shown.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn users_at_leaf(&self) -> Result<u64, LedgerError> {
        self.connection
            .query_row("SELECT count(*) FROM users WHERE held_id IS NOT NULL", [], |row| row.get(0))
            .map_err(|source| self.failed(source))
    }

    /// Takes note of what a list showed of users, of those that are subjects; `None` is a user whose entry leaves
    /// something open. Where two entries of a list disagree about a user, neither is believed.
    ///
    /// # Errors
    ///
    /// When it can't be kept.
    pub fn note_listed(&self, listed: &[(LeafUserId, Option<Sight>)]) -> Result<(), LedgerError> {
        let note = || -> rusqlite::Result<()> {
            let transaction = self.connection.unchecked_transaction()?;
            {
                let mut put = transaction.prepare_cached(
                    "UPDATE sights SET sight = iif(sight IS NULL OR (sight, credential_id, credential_status) IS (?2, ?3, ?4),
                                                   ?2, 'doubtful'),
                                       credential_id = ?3, credential_status = ?4
                     WHERE sight IS NOT 'unsettled' AND user = coalesce(
                         (SELECT key FROM users WHERE leaf_user_id = ?1),
                         (SELECT user FROM strangers WHERE leaf_user_id = ?1))",
                )?;
                for (id, sight) in listed {
                    let cells = SightCells::of(sight.as_ref());
                    put.execute(params![id.as_bytes(), cells.name, cells.id, cells.status])?;
                }
            }
            transaction.commit()
        };
        note().map_err(|source| self.failed(source))
    }

    /// Takes note of what a look at one user showed.
    ///
    /// # Errors
    ///
    /// When it can't be kept.
    pub fn note_seen(&self, user: UserKey, sight: &Sight) -> Result<(), LedgerError> {
        self.note_look(user, sight, 1)
    }

    /// Takes note of what a look at one user showed that took so many calls.
    ///
    /// # Errors
    ///
    /// When it can't be kept.
    pub fn note_look(&self, user: UserKey, sight: &Sight, looks: u32) -> Result<(), LedgerError> {
        let cells = SightCells::of(Some(sight));
        self.connection
            .prepare_cached(
                "UPDATE sights SET sight = ?2, credential_id = ?3, credential_status = ?4, looks = ?5 WHERE user = ?1",
            )
            .and_then(|mut put| put.execute(params![user.0, cells.name, cells.id, cells.status, looks]))
            .map(drop)
            .map_err(|source| self.failed(source))
    }

    /// The next subjects of whom nothing certain is known, at most `most`, from behind `after` on.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn unseen(&self, after: Option<UserKey>, most: usize) -> Result<Vec<Unseen>, LedgerError> {
        let sql = "SELECT sights.user, coalesce(users.leaf_user_id, strangers.leaf_user_id) FROM sights
                   LEFT JOIN users ON users.key = sights.user LEFT JOIN strangers ON strangers.user = sights.user
                   WHERE sights.user > ?1 AND (sight IS NULL OR sight = 'doubtful') ORDER BY 1 LIMIT ?2";
        let read = |row: &Row<'_>| {
            Ok(Unseen { user: UserKey(row.get(0)?), leaf_user_id: LeafUserId::from_bytes(row.get(1)?) })
        };
        let all = || -> rusqlite::Result<Vec<_>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.query_map(params![after.map_or(-1, |user| user.0), most], read)?.collect()
        };
        all().map_err(|source| self.failed(source))
    }

    /// The statuses that were seen and that no document names, the most frequent first, with how many credentials have each;
    /// at most `most` of them. They are reported word for word, and never called broken.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn undocumented_statuses(&self, most: usize) -> Result<Vec<(String, u64)>, LedgerError> {
        let sql = "SELECT credential_status, count(*) FROM sights
                   WHERE sight = 'credential' AND credential_status IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1";
        let is_told = |status: &(String, u64)| {
            let credential = Credential::new(None, Some(&status.0));
            credential.health() == Health::Healthy && !status.0.eq_ignore_ascii_case("ok")
        };
        let read = || -> rusqlite::Result<Vec<_>> {
            let mut statement = self.connection.prepare(sql)?;
            let statuses = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            statuses.filter(|status| status.as_ref().map_or(true, is_told)).take(most).collect()
        };
        read().map_err(|source| self.failed(source))
    }
}

/// A row to do whose user holds a credential, as far as was seen.
#[derive(Debug)]
pub struct SeenRow {
    /// Its line.
    pub line: u64,
    /// Its user.
    pub user: UserKey,
    /// The user's id.
    pub leaf_user_id: LeafUserId,
    /// Its login.
    pub login: Login,
    /// Its fingerprints.
    pub fingerprints: RowFingerprints,
    /// What is known of the user from earlier runs.
    pub record: UserRecord,
    /// The credential that was seen.
    pub credential: Credential,
}

impl Ledger {
    /// The next rows to do whose users were seen to hold a credential, at most `most`, from behind the line `after` on.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn rows_seen_attached(&self, after: u64, most: usize) -> Result<Vec<SeenRow>, LedgerError> {
        let sql = format!(
            "SELECT lines.line, users.leaf_user_id, lines.login, lines.row_print, lines.login_print,
                    sights.credential_id, sights.credential_status, {USER_COLUMNS}
             FROM lines JOIN sights ON sights.user = lines.user JOIN users ON users.key = lines.user
             WHERE lines.line > ?1 AND lines.decision = ?2 AND sights.sight = 'credential' ORDER BY lines.line LIMIT ?3"
        );
        let read = |row: &Row<'_>| {
            let mut cells = Cells::of(row);
            let line = cells.next()?;
            let leaf_user_id = LeafUserId::from_bytes(cells.next()?);
            let login = Login::new(cells.next::<String>()?);
            let fingerprints =
                RowFingerprints { row: Fingerprint(cells.next()?), login: Fingerprint(cells.next()?) };
            let (id, status): (Option<String>, Option<String>) = (cells.next()?, cells.next()?);
            let credential = Credential::new(id.as_deref(), status.as_deref());
            let (user, record) = read_user(&mut cells)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            Ok(SeenRow { line, user, leaf_user_id, login, fingerprints, record, credential })
        };
        let all = || -> rusqlite::Result<Vec<_>> {
            let mut statement = self.connection.prepare_cached(&sql)?;
            statement.query_map(params![after, LineDecision::ToDo.as_str(), most], read)?.collect()
        };
        all().map_err(|source| self.failed(source))
    }
}

/// Reads a sight from the cells `sight`, `credential_id` and `credential_status`, of which the first has this number.
pub(super) fn read_sight(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Sight>> {
    let name: Option<String> = row.get(first)?;
    let (id, status): (Option<String>, Option<String>) = (row.get(first + 1)?, row.get(first + 2)?);
    Ok(match name.as_deref() {
        Some("unknown-user") => Some(Sight::UnknownUser),
        Some("forbidden") => Some(Sight::Forbidden),
        Some("nothing") => Some(Sight::NoCredential),
        Some("credential") => Some(Sight::Credential(Credential::new(id.as_deref(), status.as_deref()))),
        _ => None,
    })
}

/// The cells of a sight.
struct SightCells<'a> {
    name: &'static str,
    id: Option<&'a str>,
    status: Option<&'a str>,
}

impl<'a> SightCells<'a> {
    fn of(sight: Option<&'a Sight>) -> Self {
        let bare = |name| Self { name, id: None, status: None };
        match sight {
            None => bare("doubtful"),
            Some(Sight::UnknownUser) => bare("unknown-user"),
            Some(Sight::Forbidden) => bare("forbidden"),
            Some(Sight::NoCredential) => bare("nothing"),
            Some(Sight::Credential(credential)) => Self {
                name: "credential",
                id: credential.id.as_ref().map(crate::model::CredentialId::as_str),
                status: credential.status.as_deref(),
            },
        }
    }
}
