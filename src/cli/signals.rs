//! Two stages of stopping: the first signal drains, the second, or the end of the grace, ends at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::exit_code::ExitCode;
use crate::pipeline::{Observe, Signal, Stop, StopCause};

impl From<Signal> for ExitCode {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Hangup => Self::Hangup,
            Signal::Interrupt => Self::Interrupt,
            Signal::Terminate => Self::Terminate,
        }
    }
}

/// Watches for signals until the process ends.
///
/// # Errors
///
/// When the system doesn't let signals be watched.
pub(super) fn watch(stop: Stop, grace: Duration, observer: Arc<dyn Observe>) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => Signal::Interrupt,
                _ = terminate.recv() => Signal::Terminate,
                _ = hangup.recv() => Signal::Hangup,
            }
        };
        let first = next().await;
        stop.drain(StopCause::Signal(first), &*observer);
        tokio::select! {
            _ = next() => {}
            () = tokio::time::sleep(grace) => {}
        }
        stop.abort();
    });
    Ok(())
}

/// Waits for the first signal that asks the process to end.
///
/// # Errors
///
/// When the system doesn't let signals be watched.
pub(super) async fn first() -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}
