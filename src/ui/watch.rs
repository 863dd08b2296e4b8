//! The thread beside a run that looks at the tally at its own pace and hands what it sees to a show.

use std::sync::Arc;
use std::time::Duration;

use super::feed::Feed;
use super::notes::{Note, Notes};
use super::pace::Pace;
use super::picture::Left;
use super::show::{HostView, Show, View};
use super::tally::{Tally, Totals};
use crate::model::Service;
use crate::pipeline::{HoldReason, HostPlan, Plan};

/// The window over which requests are counted into a rate: the interval of plain lines.
const REQUESTS_WINDOW: Duration = Duration::from_secs(10);

/// The window over which rows are counted into a rate. It is longer, for the time that is left follows from it.
const ROWS_WINDOW: Duration = Duration::from_secs(30);

/// How long the plan's own estimate counts, before the measured rate takes its place.
const ESTIMATE_COUNTS: Duration = Duration::from_secs(10);

/// A pause that lasts longer than this makes the rate of late say nothing about what is to come.
const LONG_PAUSE: Duration = Duration::from_secs(10);

/// What a show's thread knows of a run.
pub(super) struct Watch {
    tally: Arc<Tally>,
    notes: Arc<Notes>,
    began: Duration,
    next_tick: Duration,
    manifest_bytes: Option<u64>,
    plan: Option<Plan>,
    rows_began: Duration,
    is_draining: bool,
    rows: Pace,
    stara: Pace,
    leaf: Pace,
}

impl Watch {
    /// Begins now, for a show with this interval.
    pub(super) fn new(feed: &Feed, interval: Duration) -> Self {
        let began = feed.tally.clock().now();
        Self {
            tally: Arc::clone(&feed.tally),
            notes: Arc::clone(&feed.notes),
            began,
            next_tick: began + interval,
            manifest_bytes: None,
            plan: None,
            rows_began: began,
            is_draining: false,
            rows: Pace::over(ROWS_WINDOW),
            stara: Pace::over(REQUESTS_WINDOW),
            leaf: Pace::over(REQUESTS_WINDOW),
        }
    }

    /// Hands everything to the show until the end. While nothing happens it sleeps, and the end wakes it.
    pub(super) fn run(mut self, show: &mut dyn Show) {
        while self.step(show) {}
    }

    /// Waits for what happens next, a note or a tick, and hands it to the show. Answers whether anything can follow.
    pub(super) fn step(&mut self, show: &mut dyn Show) -> bool {
        let patience = self.next_tick.saturating_sub(self.tally.clock().now());
        let taken = self.notes.take(patience);
        for note in taken.notes {
            self.learn(&note);
            show.tell(&note, &self.view());
        }
        if let Some(end) = taken.end {
            show.end(end, &self.view());
            return false;
        }
        let now = self.tally.clock().now();
        if now >= self.next_tick {
            self.next_tick = now + show.interval();
            show.tick(&self.view());
        }
        true
    }

    /// When the next tick is due.
    #[cfg(test)]
    pub(super) fn next_tick(&self) -> Duration {
        self.next_tick
    }

    fn learn(&mut self, note: &Note) {
        match note {
            Note::StagingStarted(bytes) => self.manifest_bytes = *bytes,
            Note::Started(plan) => {
                self.plan = Some(Plan::clone(plan));
                self.rows_began = self.tally.clock().now();
                self.rows = Pace::over(ROWS_WINDOW);
            }
            Note::Draining(_) => self.is_draining = true,
            Note::Linted(_)
            | Note::LookChosen { .. }
            | Note::Held { .. }
            | Note::LinksBegun(_)
            | Note::RowFailed { .. } => {}
        }
    }

    /// Why nobody can say how long the rows that are left will take, whatever they took so far.
    fn why_unknown(&self, plan: &Plan, totals: &Totals) -> Option<String> {
        let rows = plan.to_do.saturating_sub(totals.finished());
        if rows == 0 {
            return None;
        }
        if self.is_draining {
            return Some("stopping".to_owned());
        }
        let held = Service::ALL.into_iter().find_map(|service| {
            let hold = self.tally.hold(service)?;
            match hold.reason {
                HoldReason::Down { why: Some(_) } => Some(format!("{service} can't be reached")),
                HoldReason::Down { why: None } => Some(format!("{service} is down")),
                HoldReason::Throttled { .. } if hold.left >= LONG_PAUSE => {
                    Some(format!("{service} asked for a pause"))
                }
                HoldReason::Throttled { .. } => None,
            }
        });
        held.or_else(|| (totals.parked >= rows).then(|| "the last rows settle".to_owned()))
    }

