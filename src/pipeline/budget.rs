//! Stops a run that goes wrong for everybody: it is the manifest or the service then, and not the growers.

use crate::checkpoint::StagingTotals;
use crate::model::{OutcomeCode, Shard, Stage};

/// How many rows a run opens with before all slots are used: one, then five more, then twenty-five more. A shard opens with
/// its part of them, and never with fewer than six.
const OPENING: u64 = 31;

/// How many rows must end alike where one failure alone says much, and the fewest that an opening has.
const FEWEST: u64 = 6;

/// How many rows in a row may later fail alike.
const LONGEST_STREAK: u64 = 20;

/// How many rows may fail in all (`--max-failures`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FailureLimit {
    /// At most so many.
    Rows(u64),
    /// At most this part of the rows that the run tries, in percent, but at least 20; 100 switches all limits off.
    Percent(f64),
}

impl Default for FailureLimit {
    fn default() -> Self {
        Self::Percent(10.0)
    }
}

/// Why a run goes wrong for everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Overspent {
    /// The first rows, or twenty in a row, ended alike.
    Alike { rows: u64, code: OutcomeCode, is_opening: bool },
    /// More rows failed than may.
    TooMany { failed: u64, most: u64 },
}

impl Overspent {
    /// Whether Leaf refuses everything we ask from the beginning, so that it is about our account.
    pub(super) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Alike { code: OutcomeCode::LeafUserForbidden, is_opening: true, .. })
    }

    /// What happened and what it probably means, as a clause.
    pub(super) fn diagnosis(&self) -> String {
        match self {
            Self::TooMany { failed, most } => {
                format!("{failed} rows failed, and --max-failures allows {most}")
            }
            Self::Alike { rows, code, .. } => {
                format!("{rows} rows in a row ended as {code}: {}", guess(*code))
            }
        }
    }
}

/// What it probably means that rows end alike.
const fn guess(code: OutcomeCode) -> &'static str {
    match code {
        OutcomeCode::StaraLoginRejected => "is the password column the right one?",
        OutcomeCode::StaraUnexpectedAnswer => "does Stara speak another dialect (--stara-dialect form)?",
        OutcomeCode::LeafUserUnknown => {
            "is Leaf's token another account's, --leaf-url another Leaf, or the leafUserId column the wrong one?"
        }
        OutcomeCode::LeafUserForbidden => {
            "does the Leaf account own these users? Leaf's token may be another account's"
        }
        OutcomeCode::LeafCredentialsExist => "has somebody else attached them already?",
        OutcomeCode::StaraUnavailable => "is Stara down, or --stara-url wrong?",
        OutcomeCode::LeafUnavailable => "is Leaf down, or --leaf-url wrong?",
        OutcomeCode::TimedOut => "is the service too slow for --row-deadline?",
        _ => "it is the service or the manifest, and not the growers",
    }
}

/// What makes two failures alike.
type Signature = (OutcomeCode, Stage, Option<u16>);

/// Counts rows in the order in which they end. Pure: it only says when to stop.
#[derive(Debug)]
pub(super) struct FailureBudget {
    /// The most failures; `None` where nothing is limited.
    most: Option<u64>,
    /// How many rows the opening has.
    opening: u64,
    /// How many refusals, if there is nothing else, are everybody's.
    last_refusal: Option<u64>,
    decided: u64,
    failed: u64,
    any_succeeded: bool,
    streak: Option<(Signature, u64)>,
    /// Whether the run before was stopped because everybody was refused, and nobody was ever accepted.
    is_warned: bool,
}

/// What a run tries, and of what that is a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// The rows to carry out.
    rows: u64,
    /// Among how many shards the manifest is divided; one where it isn't.
    shards: u64,
    /// Lines of the whole manifest.
    manifest_lines: u64,
    /// Whether they are all that there is to say anything about: nobody was done before, and nobody was left out.
    is_everybody: bool,
}

impl Extent {
    /// That of the staged rows of a shard, or of a whole manifest.
    pub(super) fn of(staged: &StagingTotals, shard: Option<Shard>) -> Self {
        Self {
            rows: staged.to_do,
            shards: shard.map_or(1, |shard| shard.count().into()),
            manifest_lines: staged.manifest_lines,
            is_everybody: staged.done == 0 && staged.not_selected == 0,
        }
    }

