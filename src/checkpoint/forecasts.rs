//! What is foreseen for the rows of a staged manifest, beside the ledger and never in memory.

use std::borrow::Cow;

use rusqlite::{Row, params};

use super::approach::Approach;
use super::error::LedgerError;
use super::fingerprint::{Fingerprint, RowFingerprints};
use super::ledger::Ledger;
use super::record::{LineDecision, UserKey, UserRecord};
use super::sights::read_sight;
use super::staging_totals::VANISHED;
use super::user_row::{Cells, USER_COLUMNS, read_user};
use crate::model::{LeafUserId, Login, Sight, Sign};

/// A row of the staged manifest with all that is known of its user.
#[derive(Debug)]
pub struct RowInSight {
    /// Its line.
    pub line: u64,
    /// What staging decided for it.
    pub decision: LineDecision,
    /// What staging had to say about that.
    pub message: Option<String>,
    /// Its login.
    pub login: Login,
    /// Its fingerprints.
    pub fingerprints: RowFingerprints,
    /// Whether Stara refused its login and password before, and that stands.
    pub is_refused: bool,
    /// Its user.
    pub user: UserKey,
    /// What is known of the user from earlier runs.
    pub record: UserRecord,
    /// What was seen of the user; `None` where nothing certain was.
    pub sight: Option<Sight>,
    /// How many calls of its own that took; none where Leaf's list showed it.
    pub looks: u32,
}

/// What is foreseen for a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreseen {
    /// The row's line.
    pub line: u64,
    /// Its user.
    pub user: UserKey,
    /// What is foreseen; `None` where Leaf couldn't be asked.
    pub sign: Option<Sign>,
    /// Why, in our own words.
    pub why: Cow<'static, str>,
}

/// What is foreseen for a row or for a user that the manifest no longer names, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeseenRow {
    /// Its place among all of them.
    pub place: u64,
    /// What is foreseen; `None` where Leaf couldn't be asked.
    pub sign: Option<Sign>,
    /// Its line; `None` where the manifest no longer names the user.
    pub line: Option<u64>,
    /// Its user.
    pub leaf_user_id: LeafUserId,
    /// Its login, or the last one that the ledger knows.
    pub login: Option<Login>,
    /// Why, in our own words.
    pub why: String,
}

const TABLE: &str = "
    DROP TABLE IF EXISTS temp.foreseen;
    CREATE TEMP TABLE foreseen (
        place  INTEGER PRIMARY KEY,
        line   INTEGER,
        user   INTEGER NOT NULL,
        sign   TEXT,
        why    TEXT NOT NULL
    ) STRICT;";

impl Ledger {
    /// The next rows of the staged manifest, at most `most`, from behind the line `after` on, for a run that puts logins to
    /// Stara in this way. Lines that are no rows of their own, and rows that weren't selected, aren't among them.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read, or nothing was begun to be seen.
    pub fn rows_in_sight(
        &self,
        approach: Approach,
        after: u64,
        most: usize,
    ) -> Result<Vec<RowInSight>, LedgerError> {
        let sql = format!(
            "SELECT lines.line, lines.decision, lines.message, lines.login, lines.row_print, lines.login_print,
                    refusals.at IS NOT NULL AND ifnull(refusals.asked = ?3, TRUE),
                    sights.sight, sights.credential_id, sights.credential_status, ifnull(sights.looks, 0), {USER_COLUMNS}
             FROM lines JOIN users ON users.key = lines.user
             LEFT JOIN sights ON sights.user = lines.user
             LEFT JOIN refusals ON refusals.login_print = lines.login_print
             WHERE lines.line > ?1 AND lines.decision IN ('keep', 'to-do', 'replace', 'refused')
             ORDER BY lines.line LIMIT ?2"
        );
        let all = || -> rusqlite::Result<Vec<_>> {
            let mut statement = self.connection.prepare_cached(&sql)?;
            statement.query_map(params![after, most, approach.0], read_row)?.collect()
        };
        all().map_err(|source| self.failed(source))
    }

