//! The first reading of the manifest: every line into the ledger, judged and decided, before anything is sent.

use std::collections::HashSet;
use std::iter::{Copied, Zip};
use std::ops::RangeFrom;
use std::slice::Iter;
use std::time::{Duration, Instant};

use super::ahead::make_ahead;
use super::audit::{RepairDecider, RepairRule};
use super::decide::{Decider, Selection, decide_leaver};
use super::divided_logins::DividedLogins;
use super::event::{Event, Observe};
use super::stop::{Stop, StopCause};
use crate::checkpoint::{
    FingerprintKey, Ledger, LedgerError, LineContent, LineDecision, RunStart, StageError, StagedLine,
    StagedRow, StagedUser, StagingTotals,
};
use crate::manifest::{InvalidLine, LintOptions, Linter, Manifest, ManifestError, Record, Records, UserLine};
use crate::model::{LeafUserId, Login, Secret, Shard};

/// How many invalid lines are listed when there are too many.
const LISTED: usize = 20;

/// After how many lines each it is asked again whether login and password changed places.
const SWAP_EVERY: u64 = 64;

/// How many invalid lines a manifest may have (`--max-invalid`, `--strict`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum InvalidLimit {
    /// At most so many.
    Lines(u64),
    /// At most this part of all lines, in percent, but at least 20 lines.
    Percent(f64),
}

impl Default for InvalidLimit {
    fn default() -> Self {
        Self::Percent(10.0)
    }
}

impl InvalidLimit {
    fn is_exceeded(self, invalid: u64, lines: u64) -> bool {
        match self {
            Self::Lines(most) => invalid > most,
            #[expect(clippy::cast_precision_loss, reason = "a manifest has fewer than 2^52 lines")]
            Self::Percent(percent) => invalid > 20 && invalid as f64 > lines as f64 * percent / 100.0,
        }
    }
}

/// How a manifest is staged.
#[derive(Debug, Clone)]
pub struct StagingOptions {
    /// Which rows the user wants.
    pub selection: Selection,
    /// How many lines may be no rows.
    pub invalid_limit: InvalidLimit,
    /// The accessTokenClient of rows that have none of their own.
    pub default_client: Option<Secret>,
    /// Where only what audits found unhealthy is repaired, by which rule.
    pub repair: Option<RepairRule>,
    /// Whether the manifest is linted by the way, which [`Event::Linted`] tells.
    pub is_linted: bool,
    /// Whether the columns are taken as they are though logins and passwords seem to have changed places.
    pub takes_swapped: bool,
}

/// Why a manifest wasn't staged. Nothing was sent, and the ledger is as it was.
#[derive(Debug, thiserror::Error)]
pub enum StagingError {
    /// The manifest can't be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The ledger can't be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// `--only` names users that aren't in the manifest.
    #[error("--only names {} that {} in the manifest: {}", plural(.users.len()), if .users.len() == 1 { "isn't" } else { "aren't" }, .users.join(", "))]
    UnknownOnly {
        /// Their leafUserIds.
        users: Vec<String>,
    },
    /// A signal came, or the run's time was over.
    #[error("{0} while the manifest was being staged")]
    Stopped(StopCause),
    /// What stands in the column of logins seems to be passwords, which must not get into the ledger.
    #[error(
        "login and password seem to have changed places: most passwords look like logins, and the logins don't"
    )]
    SwappedColumns,
    /// More lines than allowed are no rows.
    #[error("{invalid} of {lines} lines are no rows:\n{}", .first.join("\n"))]
    TooManyInvalid {
        /// How many.
        invalid: u64,
        /// Of how many.
        lines: u64,
        /// The first of them, with line and column.
        first: Vec<String>,
    },
}