    /// How many rows the opening has.
    fn opening(self) -> u64 {
        OPENING.div_ceil(self.shards).max(FEWEST)
    }

    /// Whether there are too few rows for an opening, here or in all shards together.
    fn is_small(self) -> bool {
        self.rows < self.opening() || self.is_divided() && self.manifest_lines < OPENING
    }

    /// How many refusals end a shard that has too few rows for an opening: all of them, where the manifest has enough. One
    /// alone isn't like another.
    fn last_refusal(self) -> Option<u64> {
        let is_judged = self.is_divided() && self.manifest_lines >= OPENING && self.is_everybody;
        (is_judged && self.rows > 1 && self.rows < self.opening()).then_some(self.rows)
    }

    const fn is_divided(self) -> bool {
        self.shards > 1
    }
}

impl FailureBudget {
    /// The budget of a run that tries so much. A run too small for the opening just ends, unless it is warned: the
    /// run before was stopped because everybody was refused, and nobody was ever accepted.
    pub(super) fn new(limit: FailureLimit, extent: Extent, is_warned: bool) -> Self {
        let is_unlimited = limit == FailureLimit::Percent(100.0);
        let is_off = (extent.is_small() && !is_warned) || is_unlimited;
        let most = match limit {
            FailureLimit::Rows(most) => most,
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a part of a number of rows, rounded down"
            )]
            FailureLimit::Percent(percent) => ((extent.rows as f64 * percent / 100.0) as u64).max(20),
        };
        Self {
            most: (!is_off).then_some(most),
            opening: extent.opening(),
            last_refusal: extent.last_refusal().filter(|_| !is_unlimited),
            decided: 0,
            failed: 0,
            any_succeeded: false,
            streak: None,
            is_warned,
        }
    }

    /// How many rows may have been started when so many have ended or are parked.
    ///
    /// One row that ended well proves that not all can fail alike, and the rest of the opening would only leave the
    /// quota unused.
    pub(super) fn may_start(&self, ended: u64) -> u64 {
        if self.most.is_none() || self.any_succeeded {
            return u64::MAX;
        }
        [1, FEWEST, self.opening].into_iter().find(|wave| ended < *wave).unwrap_or(u64::MAX)
    }

    /// Takes note of a row that came to what was wanted, whatever its code says otherwise.
    pub(super) fn note_success(&mut self) {
        self.decided += 1;
        self.any_succeeded = true;
        self.streak = None;
    }

    /// Takes note of a row that was decided by a new answer; says when to stop.
    pub(super) fn note(&mut self, code: OutcomeCode, stage: Stage, status: Option<u16>) -> Option<Overspent> {
        self.decided += 1;
        if !code.is_failure() {
            self.any_succeeded |= code.is_done();
            self.streak = None;
            return None;
        }
        self.failed += 1;
        let signature = (code, stage, status);
        let rows = match self.streak {
            Some((earlier, rows)) if earlier == signature => rows + 1,
            _ => 1,
        };
        self.streak = Some((signature, rows));
        let is_everybody_refused =
            rows == self.decided && self.last_refusal == Some(rows) && is_refusal(code);
        if is_everybody_refused || self.most.is_some() && self.is_too_long(code, rows) {
            return Some(Overspent::Alike { rows, code, is_opening: rows == self.decided });
        }
        // As long as all rows of the opening end alike, its end tells more than their number.
        let most = self.most?;
        let is_opening_alike = rows == self.decided && self.decided < self.opening;
        let is_too_many = self.failed > most && !is_opening_alike;
        is_too_many.then_some(Overspent::TooMany { failed: self.failed, most })
    }

    fn is_too_long(&self, code: OutcomeCode, rows: u64) -> bool {
        let breaks_contract =
            matches!(code, OutcomeCode::StaraUnexpectedAnswer | OutcomeCode::LeafUnexpectedAnswer);
        if rows == self.decided && self.decided <= self.opening {
            let is_refused_again = self.is_warned && code == OutcomeCode::StaraLoginRejected;
            return rows == self.opening || ((breaks_contract || is_refused_again) && rows == FEWEST);
        }
        // One grower's wrong password says nothing about the next one's, once any login has worked.
        let is_about_the_row = matches!(code, OutcomeCode::StaraLoginRejected | OutcomeCode::LeafUserUnknown)
            && self.any_succeeded;
        self.decided > self.opening && rows >= LONGEST_STREAK && !is_about_the_row
    }
}