    /// Begins anew to keep what is foreseen, with the users that the staged manifest names no longer; tells how many.
    ///
    /// # Errors
    ///
    /// When it can't be kept.
    pub fn begin_foreseeing(&self) -> Result<u64, LedgerError> {
        let vanished = format!(
            "INSERT INTO foreseen (user, sign, why)
             SELECT key, ?1, iif(intent_at IS NULL, 'the ledger knows a credential of it', 'something that was sent isn''t settled')
             FROM users WHERE {VANISHED} ORDER BY key"
        );
        let begin = || {
            self.connection.execute_batch(TABLE)?;
            self.connection.execute(&vanished, [Sign::Gone.as_str()]).map(|users| users as u64)
        };
        begin().map_err(|source| self.failed(source))
    }

    /// Keeps what is foreseen.
    ///
    /// # Errors
    ///
    /// When it can't be kept.
    pub fn foresee(&self, rows: &[Foreseen]) -> Result<(), LedgerError> {
        let keep = || -> rusqlite::Result<()> {
            let transaction = self.connection.unchecked_transaction()?;
            {
                let mut put = transaction
                    .prepare_cached("INSERT INTO foreseen (line, user, sign, why) VALUES (?1, ?2, ?3, ?4)")?;
                for row in rows {
                    put.execute(params![row.line, row.user.0, row.sign.map(Sign::as_str), row.why])?;
                }
            }
            transaction.commit()
        };
        keep().map_err(|source| self.failed(source))
    }

    /// The next rows for which something is foreseen, at most `most`, from behind the place `after` on; only those of one
    /// sign, or of all.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    #[allow(clippy::option_option, reason = "all rows, those without a sign, and those of one sign")]
    pub fn foreseen(
        &self,
        of: Option<Option<Sign>>,
        after: u64,
        most: usize,
    ) -> Result<Vec<ForeseenRow>, LedgerError> {
        let sql = "SELECT place, foreseen.sign, foreseen.line, users.leaf_user_id, coalesce(lines.login, users.login), why
                   FROM foreseen JOIN users ON users.key = foreseen.user LEFT JOIN lines ON lines.line = foreseen.line
                   WHERE place > ?1 AND (?3 OR sign IS ?4) ORDER BY place LIMIT ?2";
        let read = |row: &Row<'_>| {
            Ok(ForeseenRow {
                place: row.get(0)?,
                sign: row.get::<_, Option<String>>(1)?.and_then(|name| Sign::from_name(&name)),
                line: row.get(2)?,
                leaf_user_id: LeafUserId::from_bytes(row.get(3)?),
                login: row.get::<_, Option<String>>(4)?.map(Login::new),
                why: row.get(5)?,
            })
        };
        let sign = of.flatten().map(Sign::as_str);
        let all = || -> rusqlite::Result<Vec<_>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.query_map(params![after, most, of.is_none(), sign], read)?.collect()
        };
        all().map_err(|source| self.failed(source))
    }
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<RowInSight> {
    const SIGHT: usize = 7;
    let sight = read_sight(row, SIGHT)?;
    let mut cells = Cells::of(row);
    let line = cells.next()?;
    let decision = LineDecision::from_name(&cells.next::<String>()?).unwrap_or(LineDecision::ToDo);
    let message = cells.next()?;
    let login = Login::new(cells.next::<String>()?);
    let fingerprints = RowFingerprints { row: Fingerprint(cells.next()?), login: Fingerprint(cells.next()?) };
    let is_refused = cells.next()?;
    for _ in 0..3 {
        cells.next::<Option<String>>()?;
    }
    let looks = cells.next()?;
    let (user, record) = read_user(&mut cells)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok(RowInSight { line, decision, message, login, fingerprints, is_refused, user, record, sight, looks })
}
