//! What a show is, and what it sees of a run.

use std::time::Duration;

use super::notes::{End, Note};
use super::picture::Left;
use super::tally::{Hold, HostTotals, Totals};
use crate::pipeline::{HostPlan, Plan};

/// Shows a run to somebody. It is called from one thread only, which is nobody else's, so it may take its time.
pub(super) trait Show: Send {
    /// The time from one tick to the next.
    fn interval(&self) -> Duration;

    /// Whether it tells failed rows one by one.
    fn tells_rows(&self) -> bool;

    /// Something happened.
    fn tell(&mut self, note: &Note, view: &View<'_>);

    /// An interval went by.
    fn tick(&mut self, view: &View<'_>);

    /// Nothing follows.
    fn end(&mut self, end: End, view: &View<'_>);
}

/// A run as it looks at one moment.
#[derive(Debug)]
pub(super) struct View<'a> {
    /// The time since the display began.
    pub(super) elapsed: Duration,
    /// The manifest's size in bytes, where it is known.
    pub(super) manifest_bytes: Option<u64>,
    /// What the run is to do, once the manifest is staged.
    pub(super) plan: Option<&'a Plan>,
    /// The counts.
    pub(super) totals: Totals,
    /// When the last of the rows that are parked goes on, by the clock of the show, and how long that is from now; zero when none is.
    pub(super) settled: (Duration, Duration),
    /// Rows that end a second, of late.
    pub(super) rows_per_second: f64,
    /// How Stara is doing.
    pub(super) stara: HostView<'a>,
    /// How Leaf is doing.
    pub(super) leaf: HostView<'a>,
    /// About how long the run will still take; `None` until its rows begin.
    pub(super) left: Option<Left>,
    /// Failed rows that were not told one by one, because too many waited.
    pub(super) rows_left_out: u64,
}

/// One host as it looks at one moment.
#[derive(Debug)]
pub(super) struct HostView<'a> {
    /// What the run may ask of it, once the manifest is staged.
    pub(super) plan: Option<&'a HostPlan>,
    /// The counts.
    pub(super) totals: HostTotals,
    /// Requests a second, of late.
    pub(super) per_second: f64,
    /// Requests a second that are let through now; `None` without a quota.
    pub(super) allowed: Option<f64>,
    /// Its pause.
    pub(super) hold: Option<Hold>,
}

impl HostView<'_> {
    /// How long its pause still lasts; `None` when there is none.
    pub(super) fn held_for(&self) -> Option<Duration> {
        self.hold.map(|hold| hold.left).filter(|left| !left.is_zero())
    }
}

impl View<'_> {
    /// About how long the run will still take, where that can be told.
    pub(super) fn time_left(&self) -> Option<Duration> {
        match self.left {
            Some(Left::About(span)) => Some(span),
            Some(Left::Nothing | Left::Unknown(_)) | None => None,
        }
    }
}
