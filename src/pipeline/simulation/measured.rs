//! What a simulated run must have measured of itself: under virtual time every count and every time is known.

use std::time::Duration;

use super::oracle::Oracle;
use crate::model::Service;

/// No request takes longer than its time-out, however long it had to wait for its permit.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// How many pages of Leaf's list may be under way when one of them says that the list is of no use: the others are abandoned,
/// and nobody hears how they end.
const MOST_ABANDONED: u64 = 3;

/// What a run really did.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    /// Requests that left.
    pub(super) requests: u64,
    /// Rows whose end was told.
    pub(super) rows: u64,
    /// How long it was at work, at most.
    pub(super) took: Duration,
}

/// Holds what a run that came to its end measured against what it did.
pub(super) fn check(oracle: &mut Oracle, run: i64, done: Done) {
    let Some(reader) = &oracle.reader else { return };
    let (measures, live) = (reader.run_measures(run).unwrap(), reader.live_state(run).unwrap());
    let Some((measures, live)) = measures.zip(live) else {
        if done.requests + done.rows > 0 {
            oracle.object("a run keeps its measures", &format!("{done:?}, and nothing was measured"));
        }
        return;
    };
    let hosts = Service::ALL.map(|service| measures.total(service));
    let requests: u64 = hosts.iter().map(|host| host.requests).sum();
    let rows: u64 = measures.slots.iter().map(|slot| slot.rows).sum();
    let longest = measures.latencies.iter().map(|told| told.max_us).max().unwrap_or_default();
    let answers: u64 = measures.latencies.iter().map(|told| told.answers).sum();
    let held = hosts.iter().map(|host| host.held_ms).max().unwrap_or_default();
    let heard = done.requests.saturating_sub(MOST_ABANDONED)..=done.requests;
    let wrongs = [
        (!heard.contains(&requests), "requests"),
        (live.stara.requests + live.leaf.requests != requests, "requests told while at work"),
        (rows != done.rows || live.rows_ended != done.rows, "rows"),
        (answers > requests, "answers"),
        (u128::from(longest) > TIMEOUT.as_micros(), "a latency beyond the time-out"),
        (u128::from(held) > done.took.as_millis(), "a host held for longer than the run took"),
        (live.parked != 0, "parked rows"),
    ];
    for (_, what) in wrongs.into_iter().filter(|(is_wrong, _)| *is_wrong) {
        let told = format!("{what}: {done:?}, {live:?}, {measures:?}");
        oracle.object("a run measures what it does", &told);
    }
}
