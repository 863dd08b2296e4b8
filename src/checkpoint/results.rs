//! Reads back: users, the outcome of every line, and the counts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::iter::Sum;

use rusqlite::{OptionalExtension as _, Row, Statement, params};

use super::error::LedgerError;
use super::ledger::Ledger;
use super::record::{LineDecision, SavedEvent, UserRecord};
use super::user_row::{Cells, OUTCOME_COLUMNS, USER_COLUMNS, read_outcome, read_user};
use crate::model::{CredentialId, LeafUserId, Login, NextRun, Outcome, OutcomeCode, Stage, UnixMillis};

/// One line of the latest run's manifest with its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineResult {
    /// The line.
    pub line: u64,
    /// The user, unless the line names none.
    pub leaf_user_id: Option<LeafUserId>,
    /// The login, but on an invalid line, where the password may stand in its place.
    pub login: Option<Login>,
    /// How it ended.
    pub outcome: Outcome,
    /// When, for rows that were carried out at some time.
    pub finished_at: Option<UnixMillis>,
    /// The cells of `--keep-column`.
    pub kept: Vec<String>,
    /// Whether the row was left out by `--limit` or `--only`.
    pub not_selected: bool,
}

/// Lines by outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutcomeCounts {
    by_code: BTreeMap<OutcomeCode, u64>,
    /// Those of them that were left out by `--limit` or `--only`.
    not_selected: BTreeMap<OutcomeCode, u64>,
    /// Those of them for which something was announced in the run that isn't decided: under way, or left so by a crash.
    open: BTreeMap<OutcomeCode, u64>,
    /// Lines whose outcome an earlier run had reached, so that this one sent nothing for them.
    pub earlier: u64,
}

impl OutcomeCounts {
    /// How many lines have this outcome.
    #[must_use]
    pub fn of(&self, code: OutcomeCode) -> u64 {
        self.by_code.get(&code).copied().unwrap_or(0)
    }

    /// How many of the lines that weren't left out by `--limit` or `--only` have this outcome.
    #[must_use]
    pub fn selected(&self, code: OutcomeCode) -> u64 {
        self.of(code) - self.not_selected.get(&code).copied().unwrap_or(0)
    }

    /// All lines.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_code.values().sum()
    }

    /// Every outcome that occurs, with its count.
    pub fn iter(&self) -> impl Iterator<Item = (OutcomeCode, u64)> {
        self.by_code.iter().map(|(code, count)| (*code, *count))
    }

    /// The counts by the codes' names.
    #[must_use]
    pub fn by_name(&self) -> BTreeMap<&'static str, u64> {
        self.iter().map(|(code, count)| (code.as_str(), count)).collect()
    }

    /// How many lines are neither decided nor untouched: something was announced for them. While a run is at work they are
    /// under way; their code is what it would be if it were killed now.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.values().sum()
    }

    /// The same counts without the lines that are [`open`](Self::open).
    #[must_use]
    pub fn without_open(&self) -> Self {
        let mut counts = self.clone();
        for (code, open) in std::mem::take(&mut counts.open) {
            if let Some(lines) = counts.by_code.get_mut(&code) {
                *lines -= open;
            }
        }
        counts.by_code.retain(|_, lines| *lines > 0);
        counts
    }

    fn add(&mut self, decision: LineDecision, code: OutcomeCode) {
        *self.by_code.entry(code).or_default() += 1;
        match decision {
            LineDecision::NotSelected => *self.not_selected.entry(code).or_default() += 1,
            LineDecision::Keep | LineDecision::Refused => self.earlier += 1,
            _ => {}
        }
    }
}

impl<'a> Sum<&'a Self> for OutcomeCounts {
    fn sum<I: Iterator<Item = &'a Self>>(counts: I) -> Self {
        let add = |to: &mut BTreeMap<OutcomeCode, u64>, from: &BTreeMap<OutcomeCode, u64>| {
            for (code, count) in from {
                *to.entry(*code).or_default() += count;
            }
        };
        counts.fold(Self::default(), |mut all, counts| {
            add(&mut all.by_code, &counts.by_code);
            add(&mut all.not_selected, &counts.not_selected);
            add(&mut all.open, &counts.open);
            all.earlier += counts.earlier;
            all
        })
    }
}