    fn view(&mut self) -> View<'_> {
        let now = self.tally.clock().now();
        let totals = self.tally.totals();
        let rows_per_second = self.rows.sample(now, totals.finished());
        let stara = self.stara.sample(now, totals.stara.requests);
        let leaf = self.leaf.sample(now, totals.leaf.requests);
        let left = self.plan.as_ref().map(|plan| {
            if let Some(why) = self.why_unknown(plan, &totals) {
                return Left::Unknown(why);
            }
            left(plan, &totals, now.saturating_sub(self.rows_began), rows_per_second)
        });
        let host = |service, plan, per_second| HostView {
            plan,
            totals: totals.host(service),
            per_second,
            allowed: self.tally.rate(service).or_else(|| plan.and_then(|plan: &HostPlan| plan.per_second)),
            hold: self.tally.hold(service),
        };
        View {
            elapsed: now.saturating_sub(self.began),
            manifest_bytes: self.manifest_bytes,
            stara: host(Service::Stara, self.plan.as_ref().map(|plan| &plan.stara), stara),
            leaf: host(Service::Leaf, self.plan.as_ref().map(|plan| &plan.leaf), leaf),
            plan: self.plan.as_ref(),
            rows_per_second,
            settled: (self.tally.parked_until(), self.tally.parked_until().saturating_sub(now)),
            left,
            rows_left_out: self.notes.rows_left_out(),
            totals,
        }
    }
}

/// About how long the rows that are left will take: at first as the quotas say, then as measured.
fn left(plan: &Plan, totals: &Totals, elapsed: Duration, rows_per_second: f64) -> Left {
    let unknown = |why: &str| Left::Unknown(why.to_owned());
    let rows = plan.to_do.saturating_sub(totals.finished());
    if rows == 0 {
        return Left::Nothing;
    }
    if elapsed < ESTIMATE_COUNTS {
        return match plan.expected {
            Some(expected) => Left::About(expected.saturating_sub(elapsed)),
            None => unknown("too early to say"),
        };
    }
    if totals.finished() == totals.failed() {
        // A run opens with a few rows, and goes on with a few as long as all of them fail.
        return unknown("no row has ended well yet");
    }
    #[allow(clippy::cast_precision_loss, reason = "an estimate needs no 53 bits")]
    let seconds = rows as f64 / rows_per_second;
    // Whole seconds: it isn't known any better. Without a rate this is an infinite number, which no duration holds.
    match Duration::try_from_secs_f64(seconds.ceil()) {
        Ok(span) => Left::About(span),
        Err(_) => unknown("no row has ended of late"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::OutcomeCode;
    use crate::ui::clock::ManualClock;
    use crate::ui::rehearsal::{finished, plan};

    /// The counts when so many rows ended well and so many failed.
    fn totals(well: u64, failed: u64) -> Totals {
        let tally = Tally::new(Arc::new(ManualClock::default()));
        (0..well).for_each(|line| tally.count(&finished(line, OutcomeCode::Attached)));
        (0..failed).for_each(|line| tally.count(&finished(line, OutcomeCode::LeafUserUnknown)));
        tally.totals()
    }

    #[test]
    fn the_time_left_is_the_estimate_at_first_and_then_follows_the_rate() {
        let plan = Plan { to_do: 1_000, expected: Some(Duration::from_secs(100)), ..plan() };
        let seconds = Duration::from_secs;
        let about = |span| Left::About(seconds(span));
        assert_eq!(left(&plan, &totals(0, 0), seconds(0), 0.0), about(100));
        assert_eq!(left(&plan, &totals(1, 0), seconds(4), 0.1), about(96));
        assert_eq!(left(&plan, &totals(100, 0), seconds(10), 9.0), about(100));
        assert_eq!(left(&plan, &totals(1_000, 0), seconds(99), 9.0), Left::Nothing);
    }

    #[test]
    fn where_nobody_can_say_how_long_it_takes_the_reason_is_said() {
        let plan = Plan { to_do: 1_000, expected: None, ..plan() };
        let said = |well, failed, seconds, rate| {
            left(&plan, &totals(well, failed), Duration::from_secs(seconds), rate).text().unwrap()
        };
        assert_eq!(said(9, 0, 9, 1.0), "— left (too early to say)");
        assert_eq!(said(0, 6, 30, 0.2), "— left (no row has ended well yet)");
        assert_eq!(said(100, 0, 60, 0.0), "— left (no row has ended of late)");
    }
}
