//! Stages a manifest: every line in the ledger with the decision for it, in one transaction or not at all.

use std::collections::HashMap;

use rusqlite::{
    CachedStatement, Connection, OptionalExtension as _, Transaction, TransactionBehavior, params,
};

use super::approach::Approach;
use super::error::LedgerError;
use super::findings::{self, STANDING, StandingFinding, read_standing};
use super::fingerprint::RowFingerprints;
use super::ledger::{KeyStanding, Ledger, REMEMBER};
use super::links;
use super::record::{LineDecision, Refusal, UserKey, UserRecord};
use super::refusals::REFUSED_LOGINS;
use super::runs::{RunStart, insert_run, to_json};
use super::staging_tally::StagingTally;
use super::staging_totals::{StagingTotals, judge_together};
use super::user_row::{Cells, USER_COLUMNS, read_user};
use super::whole_manifest::WholeManifest;
use crate::model::{LeafUserId, Login, OutcomeCode, UnixMillis};

/// A line of the manifest on its way into the ledger. It holds no password.
#[derive(Debug)]
pub struct StagedLine {
    /// Its number in the manifest.
    pub line: u64,
    /// What it says.
    pub content: LineContent,
    /// The cells of `--keep-column`.
    pub kept: Vec<String>,
}

/// What a line says.
#[derive(Debug)]
pub enum LineContent {
    /// A row.
    Row(StagedRow),
    /// A user, of whom it says no more.
    User(LeafUserId),
    /// Nothing that can be carried out.
    Invalid {
        /// The user it names all the same, if it does.
        leaf_user_id: Option<LeafUserId>,
        /// Why, without a cell.
        message: String,
    },
    /// A line of another shard. It isn't kept.
    Elsewhere {
        /// The user it names, if it does.
        leaf_user_id: Option<LeafUserId>,
        /// The login, where it is a row.
        login: Option<Login>,
    },
}

/// A row without its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedRow {
    /// Its user.
    pub leaf_user_id: LeafUserId,
    /// Its login.
    pub login: Login,
    /// Its fingerprints.
    pub fingerprints: RowFingerprints,
}

/// What is known when a row is decided.
#[derive(Debug)]
pub struct StagedUser {
    /// The user's record from earlier runs, if there is one.
    pub record: Option<UserRecord>,
    /// The earlier refusal of this login and password that stands, if there is one.
    pub refusal: Option<Refusal>,
    /// Whether there is one that doesn't stand: everybody was refused then, and Stara is asked in another way now.
    pub is_reopened: bool,
    /// What the last audit found, where the user wasn't well and no run has brought it to its end since.
    pub finding: Option<StandingFinding>,
    /// Whether a magic link was made for the user, who may have signed in by it since.
    pub has_link: bool,
}

/// Why a manifest wasn't staged. The ledger is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum StageError<E> {
    /// The lines ended with an error.
    #[error("the manifest can't be read")]
    Lines(E),
    /// The ledger can't be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

const FIND_USER: &str = "WHERE leaf_user_id = ?1";

/// Looks whether the user with this key is the one with this id. The plus keeps SQLite from the index of ids, whose pages
/// lie in no order.
const EXPECTED_USER: &str = "WHERE key = ?1 AND +leaf_user_id = ?2";

/// A line that is as it was is not written again: a night on which nothing changed rewrites next to nothing.
const PUT_LINE: &str = "
    INSERT INTO lines (line, user, leaf_user_id, login, row_print, login_print, decision, message, kept)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (line) DO UPDATE SET
        user = excluded.user, leaf_user_id = excluded.leaf_user_id, login = excluded.login,
        row_print = excluded.row_print, login_print = excluded.login_print,
        decision = excluded.decision, message = excluded.message, kept = excluded.kept
    WHERE (user, leaf_user_id, login, row_print, login_print, decision, message, kept)
        IS NOT (excluded.user, excluded.leaf_user_id, excluded.login, excluded.row_print, excluded.login_print,
                excluded.decision, excluded.message, excluded.kept)";

