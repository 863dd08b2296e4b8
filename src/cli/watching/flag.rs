//! The flag of `status --watch`.

use std::time::Duration;

use clap::Args;

/// Whether a run is followed.
#[derive(Debug, Clone, Copy, Args)]
pub(in crate::cli) struct WatchFlag {
    /// Follow the run that is at work until it ends, looking every so many seconds
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2",
          value_parser = clap::value_parser!(u64).range(1..=3_600), conflicts_with_all = ["json", "leaf_user_id"])]
    watch: Option<u64>,
}

impl WatchFlag {
    /// The time from one look to the next; `None` where nothing is followed.
    pub(in crate::cli) fn interval(self) -> Option<Duration> {
        self.watch.map(Duration::from_secs)
    }
}
