//! Counts the records as they come: by outcome, and by what was said of each.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::model::{OutcomeCode, Stage};
use crate::report::record::ResultRecord;

/// The most different causes that are told apart of one outcome; what comes after them is counted together.
const MOST_CAUSES: usize = 256;

/// What was said of rows that ended alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cause {
    pub(super) stage: Option<Stage>,
    pub(super) http_status: Option<u16>,
    pub(super) message: String,
}

/// The rows of one outcome.
#[derive(Debug, Clone, Default)]
pub(super) struct OfCode {
    pub(super) rows: u64,
    pub(super) causes: BTreeMap<Cause, u64>,
    /// Rows whose cause isn't told apart any longer.
    pub(super) other_causes: u64,
}

impl OfCode {
    /// The most frequent causes, the most frequent first, at most so many; and the rows that have others.
    pub(super) fn frequent(&self, most: usize) -> (Vec<(&Cause, u64)>, u64) {
        let mut causes: Vec<_> = self.causes.iter().map(|(cause, rows)| (cause, *rows)).collect();
        causes.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
        causes.truncate(most);
        let shown: u64 = causes.iter().map(|(_, rows)| rows).sum();
        (causes, self.rows - shown)
    }
}

/// All records by outcome.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    by_code: BTreeMap<OutcomeCode, OfCode>,
    /// Rows that nobody wanted to be reached (`--limit`, `--only`).
    pub(super) left_out: u64,
}

impl Tally {
    /// Counts a record.
    pub(super) fn add(&mut self, record: &ResultRecord) {
        let of_code = self.by_code.entry(record.outcome).or_default();
        of_code.rows += 1;
        if record.is_left_out() {
            self.left_out += 1;
        }
        if record.message.is_empty() && record.http_status.is_none() {
            of_code.other_causes += 1;
            return;
        }
        let cause =
            Cause { stage: record.stage, http_status: record.http_status, message: record.message.clone() };
        let is_full = of_code.causes.len() >= MOST_CAUSES;
        match of_code.causes.entry(cause) {
            Entry::Occupied(mut rows) => *rows.get_mut() += 1,
            Entry::Vacant(place) if !is_full => {
                place.insert(1);
            }
            Entry::Vacant(_) => of_code.other_causes += 1,
        }
    }

    /// Every outcome that occurs, in the order in which summaries list them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (OutcomeCode, &OfCode)> {
        self.by_code.iter().map(|(code, of_code)| (*code, of_code))
    }

    /// All rows.
    pub(super) fn total(&self) -> u64 {
        self.by_code.values().map(|of_code| of_code.rows).sum()
    }
}