impl Ledger {
    /// Calls `consume` with the results of the latest run's lines, in the manifest's order, read as it goes.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read. An error further on comes through the iterator.
    pub fn with_results<T>(
        &self,
        run: i64,
        consume: impl FnOnce(&mut dyn Iterator<Item = Result<LineResult, LedgerError>>) -> T,
    ) -> Result<T, LedgerError> {
        let mut statement = self.result_statement()?;
        let mut results = self.results(&mut statement, run)?;
        Ok(consume(&mut results))
    }

    /// What [`results`](Self::results) are read by.
    pub(super) fn result_statement(&self) -> Result<Statement<'_>, LedgerError> {
        let sql = format!(
            "SELECT {} FROM lines LEFT JOIN users ON users.key = lines.user ORDER BY lines.line",
            result_columns()
        );
        self.connection.prepare(&sql).map_err(|source| self.failed(source))
    }

    /// The results of the latest run's lines, in the manifest's order, read as it goes.
    pub(super) fn results<'a>(
        &'a self,
        statement: &'a mut Statement<'_>,
        run: i64,
    ) -> Result<impl Iterator<Item = Result<LineResult, LedgerError>> + 'a, LedgerError> {
        let rows = statement.query_map([], move |row| read_line(row, run));
        let rows = rows.map_err(|source| self.failed(source))?;
        Ok(rows.map(|row| row.map_err(|source| self.failed(source))))
    }

    /// The results of at most so many of the latest run's lines behind the line `line`, in the manifest's order.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn results_after(&self, line: u64, most: u32, run: i64) -> Result<Vec<LineResult>, LedgerError> {
        let sql = format!(
            "SELECT {} FROM lines LEFT JOIN users ON users.key = lines.user
             WHERE lines.line > ?1 ORDER BY lines.line LIMIT ?2",
            result_columns()
        );
        let read = || -> rusqlite::Result<Vec<_>> {
            let mut statement = self.connection.prepare_cached(&sql)?;
            statement.query_map(params![line, most], |row| read_line(row, run))?.collect()
        };
        read().map_err(|source| self.failed(source))
    }

    /// What [`lines`](Self::lines) are read by.
    pub(super) fn line_statement(&self) -> Result<Statement<'_>, LedgerError> {
        self.connection.prepare("SELECT line FROM lines ORDER BY line").map_err(|source| self.failed(source))
    }

    /// The numbers of the latest run's lines, in the manifest's order, read as it goes.
    pub(super) fn lines<'a>(
        &'a self,
        statement: &'a mut Statement<'_>,
    ) -> Result<impl Iterator<Item = Result<u64, LedgerError>> + 'a, LedgerError> {
        let rows = statement.query_map([], |row| row.get(0)).map_err(|source| self.failed(source))?;
        Ok(rows.map(|row| row.map_err(|source| self.failed(source))))
    }

    /// Lets this connection see the ledger as it is now, whatever is written to it from now on, and keep at most about so many
    /// KiB of it in memory.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn hold_still(&self, kib: usize) -> Result<(), LedgerError> {
        let hold = || {
            self.connection.pragma_update(None, "cache_size", -i64::try_from(kib).unwrap_or(i64::MAX))?;
            // The moment is that of the first reading.
            self.connection.execute_batch("BEGIN; SELECT count(*) FROM facts")
        };
        hold().map_err(|source| self.failed(source))
    }

    /// Counts the latest run's lines by outcome.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn count_outcomes(&self, run: i64) -> Result<OutcomeCounts, LedgerError> {
        // Counted here: to group them, SQLite would sort all lines first.
        let sql = "SELECT lines.decision, users.outcome, users.run IS ?1,
                          iif(users.intent_at IS NULL, NULL, users.intent_attaches), users.intent_replacing
                   FROM lines LEFT JOIN users ON users.key = lines.user";
        let count = || {
            let mut counts = OutcomeCounts::default();
            let mut statement = self.connection.prepare(sql)?;
            let mut rows = statement.query([run])?;
            while let Some(row) = rows.next()? {
                let decision = read_decision(row.get_ref(0)?.as_str()?);
                let standing = Standing {
                    outcome: row.get_ref(1)?.as_str_or_null()?.and_then(|name| name.parse().ok()),
                    of_this_run: row.get(2)?,
                    open: row
                        .get::<_, Option<u32>>(3)?
                        .zip(row.get::<_, Option<bool>>(4)?)
                        .map(|(attaches, replacing)| OutcomeCode::of_open(attaches, replacing)),
                };
                let code = code_of(decision, standing);
                counts.add(decision, code);
                if decision.is_to_do() && standing.is_open() {
                    *counts.open.entry(code).or_default() += 1;
                }
            }
            Ok(counts)
        };
        count().map_err(|source| self.failed(source))
    }

    /// How many users ended in the run `run` with this message.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn count_ended(&self, run: i64, message: &str) -> Result<u64, LedgerError> {
        self.connection
            .query_row(
                "SELECT count(*) FROM users WHERE run = ?1 AND message = ?2",
                params![run, message],
                |row| row.get(0),
            )
            .map_err(|source| self.failed(source))
    }

    /// What is known of one user; `None` when the ledger has never met it.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn user(&self, id: LeafUserId) -> Result<Option<UserRecord>, LedgerError> {
        let sql = format!("SELECT {USER_COLUMNS} FROM users WHERE leaf_user_id = ?1");
        self.connection
            .query_row(&sql, [id.as_bytes()], |row| read_user(&mut Cells::of(row)))
            .optional()
            .map(|found| found.flatten().map(|(_, record)| record))
            .map_err(|source| self.failed(source))
    }

    /// The user who holds the credential with this id, or held it when its row was decided last.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn holder_of(&self, credential: &CredentialId) -> Result<Option<LeafUserId>, LedgerError> {
        let sql = "SELECT leaf_user_id FROM users WHERE held_id = ?1 OR credential_id = ?1 LIMIT 1";
        self.connection
            .query_row(sql, [credential.as_str()], |row| row.get(0).map(LeafUserId::from_bytes))
            .optional()
            .map_err(|source| self.failed(source))
    }

    /// The lines of the latest manifest that name a user.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn lines_of(&self, id: LeafUserId) -> Result<Vec<u64>, LedgerError> {
        let sql = "SELECT line FROM lines WHERE leaf_user_id = ?1
                   UNION SELECT lines.line FROM lines JOIN users ON users.key = lines.user
                   WHERE users.leaf_user_id = ?1 ORDER BY 1";
        let read = || -> rusqlite::Result<Vec<_>> {
            self.connection.prepare(sql)?.query_map([id.as_bytes()], |row| row.get(0))?.collect()
        };
        read().map_err(|source| self.failed(source))
    }

    /// What was saved of Leaf's log of a user's deleted credentials.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn events_of(&self, id: LeafUserId) -> Result<Vec<SavedEvent>, LedgerError> {
        let sql = "SELECT events.id, created, status_code FROM events JOIN users ON users.key = events.user
                   WHERE users.leaf_user_id = ?1 ORDER BY created";
        let event = |row: &Row<'_>| {
            Ok(SavedEvent { id: row.get(0)?, created: row.get(1)?, status_code: row.get(2)? })
        };
        let read = || -> rusqlite::Result<Vec<_>> {
            self.connection.prepare(sql)?.query_map([id.as_bytes()], event)?.collect()
        };
        read().map_err(|source| self.failed(source))
    }
}

