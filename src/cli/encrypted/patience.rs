//! Waiting for a command, but not for ever.

use std::io;
use std::os::fd::AsFd;
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How often a command that has closed its output is asked whether it has ended, at the longest.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// How often whoever waits for output asks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);

/// Whether the run is being stopped, so that nobody wants what commands have yet to give.
static IS_ENOUGH: AtomicBool = AtomicBool::new(false);

/// Lets every wait for a command end from here on.
pub(in crate::cli) fn want_no_more() {
    IS_ENOUGH.store(true, Ordering::Relaxed);
}

/// What came of waiting for a command.
pub(super) enum Waited<T> {
    /// This.
    For(T),
    /// It took too long.
    TooLong,
    /// The run is being stopped meanwhile.
    Stopped,
}

/// Waits until `pipe` gives something or ends.
pub(super) fn for_output(pipe: &impl AsFd, patience: Duration) -> io::Result<Waited<()>> {
    let deadline = Instant::now() + patience;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let turn = Timespec::try_from(left.min(LOOK)).map_err(|_| io::ErrorKind::InvalidInput)?;
        match poll(&mut [PollFd::new(pipe, PollFlags::IN)], Some(&turn)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(Waited::For(())),
            Err(error) => return Err(error.into()),
        }
        if IS_ENOUGH.load(Ordering::Relaxed) {
            return Ok(Waited::Stopped);
        }
        if left.is_zero() {
            return Ok(Waited::TooLong);
        }
    }
}

/// Waits until `child` has ended.
pub(super) fn for_end(child: &mut Child, patience: Duration) -> io::Result<Waited<ExitStatus>> {
    let deadline = Instant::now() + patience;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Waited::For(status));
        }
        if IS_ENOUGH.load(Ordering::Relaxed) {
            return Ok(Waited::Stopped);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Waited::TooLong);
        }
        // A process that has closed its output ends within a moment, or hangs.
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
