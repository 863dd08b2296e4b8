//! The nights before: how the rows of each run ended.

use std::str::FromStr as _;

use super::groups::Group;
use super::wording::{count, counted, minute};
use crate::checkpoint::{RunKind, RunRecord};
use crate::model::OutcomeCode;

/// How many runs are shown.
const MOST_RUNS: usize = 30;

/// For how many columns there is room at least, so that two of them aren't as wide as the page.
const LEAST_ROOM: usize = 14;

/// How high the columns are, in units of their own.
pub(super) const HEIGHT: u64 = 100;

/// A run among others.
#[derive(Debug)]
pub(super) struct Night {
    pub(super) run: String,
    pub(super) at: String,
    pub(super) place: usize,
    pub(super) rows: String,
    pub(super) done: String,
    pub(super) waiting: String,
    pub(super) not_reached: String,
    /// From the top: what wasn't reached, what waits for somebody, what is done.
    pub(super) parts: Vec<Part>,
}

/// A part of a column.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) kind: &'static str,
    pub(super) from: u64,
    pub(super) height: u64,
}

/// The trend.
#[derive(Debug)]
pub(super) struct Trend {
    /// The oldest first.
    pub(super) nights: Vec<Night>,
    /// How many columns the drawing has room for.
    pub(super) width: usize,
    pub(super) summary: String,
    pub(super) span: String,
    pub(super) most: String,
}

/// The rows of a run in three heaps: done, waiting for somebody, not reached.
#[derive(Debug, Clone, Copy, Default)]
struct Heaps {
    done: u64,
    waiting: u64,
    not_reached: u64,
}

impl Heaps {
    fn total(self) -> u64 {
        self.done + self.waiting + self.not_reached
    }
}

/// The trend of the runs of one kind; `None` where there is only one. The latest stands first in `earlier`; `now` is what
/// was counted of this one.
pub(super) fn trend(run: &RunRecord, now: &[(OutcomeCode, u64)], earlier: &[RunRecord]) -> Option<Trend> {
    let heaps = |kind: RunKind, counts: &mut dyn Iterator<Item = (OutcomeCode, u64)>| {
        let mut heaps = Heaps::default();
        for (code, rows) in counts {
            match Group::of(kind, code) {
                Group::Done | Group::Repeated => heaps.done += rows,
                Group::NotReached => heaps.not_reached += rows,
                _ => heaps.waiting += rows,
            }
        }
        heaps
    };
    let mut runs = vec![(run, heaps(run.kind, &mut now.iter().copied()))];
    for before in earlier.iter().filter(|before| before.kind == run.kind && before.ended_at.is_some()) {
        let mut counts = before
            .outcomes
            .iter()
            .filter_map(|(code, rows)| Some((OutcomeCode::from_str(code).ok()?, *rows)));
        runs.push((before, heaps(before.kind, &mut counts)));
    }
    runs.truncate(MOST_RUNS);
    if runs.len() < 2 {
        return None;
    }
    let most = runs.iter().map(|(_, heaps)| heaps.total()).max().unwrap_or(0).max(1);
    let waiting = |place: usize| runs.get(place).map_or(0, |(_, heaps)| heaps.waiting);
    let change = match (waiting(0), waiting(1)) {
        (now, before) if now > before => format!("{} more than the run before", count(now - before)),
        (now, before) if now < before => format!("{} fewer than the run before", count(before - now)),
        _ => "as many as the run before".to_owned(),
    };
    let summary = format!("{} wait for somebody, {change}.", counted(waiting(0), "row"));
    let nights = runs.iter().rev().enumerate().map(|(place, (run, heaps))| night(place, run, *heaps, most));
    let nights: Vec<Night> = nights.collect();
    let at = |night: Option<&Night>| night.map_or_else(String::new, |night| night.at.clone());
    let span = format!("{} to {} UTC, the latest on the right", at(nights.first()), at(nights.last()));
    Some(Trend { width: nights.len().max(LEAST_ROOM), span, nights, summary, most: count(most) })
}

fn night(place: usize, run: &RunRecord, heaps: Heaps, most: u64) -> Night {
    let height = |rows: u64| {
        let height = u128::from(rows) * u128::from(HEIGHT) / u128::from(most);
        let height = u64::try_from(height).unwrap_or(HEIGHT);
        // A heap that isn't empty can be seen.
        if rows > 0 { height.max(1) } else { 0 }
    };
    let mut top = HEIGHT;
    let mut part = |kind, rows| {
        let height = height(rows).min(top);
        top -= height;
        Part { kind, from: top, height }
    };
    let parts = vec![
        part("done", heaps.done),
        part("waiting", heaps.waiting),
        part("not-reached", heaps.not_reached),
    ];
    Night {
        run: run.run.to_string(),
        at: minute(run.started_at),
        place,
        rows: count(heaps.total()),
        done: count(heaps.done),
        waiting: count(heaps.waiting),
        not_reached: count(heaps.not_reached),
        parts: parts.into_iter().filter(|part| part.height > 0).collect(),
    }
}
