//! Stops a run that goes wrong for everybody: it is the manifest or the service then, and not the growers.

use crate::model::{OutcomeCode, Stage};

/// How many rows the run opens with before all slots are used: one, then five more, then twenty-five more.
const OPENING: [u64; 3] = [1, 6, 31];

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
            "is the leafUserId column the right one, and the Leaf account the users'?"
        }
        OutcomeCode::LeafUserForbidden => "does the Leaf account own these users?",
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
    decided: u64,
    failed: u64,
    any_succeeded: bool,
    streak: Option<(Signature, u64)>,
    /// Whether the run before was stopped because everybody was refused, and nobody was ever accepted.
    is_warned: bool,
}

impl FailureBudget {
    /// The budget of a run that tries so many rows. A run too small for the opening just ends, unless it is warned: the
    /// run before was stopped because everybody was refused, and nobody was ever accepted.
    pub(super) fn new(limit: FailureLimit, rows: u64, is_warned: bool) -> Self {
        let is_off = (rows < OPENING[2] && !is_warned) || limit == FailureLimit::Percent(100.0);
        let most = match limit {
            FailureLimit::Rows(most) => most,
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a part of a number of rows, rounded down"
            )]
            FailureLimit::Percent(percent) => ((rows as f64 * percent / 100.0) as u64).max(20),
        };
        Self {
            most: (!is_off).then_some(most),
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
        OPENING.into_iter().find(|wave| ended < *wave).unwrap_or(u64::MAX)
    }

    /// Takes note of a row that came to what was wanted, whatever its code says otherwise.
    pub(super) fn note_success(&mut self) {
        self.decided += 1;
        self.any_succeeded = true;
        self.streak = None;
    }

    /// Takes note of a row that was decided by a new answer; says when to stop.
    pub(super) fn note(&mut self, code: OutcomeCode, stage: Stage, status: Option<u16>) -> Option<Overspent> {
        let most = self.most?;
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
        if self.is_too_long(code, rows) {
            return Some(Overspent::Alike { rows, code, is_opening: rows == self.decided });
        }
        // As long as all rows of the opening end alike, its end tells more than their number.
        let is_opening_alike = rows == self.decided && self.decided < OPENING[2];
        let is_too_many = self.failed > most && !is_opening_alike;
        is_too_many.then_some(Overspent::TooMany { failed: self.failed, most })
    }

    fn is_too_long(&self, code: OutcomeCode, rows: u64) -> bool {
        let breaks_contract =
            matches!(code, OutcomeCode::StaraUnexpectedAnswer | OutcomeCode::LeafUnexpectedAnswer);
        if rows == self.decided && self.decided <= OPENING[2] {
            let is_refused_again = self.is_warned && code == OutcomeCode::StaraLoginRejected;
            return rows == OPENING[2] || ((breaks_contract || is_refused_again) && rows == OPENING[1]);
        }
        // One grower's wrong password says nothing about the next one's, once any login has worked.
        let is_about_the_row = matches!(code, OutcomeCode::StaraLoginRejected | OutcomeCode::LeafUserUnknown)
            && self.any_succeeded;
        self.decided > OPENING[2] && rows >= LONGEST_STREAK && !is_about_the_row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let budget = FailureBudget::new(FailureLimit::default(), 1_000, false);
        let may: Vec<u64> = [0, 1, 5, 6, 30].map(|ended| budget.may_start(ended)).into();
        assert_eq!(may, [1, 6, 6, 31, 31]);
        assert_eq!(budget.may_start(31), u64::MAX);
    }

    #[test]
    fn the_first_row_that_ends_well_opens_the_run() {
        let mut budget = FailureBudget::new(FailureLimit::default(), 1_000, false);
        refused(&mut budget);
        assert_eq!(budget.may_start(1), 6);
        attached(&mut budget);
        assert_eq!(budget.may_start(2), u64::MAX);
    }

    #[test]
    fn when_all_canaries_end_alike_the_run_stops() {
        let mut budget = FailureBudget::new(FailureLimit::default(), 100, false);
        let code = OutcomeCode::StaraLoginRejected;
        assert_eq!(
            stops_at(100, || refused(&mut budget)),
            Some((31, Overspent::Alike { rows: 31, code, is_opening: true }))
        );
    }

    #[test]
    fn answers_that_break_the_contract_stop_it_after_six() {
        let mut budget = FailureBudget::new(FailureLimit::default(), 1_000, false);
        let code = OutcomeCode::StaraUnexpectedAnswer;
        let stopped = stops_at(100, || budget.note(code, Stage::Authenticate, Some(200)));
        assert_eq!(stopped, Some((6, Overspent::Alike { rows: 6, code, is_opening: true })));
    }

    #[test]
    fn after_a_run_in_which_everybody_was_refused_six_refusals_are_enough() {
        let code = OutcomeCode::StaraLoginRejected;
        for rows in [20, 1_000] {
            let mut budget = FailureBudget::new(FailureLimit::default(), rows, true);
            let stopped = stops_at(rows, || refused(&mut budget));
            assert_eq!(stopped, Some((6, Overspent::Alike { rows: 6, code, is_opening: true })));
        }
        let mut budget = FailureBudget::new(FailureLimit::Rows(1_000), 1_000, true);
        attached(&mut budget);
        assert_eq!(stops_at(500, || refused(&mut budget)), None, "one was accepted");
    }

    #[test]
    fn one_canary_that_ends_well_is_enough_to_go_on() {
        let mut budget = FailureBudget::new(FailureLimit::Rows(1_000), 1_000, false);
        assert_eq!(attached(&mut budget), None);
        assert_eq!(stops_at(500, || refused(&mut budget)), None, "growers' passwords are their own");
    }

    #[test]
    fn later_twenty_alike_stop_it_unless_they_are_the_growers_own() {
        let mut budget = FailureBudget::new(FailureLimit::Rows(1_000), 1_000, false);
        for _ in 0..40 {
            attached(&mut budget);
        }
        let code = OutcomeCode::LeafUnavailable;
        let stopped = stops_at(100, || budget.note(code, Stage::Precheck, Some(500)));
        assert_eq!(stopped, Some((20, Overspent::Alike { rows: 20, code, is_opening: false })));
    }

    #[test]
    fn more_failures_than_allowed_stop_it() {
        let mut budget = FailureBudget::new(FailureLimit::default(), 400, false);
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
            let mut budget = FailureBudget::new(limit, rows, false);
            assert_eq!(budget.may_start(0), u64::MAX);
            assert_eq!(stops_at(rows, || refused(&mut budget)), None);
        }
    }
}