/// Stages `manifest` as the lines of a new run.
///
/// # Errors
///
/// When it can't be read, too many of its lines are no rows, or the ledger can't be written.
pub fn stage(
    ledger: &mut Ledger,
    manifest: &Manifest,
    start: &RunStart,
    options: &StagingOptions,
    stop: &Stop,
    observer: &dyn Observe,
) -> Result<StagingTotals, StagingError> {
    observer.observe(&Event::StagingStarted { total_bytes: Some(manifest.size_bytes()) });
    let key = ledger.key().clone();
    let decider = Decider::new(&options.selection, ledger.key_standing());
    let repair = options.repair.map(RepairDecider::new);
    let linter =
        || Linter::new(manifest, LintOptions { most_listed: 0, takes_swapped: options.takes_swapped });
    // All shards read the same manifest: one tells of it.
    let is_told = options.is_linted && ledger.shard().is_none_or(|shard| shard.index() == 0);
    let mut lines = Lines {
        source: LineSource::Manifest(manifest.records()?),
        linter: (is_told || !options.takes_swapped).then(linter),
        key,
        default_client: options.default_client.as_ref(),
        limit: options.invalid_limit,
        only_missing: options.selection.only.clone(),
        stop,
        observer,
        staged: 0,
        invalid: 0,
        first: Vec::new(),
        told: Instant::now(),
        is_over: false,
        shard: ledger.shard(),
        divided: DividedLogins::of(ledger.shard()),
    };
    let decide = |row: Option<&StagedRow>, user: &StagedUser| {
        row.map_or(LineDecision::Keep, |row| match &repair {
            Some(repair) => repair.decide(user),
            None => decider.decide(row, user),
        })
    };
    // Read, linted and fingerprinted on one core while the other writes.
    let staged = make_ahead(&mut lines, |lines| ledger.stage(start, lines, decide)).map_err(of_staging)?;
    if let Some(divided) = lines.divided.take().filter(|_| staged.to_do > 0) {
        tell_of_divided(divided, ledger.shard(), manifest, stop, observer)?;
    }
    if let Some(linter) = lines.linter.take().filter(|_| is_told) {
        tell_of_lint(linter, manifest, stop, observer)?;
    }
    Ok(staged)
}

/// Tells how many logins of the shard stand in rows of others, too, where any do.
fn tell_of_divided(
    mut divided: DividedLogins,
    shard: Option<Shard>,
    manifest: &Manifest,
    stop: &Stop,
    observer: &dyn Observe,
) -> Result<(), ManifestError> {
    if !divided.are_possible() {
        return Ok(());
    }
    for record in manifest.records()? {
        if stop.is_draining() {
            return Ok(());
        }
        if let Record::Row(row) = record? {
            divided.compare(&row.login, shard.is_some_and(|shard| shard.takes(row.leaf_user_id)));
        }
    }
    let (logins, is_at_least) = divided.count();
    if logins > 0 {
        observer.observe(&Event::LoginsDivided { logins, is_at_least });
    }
    Ok(())
}

/// Ends the lint of a manifest that was read once, and tells what it found.
fn tell_of_lint(
    mut linter: Linter,
    manifest: &Manifest,
    stop: &Stop,
    observer: &dyn Observe,
) -> Result<(), ManifestError> {
    if linter.needs_second_reading() {
        for record in manifest.records()? {
            if stop.is_draining() {
                return Ok(());
            }
            linter.read_again(&record?);
        }
    }
    let report = linter.finish();
    if !report.is_clean() {
        observer.observe(&Event::Linted(Box::new(report)));
    }
    Ok(())
}