impl Ledger {
    /// Stages `lines` as the lines of a new run, each decided by `decide`, which gets the row unless the line only names a
    /// user.
    ///
    /// # Errors
    ///
    /// When the lines end with an error or the ledger can't be written; then it is as it was before.
    pub fn stage<E>(
        &mut self,
        start: &RunStart,
        lines: impl Iterator<Item = Result<StagedLine, E>>,
        mut decide: impl FnMut(Option<&StagedRow>, &StagedUser) -> LineDecision,
    ) -> Result<StagingTotals, StageError<E>> {
        let (path, standing, claim) = (self.path.clone(), self.key_standing(), self.claim());
        let shard = self.shard();
        let failed = |source| StageError::Ledger(LedgerError::Database { path: path.clone(), source });
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        for (name, value) in claim {
            transaction.execute(REMEMBER, [name, value.as_str()]).map_err(failed)?;
        }
        let run = insert_run(&transaction, start).map_err(failed)?;
        let (mut count, mut last) = (0, 0);
        let mut whole = WholeManifest::new(shard.filter(|_| start.is_of_manifest));
        let tally = {
            let mut stager = Stager::new(&transaction, standing, start.approach).map_err(failed)?;
            for line in lines {
                let line = line.map_err(StageError::Lines)?;
                whole.add(&line);
                if matches!(line.content, LineContent::Elsewhere { .. }) {
                    continue;
                }
                stager.drop_between(last, line.line).map_err(failed)?;
                (count, last) = (count + 1, line.line);
                stager.put(&line, &mut decide).map_err(failed)?;
            }
            stager.tally
        };
        let totals = judge_together(&transaction, run, start.limit, (count, last), &tally, whole);
        let totals = totals.map_err(failed)?;
        transaction.commit().map_err(failed)?;
        self.claimed();
        Ok(totals)
    }
}

/// The statements of one staging.
struct Stager<'a> {
    transaction: &'a Transaction<'a>,
    add_user: CachedStatement<'a>,
    find_user: CachedStatement<'a>,
    expected_user: CachedStatement<'a>,
    /// The user of the line before, and the newest one before this staging.
    last_user: i64,
    newest_user: i64,
    tally: StagingTally,
    find_refusal: CachedStatement<'a>,
    find_finding: CachedStatement<'a>,
    put_line: CachedStatement<'a>,
    any_refusals: bool,
    any_findings: bool,
    find_link: CachedStatement<'a>,
    any_links: bool,
    approach: Approach,
    /// With the key lost, refused logins can only be told by their users' records.
    refused_logins: HashMap<String, UnixMillis>,
}

impl<'a> Stager<'a> {
    fn new(
        transaction: &'a Transaction<'a>,
        standing: KeyStanding,
        approach: Approach,
    ) -> rusqlite::Result<Self> {
        Ok(Self {
            transaction,
            add_user: transaction
                .prepare_cached("INSERT INTO users (leaf_user_id) VALUES (?1) ON CONFLICT DO NOTHING")?,
            find_user: transaction
                .prepare_cached(&format!("SELECT {USER_COLUMNS} FROM users {FIND_USER}"))?,
            expected_user: transaction
                .prepare_cached(&format!("SELECT {USER_COLUMNS} FROM users {EXPECTED_USER}"))?,
            last_user: 0,
            newest_user: transaction
                .query_row("SELECT ifnull(max(key), 0) FROM users", [], |row| row.get(0))?,
            tally: StagingTally::default(),
            find_refusal: transaction
                .prepare_cached("SELECT http_status, at, asked FROM refusals WHERE login_print = ?1")?,
            find_finding: transaction.prepare_cached(STANDING)?,
            any_findings: findings::any(transaction)?,
            find_link: transaction.prepare_cached("SELECT 1 FROM links WHERE user = ?1")?,
            any_links: links::any(transaction)?,
            approach,
            put_line: transaction.prepare_cached(PUT_LINE)?,
            refused_logins: if standing == KeyStanding::Lost {
                refused_logins(transaction)?
            } else {
                HashMap::new()
            },
            any_refusals: transaction
                .query_row("SELECT EXISTS (SELECT 1 FROM refusals)", [], |row| row.get(0))?,
        })
    }