/// What decides the code of a line, beside the decision for it.
#[derive(Debug, Clone, Copy)]
struct Standing {
    outcome: Option<OutcomeCode>,
    of_this_run: bool,
    /// The code of what is in the open.
    open: Option<OutcomeCode>,
}

impl Standing {
    /// Whether this run has decided nothing yet about what was announced.
    fn is_open(self) -> bool {
        self.open.is_some() && !(self.outcome.is_some() && self.of_this_run)
    }

    /// Whether an outcome of an earlier run still says how things are with a row that this run left out: nothing is in
    /// the open, and no run would simply have tried it again.
    fn stands_unselected(self) -> bool {
        self.open.is_none() && self.outcome.is_some_and(|code| code.next_run() != NextRun::TriesAgain)
    }
}

/// The one rule by which a line's code follows from its decision and its user's record.
fn code_of(decision: LineDecision, standing: Standing) -> OutcomeCode {
    match decision {
        LineDecision::Invalid => OutcomeCode::ManifestInvalid,
        LineDecision::Duplicate => OutcomeCode::ManifestDuplicate,
        LineDecision::Conflict => OutcomeCode::ManifestConflict,
        LineDecision::Refused => OutcomeCode::StaraLoginRejected,
        LineDecision::Keep => standing.outcome.unwrap_or(OutcomeCode::NotReached),
        LineDecision::NotSelected if standing.stands_unselected() => {
            standing.outcome.unwrap_or(OutcomeCode::NotReached)
        }
        LineDecision::ToDo | LineDecision::Replace | LineDecision::NotSelected => match standing {
            // A run that was stopped or killed leaves its intents open: they say what a crash can't.
            Standing { outcome: Some(code), of_this_run: true, .. } | Standing { open: Some(code), .. } => {
                code
            }
            _ => OutcomeCode::NotReached,
        },
    }
}