/// Whose credentials are to be taken away.
#[derive(Debug, Clone, Copy)]
pub enum Leaving<'a> {
    /// The users that a manifest names.
    Manifest(&'a Manifest),
    /// These.
    Users(&'a [LeafUserId]),
}

/// Stages users as the lines of a new run that takes their credentials away.
///
/// # Errors
///
/// As [`stage`].
pub fn stage_leavers(
    ledger: &mut Ledger,
    leaving: Leaving<'_>,
    start: &RunStart,
    limit: InvalidLimit,
    stop: &Stop,
    observer: &dyn Observe,
) -> Result<StagingTotals, StagingError> {
    let (source, total_bytes) = match leaving {
        Leaving::Manifest(manifest) => {
            (LineSource::Manifest(manifest.records()?), Some(manifest.size_bytes()))
        }
        Leaving::Users(users) => (LineSource::Users(users.iter().copied().zip(1..)), None),
    };
    observer.observe(&Event::StagingStarted { total_bytes });
    let lines = Lines {
        source,
        linter: None,
        key: ledger.key().clone(),
        default_client: None,
        limit,
        only_missing: HashSet::new(),
        stop,
        observer,
        staged: 0,
        invalid: 0,
        first: Vec::new(),
        told: Instant::now(),
        is_over: false,
        shard: ledger.shard(),
        divided: None,
    };
    ledger.stage(start, lines, |_, user| decide_leaver(user)).map_err(of_staging)
}

/// A line of another shard, of which nothing is kept but that the print of the whole manifest covers it.
const fn elsewhere(
    line: u64,
    leaf_user_id: Option<LeafUserId>,
    login: Option<Login>,
    kept: Vec<String>,
) -> StagedLine {
    StagedLine { line, content: LineContent::Elsewhere { leaf_user_id, login }, kept }
}

fn of_staging(error: StageError<StagingError>) -> StagingError {
    match error {
        StageError::Lines(error) => error,
        StageError::Ledger(error) => StagingError::Ledger(error),
    }
}

fn plural(users: usize) -> &'static str {
    if users == 1 { "a user" } else { "users" }
}

/// Where lines come from.
enum LineSource<'a> {
    /// A manifest's records.
    Manifest(Records),
    /// Users, each with its place from 1.
    Users(Zip<Copied<Iter<'a, LeafUserId>>, RangeFrom<u64>>),
}

impl LineSource<'_> {
    fn next(&mut self) -> Option<Result<Record, ManifestError>> {
        match self {
            Self::Manifest(records) => records.next(),
            Self::Users(users) => users.next().map(|(leaf_user_id, line)| {
                Ok(Record::User(UserLine { line, leaf_user_id, kept: Vec::new() }))
            }),
        }
    }

    fn bytes_read(&self) -> u64 {
        match self {
            Self::Manifest(records) => records.bytes_read(),
            Self::Users(_) => 0,
        }
    }
}

/// The manifest's records as lines for the ledger, ending with an error when too many are invalid.
struct Lines<'a> {
    source: LineSource<'a>,
    /// Looks at the records as they come, where the manifest is linted.
    linter: Option<Linter>,
    key: FingerprintKey,
    default_client: Option<&'a Secret>,
    limit: InvalidLimit,
    /// The users of `--only` that haven't been met yet.
    only_missing: HashSet<LeafUserId>,
    stop: &'a Stop,
    observer: &'a dyn Observe,
    staged: u64,
    invalid: u64,
    first: Vec<String>,
    told: Instant,
    is_over: bool,
    /// Whose lines are staged; the manifest is judged as a whole.
    shard: Option<Shard>,
    /// Finds logins that stand in rows of other shards, too.
    divided: Option<DividedLogins>,
}

impl Iterator for Lines<'_> {
    type Item = Result<StagedLine, StagingError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        if let Some(stopped) = self.stopped() {
            return Some(Err(stopped));
        }
        // Early, before much of it is in the transaction.
        if self.staged.is_multiple_of(SWAP_EVERY) && self.is_swapped() {
            self.is_over = true;
            return Some(Err(StagingError::SwappedColumns));
        }
        match self.source.next() {
            Some(Ok(record)) => Some(Ok(self.line(record))),
            // Whoever stops a run may end what the manifest comes from.
            Some(Err(error)) => Some(Err(self.stopped().unwrap_or_else(|| error.into()))),
            None => self.end(),
        }
    }
}

