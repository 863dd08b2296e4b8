//! Has the ledger keep what is measured: every now and then while the run is at work, and at its end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Measuring;
use crate::checkpoint::{Ledger, LedgerHandle, LiveState, RunMeasures};
use crate::pipeline::stop::Stop;

/// How often is looked whether there is anything new to be written.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What was measured over time is written at least this far apart. In its first half minute a run writes it whenever its age has
/// doubled, so that one that is killed early leaves something, too.
const MEASURES_EVERY: Duration = Duration::from_secs(30);

/// Says what is to be written next.
struct Schedule {
    /// What was written last.
    told: Option<LiveState>,
    /// Whether what was measured has changed since it was written.
    is_behind: bool,
    measures_due: Duration,
}

impl Schedule {
    fn new() -> Self {
        Self { told: None, is_behind: false, measures_due: Duration::ZERO }
    }

    /// What is to be written now; `None` when nothing has changed.
    fn next(&mut self, measuring: &Measuring, stop: &Stop) -> Option<(LiveState, Option<RunMeasures>)> {
        let live = measuring.live(stop);
        let has_changed = !measuring.is_blank() && self.told.as_ref().is_none_or(|told| differ(told, &live));
        self.is_behind |= has_changed;
        let now = measuring.elapsed();
        let is_due = self.is_behind && now >= self.measures_due;
        if !has_changed && !is_due {
            return None;
        }
        if is_due {
            self.is_behind = false;
            self.measures_due = now + now.min(MEASURES_EVERY);
        }
        self.told = Some(live.clone());
        Some((live, is_due.then(|| measuring.measures())))
    }
}

/// Whether two states differ in more than the time.
fn differ(earlier: &LiveState, later: &LiveState) -> bool {
    *earlier != LiveState { at: earlier.at, ..later.clone() }
}

/// Hands what is measured to the ledger's writer, until it is dropped. Nobody waits for it.
pub(in crate::pipeline) async fn record(
    measuring: Arc<Measuring>,
    stop: Stop,
    ledger: LedgerHandle,
    run: i64,
) -> Infallible {
    let mut schedule = Schedule::new();
    loop {
        sleep(LOOK_EVERY).await;
        if let Some((live, measures)) = schedule.next(&measuring, &stop) {
            ledger.measure(run, live, measures);
        }
    }
}

/// As [`record`], where no writer has the ledger yet.
pub(in crate::pipeline) async fn record_directly(
    measuring: &Measuring,
    stop: &Stop,
    ledger: &Ledger,
    run: i64,
) -> Infallible {
    let mut schedule = Schedule::new();
    loop {
        sleep(LOOK_EVERY).await;
        if let Some((live, measures)) = schedule.next(measuring, stop) {
            keep(ledger, run, &live, measures.as_ref());
        }
    }
}

/// Keeps all that was measured, unless nothing was: a night without work writes nothing.
pub(in crate::pipeline) fn record_end(measuring: &Measuring, stop: &Stop, ledger: &Ledger, run: i64) {
    if !measuring.is_blank() {
        keep(ledger, run, &measuring.live(stop), Some(&measuring.measures()));
    }
}

/// A ledger that can't be written is told of where outcomes are, and what was measured is worth no end of its own.
fn keep(ledger: &Ledger, run: i64, live: &LiveState, measures: Option<&RunMeasures>) {
    if let Err(error) = ledger.keep_measures(run, live, measures) {
        tracing::warn!(%error, "what the run measured of itself can't be kept");
    }
}