/// The columns [`read_line`] reads before those of the user's outcome: of a user no more than a report tells.
const LINE_COLUMNS: &str = "lines.line, lines.decision, lines.login, lines.message, lines.kept, \
    coalesce(users.leaf_user_id, lines.leaf_user_id), \
    iif(users.intent_at IS NULL, NULL, users.intent_attaches), users.intent_replacing";

/// The columns of a line's result.
pub(super) fn result_columns() -> String {
    format!("{LINE_COLUMNS}, {OUTCOME_COLUMNS}")
}

pub(super) fn read_line(row: &Row<'_>, run: i64) -> rusqlite::Result<LineResult> {
    let mut cells = Cells::of(row);
    let line = cells.next()?;
    let decision = read_decision(cells.next_ref()?.as_str()?);
    let login: Option<String> = cells.next()?;
    let message: Option<String> = cells.next()?;
    let kept: Option<String> = cells.next()?;
    let id: Option<[u8; 16]> = cells.next()?;
    let open: Option<u32> = cells.next()?;
    let is_replacing: Option<bool> = cells.next()?;
    let record = read_outcome(&mut cells)?;
    let standing = Standing {
        outcome: record.as_ref().map(|record| record.outcome.code),
        of_this_run: record.as_ref().is_some_and(|record| record.run == run),
        open: open.zip(is_replacing).map(|(attaches, replacing)| OutcomeCode::of_open(attaches, replacing)),
    };
    let code = code_of(decision, standing);
    let stands = decision == LineDecision::Keep
        || (decision.is_to_do() && standing.of_this_run)
        || (decision == LineDecision::NotSelected && standing.stands_unselected());
    let (outcome, finished_at) = match record.filter(|_| stands) {
        Some(record) => (record.outcome, Some(record.finished_at)),
        None => (without_record(code, decision, message), None),
    };
    Ok(LineResult {
        line,
        leaf_user_id: id.map(LeafUserId::from_bytes),
        login: login.map(Login::new),
        outcome,
        finished_at,
        kept: kept.and_then(|kept| serde_json::from_str(&kept).ok()).unwrap_or_default(),
        not_selected: decision == LineDecision::NotSelected,
    })
}

/// The outcome of a line for which nothing was recorded in this run.
fn without_record(code: OutcomeCode, decision: LineDecision, message: Option<String>) -> Outcome {
    let stage = match code {
        OutcomeCode::StaraLoginRejected => Stage::Authenticate,
        OutcomeCode::AttachUnconfirmed => Stage::Attach,
        OutcomeCode::CredentialRemoved | OutcomeCode::DetachUnconfirmed => Stage::Remove,
        _ => Stage::Manifest,
    };
    let said = match code {
        OutcomeCode::AttachUnconfirmed => {
            "the attach was sent, and the run ended before its result was known"
        }
        OutcomeCode::CredentialRemoved => {
            "the run ended between deleting the old credential and attaching the new one"
        }
        OutcomeCode::DetachUnconfirmed => {
            "the deletion was sent, and the run ended before its result was known"
        }
        OutcomeCode::NotReached if decision == LineDecision::NotSelected => {
            "not selected by --limit or --only"
        }
        OutcomeCode::NotReached => "the run ended before this row",
        _ => "",
    };
    Outcome {
        code,
        origin: None,
        stage,
        http_status: None,
        attempts: 0,
        credential: None,
        message: message.map_or(Cow::Borrowed(said), Cow::Owned),
    }
}

/// A decision this program didn't write is a row that has work left.
fn read_decision(name: &str) -> LineDecision {
    LineDecision::from_name(name).unwrap_or(LineDecision::ToDo)
}
