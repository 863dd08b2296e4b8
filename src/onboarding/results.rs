//! What became of every line, read from the ledger.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::error::{Error, ErrorKind};
use crate::checkpoint::{Ledger, LedgerAccess, LineResult, OutcomeCounts};
use crate::model::{LeafUserId, Login, NextRun, Origin, OutcomeCode, Owner, Stage, UnixMillis};

/// How many lines are read at a time.
const PAGE: u32 = 512;

/// How much of the ledger a reading keeps in memory, in KiB.
const CACHE: usize = 512;

/// The results of the latest run in a ledger: exactly one for each line of its manifest.
///
/// They are read as they are asked for, and never held as a whole.
///
/// ```no_run
/// use stara_onboard::Results;
///
/// for row in Results::of_latest_run("state/ledger.db")?.rows()? {
///     let row = row?;
///     println!("line {}: {} ({}): {}", row.line, row.code, row.owner().as_str(), row.advice());
/// }
/// # Ok::<(), stara_onboard::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Results {
    ledger: PathBuf,
    run: i64,
    outcomes: OutcomeCounts,
}

/// What became of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowResult {
    /// The line on which the row starts, the header being line 1; in Parquet the row's number, from 1.
    pub line: u64,
    /// The user at Leaf; `None` on a line that names none.
    pub leaf_user_id: Option<LeafUserId>,
    /// The login; `None` on an invalid line, where the password may stand in its place.
    pub login: Option<Login>,
    /// How it ended.
    pub code: OutcomeCode,
    /// Where the credential came from, for rows that have one.
    pub origin: Option<Origin>,
    /// Where it ended.
    pub stage: Stage,
    /// The HTTP status of that stage's last answer, where there was one.
    pub http_status: Option<u16>,
    /// The id of the credential at Leaf, where one was seen.
    pub credential_id: Option<String>,
    /// When the outcome was recorded, for rows that were carried out at some time.
    pub finished_at: Option<SystemTime>,
    /// What happened, in our own words: never a piece of an answer's body or of the manifest.
    pub message: String,
    /// The cells of the kept columns, in their order; empty on an invalid line, whose cells may stand in wrong columns.
    pub kept: Vec<String>,
    /// Whether the row was wanted: false where `limit` or `only` left it out.
    pub is_selected: bool,
}

impl Results {
    /// The results of the latest run in the ledger at this path, by whichever process it was.
    ///
    /// # Errors
    ///
    /// When there is no ledger, nothing was run with it yet, or it can't be read.
    pub fn of_latest_run(ledger: impl AsRef<Path>) -> Result<Self, Error> {
        let path = ledger.as_ref();
        let ledger = Ledger::open(path, LedgerAccess::Read)?;
        let latest = ledger.latest_run()?.ok_or_else(|| Ledger::missing(path))?;
        Ok(Self::of_run(path, latest.run, ledger.count_outcomes(latest.run)?))
    }

    pub(super) fn of_run(ledger: &Path, run: i64, outcomes: OutcomeCounts) -> Self {
        Self { ledger: ledger.to_owned(), run, outcomes }
    }

    /// The run's number in its ledger, from 1.
    #[must_use]
    pub const fn run(&self) -> i64 {
        self.run
    }

    /// How many lines the manifest has.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.outcomes.total()
    }

    /// How many lines have which outcome, those that occur. They add up to [`lines`](Self::lines).
    pub fn counts(&self) -> impl Iterator<Item = (OutcomeCode, u64)> {
        self.outcomes.iter()
    }

    /// Every line's result, in the order of the manifest, as the ledger has them at this moment.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read, or another run has begun in it since, whose lines take the place of these.
    pub fn rows(&self) -> Result<impl Iterator<Item = Result<RowResult, Error>> + use<>, Error> {
        let ledger = Ledger::open(&self.ledger, LedgerAccess::Read)?;
        ledger.hold_still(CACHE)?;
        if ledger.latest_run()?.is_none_or(|latest| latest.run != self.run) {
            let what = format!(
                "the lines of run {} are no longer in the ledger {}: another run has begun since",
                self.run,
                self.ledger.display()
            );
            return Err(Error::new(ErrorKind::Ledger, what));
        }
        Ok(Rows { ledger, run: self.run, page: VecDeque::new(), last: 0, is_over: false })
    }
}

/// Reads line after line, a page of them at a time.
struct Rows {
    ledger: Ledger,
    run: i64,
    page: VecDeque<LineResult>,
    last: u64,
    is_over: bool,
}

impl Iterator for Rows {
    type Item = Result<RowResult, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty() && !self.is_over {
            match self.ledger.results_after(self.last, PAGE, self.run) {
                Ok(page) => {
                    self.is_over = page.is_empty();
                    self.page = page.into();
                }
                Err(error) => {
                    self.is_over = true;
                    return Some(Err(error.into()));
                }
            }
        }
        let line = self.page.pop_front()?;
        self.last = line.line;
        Some(Ok(line.into()))
    }
}

impl RowResult {
    /// Who must act.
    #[must_use]
    pub const fn owner(&self) -> Owner {
        self.code.owner()
    }

    /// What to do, in a sentence. Where it names flags, they are those of the program.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        self.code.advice()
    }

    /// What the next run with the same manifest does with the row.
    #[must_use]
    pub const fn next_run(&self) -> NextRun {
        self.code.next_run()
    }
}

impl From<LineResult> for RowResult {
    fn from(result: LineResult) -> Self {
        let outcome = result.outcome;
        let credential = outcome.credential.and_then(|credential| credential.id);
        Self {
            line: result.line,
            leaf_user_id: result.leaf_user_id,
            login: result.login,
            code: outcome.code,
            origin: outcome.origin,
            stage: outcome.stage,
            http_status: outcome.http_status,
            credential_id: credential.map(String::from),
            finished_at: result.finished_at.map(wall_clock),
            message: outcome.message.into_owned(),
            kept: result.kept,
            is_selected: !result.not_selected,
        }
    }
}

fn wall_clock(at: UnixMillis) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).unwrap_or_default())
}
