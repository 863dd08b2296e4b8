//! A program that is run to its end, and what it took.
//!
//! What is measured is the process as its parent sees it when it has ended (`wait4`), with all that it started and waited
//! for: wall-clock time from the start to the end, processor time in user and system mode, and the most memory that was
//! resident at once.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

/// What one process took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process {
    /// From its start to its end.
    pub(crate) time: Duration,
    /// In user and system mode together, on all processors.
    pub(crate) processor_time: Duration,
    /// The most memory that was resident at once, in bytes. The kernel counts the pages of the program's file, too, and never
    /// less than its parent held when it started the process.
    pub(crate) peak_memory: u64,
}

impl Process {
    /// Runs a program whose standard output nobody wants.
    ///
    /// # Panics
    ///
    /// When it can't be started, or fails; with what it said on standard error.
    pub(crate) fn run(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let began = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut said = Vec::new();
        let mut stderr = child.stderr.take().expect("its standard error");
        stderr.read_to_end(&mut said).expect("its standard error can be read");
        let ended = child.wait4().expect("it can be waited for");
        let time = began.elapsed();
        assert!(
            ended.status.success(),
            "{command:?} ended with {}: {}",
            ended.status,
            String::from_utf8_lossy(&said)
        );
        Self {
            time,
            processor_time: ended.rusage.utime + ended.rusage.stime,
            peak_memory: ended.rusage.maxrss,
        }
    }

    /// The peak of memory in units of 10⁶ bytes.
    pub(crate) fn megabytes(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "far below what a double holds exactly")]
        let bytes = self.peak_memory as f64;
        bytes / 1e6
    }
}

/// The middle one, or the upper of the two in the middle.
pub(crate) fn median<T: PartialOrd + Copy>(values: impl IntoIterator<Item = T>) -> T {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_by(|one, other| one.partial_cmp(other).expect("values that can be compared"));
    values[values.len() / 2]
}