    fn put(
        &mut self,
        line: &StagedLine,
        decide: &mut impl FnMut(Option<&StagedRow>, &StagedUser) -> LineDecision,
    ) -> rusqlite::Result<()> {
        let kept = (!line.kept.is_empty()).then(|| to_json(&line.kept));
        match &line.content {
            LineContent::Elsewhere { .. } => {}
            LineContent::Invalid { leaf_user_id, message } => {
                let id = leaf_user_id.as_ref().map(LeafUserId::as_bytes);
                let decision = LineDecision::Invalid.as_str();
                let nothing = None::<i64>;
                self.tally.note_line(LineDecision::Invalid);
                self.put_line.execute(params![
                    line.line,
                    nothing,
                    id,
                    None::<&str>,
                    nothing,
                    nothing,
                    decision,
                    message,
                    kept
                ])?;
            }
            LineContent::User(leaf_user_id) => {
                let (user, record) = self.user(*leaf_user_id)?;
                let login = record.as_ref().and_then(|record| record.login.clone());
                let finding = self.finding(user)?;
                let staged =
                    StagedUser { record, refusal: None, is_reopened: false, finding, has_link: false };
                let decision = decide(None, &staged);
                self.tally.note(decision, user, staged.record.as_ref());
                let nothing = None::<i64>;
                self.put_line.execute(params![
                    line.line,
                    user.0,
                    None::<&[u8]>,
                    login.as_ref().map(Login::as_str),
                    nothing,
                    nothing,
                    decision.as_str(),
                    None::<&str>,
                    kept
                ])?;
            }
            LineContent::Row(row) => {
                let (user, record) = self.user(row.leaf_user_id)?;
                let found = self.refusal(row)?;
                let (refusal, is_reopened) = match found {
                    Some((_, Some(asked))) if asked != self.approach => (None, true),
                    found => (found.map(|(refusal, _)| refusal), false),
                };
                let finding = self.finding(user)?;
                let has_link = self.has_link(user)?;
                let staged = StagedUser { record, refusal, is_reopened, finding, has_link };
                let decision = decide(Some(row), &staged);
                self.tally.note(decision, user, staged.record.as_ref());
                let message = refusal.filter(|_| decision == LineDecision::Refused).map(|refusal| {
                    format!("Stara refused this login and password on {}", refusal.at.to_rfc3339())
                });
                let prints = row.fingerprints;
                self.put_line.execute(params![
                    line.line,
                    user.0,
                    None::<&[u8]>,
                    row.login.as_str(),
                    prints.row.0,
                    prints.login.0,
                    decision.as_str(),
                    message,
                    kept
                ])?;
            }
        }
        Ok(())
    }

    /// Drops lines of an earlier manifest between two of this one, where it has blank lines or cells of several lines.
    fn drop_between(&self, last: u64, line: u64) -> rusqlite::Result<()> {
        if line > last + 1 {
            let mut statement =
                self.transaction.prepare_cached("DELETE FROM lines WHERE line > ?1 AND line < ?2")?;
            statement.execute([last, line])?;
        }
        Ok(())
    }

    fn user(&mut self, id: LeafUserId) -> rusqlite::Result<(UserKey, Option<UserRecord>)> {
        let bytes = id.as_bytes();
        let read = |row: &rusqlite::Row<'_>| read_user(&mut Cells::of(row));
        // A manifest mostly names its users in the order in which an earlier one named them first.
        let expected = self.last_user + 1;
        if expected <= self.newest_user
            && let Some((key, record)) =
                self.expected_user.query_row(params![expected, bytes], read).optional()?.flatten()
        {
            self.last_user = key.0;
            return Ok((key, Some(record)));
        }
        if self.add_user.execute([bytes])? == 1 {
            return Ok((UserKey(self.transaction.last_insert_rowid()), None));
        }
        let found = self.find_user.query_row([bytes], read)?;
        let (key, record) = found.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        self.last_user = key.0;
        Ok((key, Some(record)))
    }

    fn finding(&mut self, user: UserKey) -> rusqlite::Result<Option<StandingFinding>> {
        if !self.any_findings {
            return Ok(None);
        }
        self.find_finding.query_row([user.0], read_standing).optional().map(Option::flatten)
    }

    fn has_link(&mut self, user: UserKey) -> rusqlite::Result<bool> {
        Ok(self.any_links && self.find_link.exists([user.0])?)
    }

    /// The refusal of this login and password, and how Stara was asked then where that is in doubt.
    fn refusal(&mut self, row: &StagedRow) -> rusqlite::Result<Option<(Refusal, Option<Approach>)>> {
        let login = row.fingerprints.login;
        if let Some(at) = self.refused_logins.get(row.login.as_str()) {
            return Ok(Some((Refusal { login, http_status: None, at: *at }, None)));
        }
        if !self.any_refusals {
            return Ok(None);
        }
        let read = |row: &rusqlite::Row<'_>| {
            let refusal = Refusal { login, http_status: row.get(0)?, at: UnixMillis(row.get(1)?) };
            Ok((refusal, row.get::<_, Option<i64>>(2)?.map(Approach)))
        };
        self.find_refusal.query_row([login.0], read).optional()
    }
}

fn refused_logins(connection: &Connection) -> rusqlite::Result<HashMap<String, UnixMillis>> {
    let sql = format!("{REFUSED_LOGINS} GROUP BY login");
    let refused = OutcomeCode::StaraLoginRejected.as_str();
    connection
        .prepare(&sql)?
        .query_map([refused], |row| Ok((row.get(0)?, UnixMillis(row.get(1)?))))?
        .collect()
}