impl Lines<'_> {
    /// Why there are no more lines although there are some, where the run is being stopped.
    fn stopped(&mut self) -> Option<StagingError> {
        let cause = self.stop.cause().filter(|_| self.stop.is_draining())?;
        self.is_over = true;
        Some(StagingError::Stopped(cause))
    }

    fn line(&mut self, record: Record) -> StagedLine {
        self.staged += 1;
        if self.staged.is_multiple_of(1_024) && self.told.elapsed() >= Duration::from_millis(100) {
            self.told = Instant::now();
            let (lines, bytes) = (self.staged, self.source.bytes_read());
            self.observer.observe(&Event::StagingProgressed { lines, bytes });
        }
        if let Some(linter) = &mut self.linter {
            linter.read(&record);
        }
        match record {
            Record::Row(row) => {
                if !self.only_missing.is_empty() {
                    self.only_missing.remove(&row.leaf_user_id);
                }
                let is_elsewhere = self.is_elsewhere(Some(row.leaf_user_id));
                if let Some(divided) = &mut self.divided {
                    divided.see(&row.login, !is_elsewhere);
                }
                if is_elsewhere {
                    return elsewhere(row.line, Some(row.leaf_user_id), Some(row.login), row.kept);
                }
                let client = row.access_token_client.as_ref().or(self.default_client);
                let fingerprints = self.key.of_row(&row.login, &row.password, client);
                let staged = StagedRow { leaf_user_id: row.leaf_user_id, login: row.login, fingerprints };
                StagedLine { line: row.line, content: LineContent::Row(staged), kept: row.kept }
            }
            Record::User(UserLine { line, leaf_user_id, kept }) => {
                if self.is_elsewhere(Some(leaf_user_id)) {
                    return elsewhere(line, Some(leaf_user_id), None, kept);
                }
                StagedLine { line, content: LineContent::User(leaf_user_id), kept }
            }
            Record::Invalid(InvalidLine { line, leaf_user_id, message, kept, .. }) => {
                self.invalid += 1;
                if self.first.len() < LISTED {
                    self.first.push(format!("  line {line}: {message}"));
                }
                if self.is_elsewhere(leaf_user_id) {
                    return elsewhere(line, leaf_user_id, None, kept);
                }
                StagedLine { line, content: LineContent::Invalid { leaf_user_id, message }, kept }
            }
        }
    }

    /// Whether a line that names this user, or none, belongs to another shard.
    fn is_elsewhere(&self, leaf_user_id: Option<LeafUserId>) -> bool {
        self.shard.is_some_and(|shard| !shard.takes_line(leaf_user_id))
    }

    fn is_swapped(&self) -> bool {
        self.linter.as_ref().is_some_and(Linter::are_columns_swapped)
    }

    fn end(&mut self) -> Option<Result<StagedLine, StagingError>> {
        self.is_over = true;
        let (invalid, lines) = (self.invalid, self.staged);
        let (lines_read, bytes) = (self.staged, self.source.bytes_read());
        self.observer.observe(&Event::StagingProgressed { lines: lines_read, bytes });
        if self.limit.is_exceeded(invalid, lines) {
            let first = std::mem::take(&mut self.first);
            return Some(Err(StagingError::TooManyInvalid { invalid, lines, first }));
        }
        if self.is_swapped() {
            return Some(Err(StagingError::SwappedColumns));
        }
        let mut users: Vec<String> = self.only_missing.iter().map(LeafUserId::to_string).collect();
        users.sort();
        (!users.is_empty()).then_some(Err(StagingError::UnknownOnly { users }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_bad_lines_or_ten_percent_are_borne() {
        let limit = InvalidLimit::default();
        assert!(!limit.is_exceeded(20, 20));
        assert!(limit.is_exceeded(21, 200));
        assert!(!limit.is_exceeded(100, 1_000));
        assert!(limit.is_exceeded(101, 1_000));
        assert!(InvalidLimit::Lines(0).is_exceeded(1, 1_000));
    }
}
