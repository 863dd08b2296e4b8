//! What a show is, and what it sees of a run.

use std::time::Duration;

use super::notes::{End, Note};
use super::tally::{HostTotals, Totals};
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
    /// Rows that end a second, of late.
    pub(super) rows_per_second: f64,
    /// How Stara is doing.
    pub(super) stara: HostView<'a>,
    /// How Leaf is doing.
    pub(super) leaf: HostView<'a>,
    /// About how long the run will still take, once that can be told.
    pub(super) left: Option<Duration>,
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
    /// How long its pause still lasts.
    pub(super) held_for: Option<Duration>,
}
