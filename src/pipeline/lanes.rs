//! The threads on which rows are carried.

use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::model::Lane;

/// How many turns tasks may have before the network is looked at, while they have any. Answers that are taken in together cost fewer
/// system calls and wake-ups, ours and the services': with tokio's 61 a run without latency took longer. With 1,024 all rows went in
/// step with one another, and waited together for each commit. A turn takes a few microseconds.
const TURNS_BETWEEN_LOOKS: u32 = 256;

/// With how many rows in flight another lane pays. Fewer keep one thread busy for a fraction of the time.
const ROWS_WORTH_A_LANE: usize = 16;

/// The lanes of a run: the thread it is made on, and others, which end with it.
///
/// A lane is a runtime of one thread, so that nothing on a row's path is shared with another core but what all rows share: the
/// pacers, the ledger's queue, the counts.
#[derive(Debug)]
pub(super) struct Lanes {
    handles: Vec<Handle>,
    next: AtomicUsize,
    /// What the threads wait for: they end when it is dropped.
    running: Vec<oneshot::Sender<()>>,
}

/// The runtime of a lane.
///
/// # Errors
///
/// When the system doesn't give what it takes.
pub fn lane_runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().event_interval(TURNS_BETWEEN_LOOKS).enable_all().build()
}

impl Lanes {
    /// As many as so many rows in flight and the machine's cores are worth. A lane that the system gives no thread for is done
    /// without.
    pub(super) fn start(concurrency: usize) -> Self {
        let (handles, next) = (vec![Handle::current()], AtomicUsize::new(0));
        let mut lanes = Self { handles, next, running: Vec::new() };
        #[cfg(test)]
        if crate::model::simulated::is_on() {
            return lanes;
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for lane in Lane::ALL.into_iter().take(cores.min(concurrency / ROWS_WORTH_A_LANE)).skip(1) {
            match start(lane) {
                Ok((handle, running)) => {
                    lanes.handles.push(handle);
                    lanes.running.push(running);
                }
                Err(error) => tracing::warn!(%error, "rows are carried on fewer threads"),
            }
        }
        lanes
    }

    /// The lanes beside that of the run.
    pub(super) fn others(&self) -> &[Handle] {
        self.handles.get(1..).unwrap_or_default()
    }

    /// Carries something out on the lane whose turn it is.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.handles.len();
        self.handles[turn].spawn(work)
    }
}

fn start(lane: Lane) -> io::Result<(Handle, oneshot::Sender<()>)> {
    let runtime = lane_runtime()?;
    let handle = runtime.handle().clone();
    let (running, ended) = oneshot::channel::<()>();
    std::thread::Builder::new().name(format!("lane {}", lane.index())).spawn(move || {
        lane.enter();
        // It ends with an error, because nothing is ever sent.
        let _ = runtime.block_on(ended);
    })?;
    Ok((handle, running))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    async fn rows_by_lane(lanes: &Lanes, rows: usize) -> BTreeMap<usize, usize> {
        let mut by_lane = BTreeMap::new();
        for _ in 0..rows {
            let lane = lanes.spawn(async { Lane::current().index() }).await.unwrap();
            *by_lane.entry(lane).or_default() += 1;
        }
        by_lane
    }

    #[tokio::test]
    async fn a_few_rows_stay_on_the_thread_of_the_run() {
        let lanes = Lanes::start(2 * ROWS_WORTH_A_LANE - 1);
        assert_eq!(rows_by_lane(&lanes, 10).await, BTreeMap::from([(0, 10)]));
        assert!(lanes.others().is_empty());
    }

    #[tokio::test]
    async fn many_rows_are_spread_evenly_over_the_lanes_there_are() {
        let lanes = Lanes::start(64 * ROWS_WORTH_A_LANE);
        let by_lane = rows_by_lane(&lanes, 100).await;
        assert_eq!(by_lane.len(), lanes.others().len() + 1);
        assert!(by_lane.values().all(|rows| *rows == 100 / by_lane.len()), "{by_lane:?}");
    }

    #[tokio::test]
    async fn a_lane_ends_with_its_run_and_what_is_on_it_with_the_lane() {
        let lanes = Lanes::start(64 * ROWS_WORTH_A_LANE);
        let Some(other) = lanes.others().first() else { return };
        let waiting = other.spawn(std::future::pending::<()>());
        drop(lanes);
        assert!(waiting.await.unwrap_err().is_cancelled());
    }
}