/// Whether somebody said no to this row, which another time or another try wouldn't change.
const fn is_refusal(code: OutcomeCode) -> bool {
    matches!(
        code,
        OutcomeCode::StaraLoginRejected
            | OutcomeCode::LeafUserUnknown
            | OutcomeCode::LeafUserForbidden
            | OutcomeCode::LeafCredentialsRefused
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A whole manifest of so many rows.
    fn whole(rows: u64) -> Extent {
        Extent { rows, shards: 1, manifest_lines: rows, is_everybody: true }
    }

    /// One of so many shards of a manifest of a thousand lines, with so many rows.
    fn shard_of(shards: u64, rows: u64) -> Extent {
        Extent { rows, shards, manifest_lines: 1_000, is_everybody: true }
    }

    fn refused(budget: &mut FailureBudget) -> Option<Overspent> {
        budget.note(OutcomeCode::StaraLoginRejected, Stage::Authenticate, Some(401))
    }

    fn attached(budget: &mut FailureBudget) -> Option<Overspent> {
        budget.note(OutcomeCode::Attached, Stage::Verify, Some(200))
    }

    /// The row at which feeding `note` stops, if it does within `rows`.
    fn stops_at(rows: u64, mut note: impl FnMut() -> Option<Overspent>) -> Option<(u64, Overspent)> {
        (1..=rows).find_map(|row| note().map(|overspent| (row, overspent)))
    }

    #[test]
    fn a_run_opens_with_one_row_then_five_then_twenty_five() {
        let budget = FailureBudget::new(FailureLimit::default(), whole(1_000), false);
        let may: Vec<u64> = [0, 1, 5, 6, 30].map(|ended| budget.may_start(ended)).into();
        assert_eq!(may, [1, 6, 6, 31, 31]);
        assert_eq!(budget.may_start(31), u64::MAX);
    }

    #[test]
    fn the_first_row_that_ends_well_opens_the_run() {
        let mut budget = FailureBudget::new(FailureLimit::default(), whole(1_000), false);
        refused(&mut budget);
        assert_eq!(budget.may_start(1), 6);
        attached(&mut budget);
        assert_eq!(budget.may_start(2), u64::MAX);
    }

    #[test]
    fn when_all_canaries_end_alike_the_run_stops() {
        let mut budget = FailureBudget::new(FailureLimit::default(), whole(100), false);
        let code = OutcomeCode::StaraLoginRejected;
        assert_eq!(
            stops_at(100, || refused(&mut budget)),
            Some((31, Overspent::Alike { rows: 31, code, is_opening: true }))
        );
    }

    #[test]
    fn answers_that_break_the_contract_stop_it_after_six() {
        let mut budget = FailureBudget::new(FailureLimit::default(), whole(1_000), false);
        let code = OutcomeCode::StaraUnexpectedAnswer;
        let stopped = stops_at(100, || budget.note(code, Stage::Authenticate, Some(200)));
        assert_eq!(stopped, Some((6, Overspent::Alike { rows: 6, code, is_opening: true })));
    }

    #[test]
    fn after_a_run_in_which_everybody_was_refused_six_refusals_are_enough() {
        let code = OutcomeCode::StaraLoginRejected;
        for rows in [20, 1_000] {
            let mut budget = FailureBudget::new(FailureLimit::default(), whole(rows), true);
            let stopped = stops_at(rows, || refused(&mut budget));
            assert_eq!(stopped, Some((6, Overspent::Alike { rows: 6, code, is_opening: true })));
        }
        let mut budget = FailureBudget::new(FailureLimit::Rows(1_000), whole(1_000), true);
        attached(&mut budget);
        assert_eq!(stops_at(500, || refused(&mut budget)), None, "one was accepted");
    }

    #[test]
    fn one_canary_that_ends_well_is_enough_to_go_on() {
        let mut budget = FailureBudget::new(FailureLimit::Rows(1_000), whole(1_000), false);
        assert_eq!(attached(&mut budget), None);
        assert_eq!(stops_at(500, || refused(&mut budget)), None, "growers' passwords are their own");
    }

    #[test]
    fn later_twenty_alike_stop_it_unless_they_are_the_growers_own() {
        let mut budget = FailureBudget::new(FailureLimit::Rows(1_000), whole(1_000), false);
        for _ in 0..40 {
            attached(&mut budget);
        }
        let code = OutcomeCode::LeafUnavailable;
        let stopped = stops_at(100, || budget.note(code, Stage::Precheck, Some(500)));
        assert_eq!(stopped, Some((20, Overspent::Alike { rows: 20, code, is_opening: false })));
    }

    #[test]
    fn more_failures_than_allowed_stop_it() {
        let mut budget = FailureBudget::new(FailureLimit::default(), whole(400), false);
        let mut row = 0;
        let stopped = stops_at(400, || {
            row += 1;
            if row % 2 == 0 { refused(&mut budget) } else { attached(&mut budget) }
        });
        assert_eq!(stopped, Some((82, Overspent::TooMany { failed: 41, most: 40 })));
    }

    #[test]
    fn a_small_run_or_a_hundred_percent_just_ends() {
        for (limit, rows) in [(FailureLimit::default(), 30), (FailureLimit::Percent(100.0), 1_000)] {
            let mut budget = FailureBudget::new(limit, whole(rows), false);
            assert_eq!(budget.may_start(0), u64::MAX);
            assert_eq!(stops_at(rows, || refused(&mut budget)), None);
        }
    }

    #[test]
    fn a_shard_opens_with_its_part_of_the_rows_and_never_with_fewer_than_six() {
        for (shards, opening) in [(1, 31), (2, 16), (5, 7), (6, 6), (8, 6), (1_024, 6)] {
            let budget = FailureBudget::new(FailureLimit::default(), shard_of(shards, 500), false);
            assert_eq!([0, 1, 5].map(|ended| budget.may_start(ended)), [1, 6, 6], "{shards}");
            assert_eq!([opening - 1, opening].map(|ended| budget.may_start(ended)), [opening, u64::MAX]);
            let mut budget = budget;
            let code = OutcomeCode::StaraLoginRejected;
            let stopped = stops_at(500, || refused(&mut budget));
            assert_eq!(stopped, Some((opening, Overspent::Alike { rows: opening, code, is_opening: true })));
        }
    }

    #[test]
    fn a_shard_too_small_for_its_opening_ends_as_wrong_for_everybody_when_all_of_it_is_refused() {
        let budget = |extent| FailureBudget::new(FailureLimit::default(), extent, false);
        let code = OutcomeCode::StaraLoginRejected;
        for (shards, rows) in [(8, 5), (8, 2), (2, 15)] {
            let mut all_refused = budget(shard_of(shards, rows));
            assert_eq!(all_refused.may_start(0), u64::MAX);
            let stopped = stops_at(rows, || refused(&mut all_refused));
            assert_eq!(stopped, Some((rows, Overspent::Alike { rows, code, is_opening: true })));
            let mut one_attached = budget(shard_of(shards, rows));
            attached(&mut one_attached);
            assert_eq!(stops_at(rows - 1, || refused(&mut one_attached)), None);
        }
        let mut unavailable = budget(shard_of(8, 5));
        let down = || unavailable.note(OutcomeCode::StaraUnavailable, Stage::Authenticate, Some(503));
        assert_eq!(stops_at(5, down), None, "nobody was refused");
    }

    #[test]
    fn a_small_shard_just_ends_where_its_rows_say_nothing_about_everybody() {
        let limit = FailureLimit::default();
        for (limit, extent) in [
            (limit, shard_of(8, 1)),
            (limit, Extent { is_everybody: false, ..shard_of(8, 5) }),
            (limit, Extent { manifest_lines: 30, ..shard_of(8, 5) }),
            (limit, Extent { manifest_lines: 30, ..shard_of(3, 12) }),
            (FailureLimit::Percent(100.0), shard_of(8, 5)),
            (FailureLimit::Percent(100.0), shard_of(8, 100)),
        ] {
            let mut budget = FailureBudget::new(limit, extent, false);
            assert_eq!(stops_at(extent.rows, || refused(&mut budget)), None, "{extent:?}");
        }
    }
}
