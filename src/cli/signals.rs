//! Two stages of stopping: the first signal, or the end of the run's time, drains; another signal, or the end of the
//! grace, ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::FutureExt as _;
use nix::unistd::{getpgrp, getsid};
use rustix::process;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::encrypted;
use super::exit_code::ExitCode;
use super::failure::Failure;
use crate::pipeline::{Observe, Signal, Stop, StopCause};
use crate::ui::LogWriter;

/// How long after a second signal the process may still be at work.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

/// How long a run may take, and how long its rows may go on once it is being stopped.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimits {
    /// When the run began.
    pub(super) began: Instant,
    /// How long after that no new row is started; `None` without a limit.
    pub(super) longest: Option<Duration>,
    /// How long rows under way may go on then, or after a signal.
    pub(super) grace: Duration,
}

/// Which signals have come.
#[derive(Debug, Clone, Default)]
pub(super) struct Signalled {
    /// Cancelled by the first one: whoever sent it waits for the end.
    pub(super) first: CancellationToken,
    /// Cancelled by the second one: they don't want to wait any longer.
    pub(super) again: CancellationToken,
}

impl Signalled {
    /// Waits until a signal has come and `patience` has passed since now, or until another one has come.
    pub(super) async fn patience_is_over(&self, patience: Duration) {
        self.first.cancelled().await;
        tokio::select! {
            () = self.again.cancelled() => {}
            () = tokio::time::sleep(patience) => {}
        }
    }
}

/// The signals that ask the process to end, one after another.
pub(super) struct NextSignal {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl NextSignal {
    /// Listens from here on.
    ///
    /// # Errors
    ///
    /// When the system doesn't let signals be watched.
    pub(super) fn listen() -> Result<Self, Failure> {
        Ok(Self {
            interrupt: listen_for(SignalKind::interrupt())?,
            terminate: listen_for(SignalKind::terminate())?,
            hangup: listen_for(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
            _ = self.hangup.recv() => Signal::Hangup,
        }
    }
}

/// Whether somebody watches who knows what is under way.
static IS_WATCHED: AtomicBool = AtomicBool::new(false);

/// Lets a signal end the process with the code and the line that tell of it, until somebody watches who knows what is under way.
///
/// # Errors
///
/// When the system gives no thread, or doesn't let signals be watched.
pub(super) fn end_until_watched() -> Result<(), Failure> {
    on_a_thread_of_its_own("first signals", NextSignal::listen, async move |mut signals: NextSignal| {
        let signal = signals.next().await;
        if IS_WATCHED.load(Ordering::SeqCst) {
            return;
        }
        let error = anyhow::anyhow!("stopped by {signal} while the manifest was being read");
        let failure = Failure::new(signal.into(), error, "no password was sent; run the same command again");
        encrypted::put_terminal_right();
        super::run::tell(&failure.render());
        std::process::exit(i32::from(failure.code.number()));
    })
}

/// Watches for signals, and for the end of the run's time, until the process ends.
///
/// # Errors
///
/// When the system doesn't let signals be watched.
pub(super) fn watch(
    stop: Stop,
    limits: TimeLimits,
    observer: Arc<dyn Observe>,
) -> Result<Signalled, Failure> {
    if let Some(longest) = limits.longest.filter(|longest| limits.began.elapsed() >= *longest) {
        // At once, so that nothing is begun.
        stop.drain(StopCause::DurationReached { longest }, &*observer);
    }
    let signalled = Signalled::default();
    let told = signalled.clone();
    let stopping = stop.clone();
    on_a_thread_of_its_own("signals", NextSignal::listen, async move |mut signals: NextSignal| {
        tokio::spawn(async move {
            stopping.draining().await;
            // Whatever the reason is, no more rows are wanted, and a command that hangs would keep the run.
            encrypted::want_no_more();
        });
        let mut next = async || signals.next().await;
        let first = tokio::select! {
            signal = next() => signal,
            longest = time_is_over(limits) => {
                stop.drain(StopCause::DurationReached { longest }, &*observer);
                tokio::select! {
                    // Whoever sends it gets the grace that they know of.
                    signal = next() => signal,
                    () = tokio::time::sleep(limits.grace) => {
                        stop.abort();
                        next().await
                    }
                }
            }
        };
        stop.drain(StopCause::Signal(first), &*observer);
        told.first.cancel();
        tokio::select! {
            _ = next() => {}
            () = tokio::time::sleep(limits.grace) => {
                stop.abort();
                next().await;
            }
        }
        stop.abort();
        told.again.cancel();
        // Nothing is left to wait for but a reader of ours that has stopped reading, and the ledger needs no farewell.
        tokio::time::sleep(LAST_PATIENCE).await;
        std::process::exit(i32::from(ExitCode::from(first).number()));
    })?;
    IS_WATCHED.store(true, Ordering::SeqCst);
    Ok(signalled)
}

/// Lets `watch` hear of signals on a thread of its own: whatever keeps the rows' thread, be it a reader of ours that has stopped
/// reading or a disk that hangs, they are heard.
///
/// # Errors
///
/// When the system gives no thread, or doesn't let signals be watched.
fn on_a_thread_of_its_own<S, W: Future<Output = ()>>(
    name: &str,
    listen: impl FnOnce() -> Result<S, Failure> + Send + 'static,
    watch: impl FnOnce(S) -> W + Send + 'static,
) -> Result<(), Failure> {
    let runtime = super::run::runtime()?;
    let (listens, listening) = std::sync::mpsc::channel();
    let watching = move || {
        runtime.block_on(async {
            // Whoever begins the watch waits to hear whether it has begun.
            match listen() {
                Ok(signals) => {
                    let _ = listens.send(Ok(()));
                    watch(signals).await;
                }
                Err(failure) => {
                    let _ = listens.send(Err(failure));
                }
            }
        });
    };
    let failed = |error: anyhow::Error| {
        let error = error.context("the thread that watches for signals can't be started");
        Failure::new(ExitCode::Internal, error, "check the limits on threads")
    };
    let started = std::thread::Builder::new().name(name.to_owned()).spawn(watching);
    started.map_err(|error| failed(error.into()))?;
    listening.recv().unwrap_or_else(|gone| Err(failed(gone.into())))
}

/// Takes the bars away while the process is stopped by Ctrl-Z, so that the shell writes on a clean line, and lets them be
/// drawn again when it goes on. For the rest of the process.
///
/// # Errors
///
/// When the system gives no thread, or doesn't let signals be watched.
pub(super) fn clear_screen_when_stopped(logs: &LogWriter) -> Result<(), Failure> {
    if !logs.has_bars() || is_led_by_session_leader() {
        return Ok(());
    }
    let logs = logs.clone();
    on_a_thread_of_its_own("stopping", || listen_for(SignalKind::from_raw(process::Signal::TSTP.as_raw())), {
        async move |mut stopped: tokio::signal::unix::Signal| {
            while stopped.recv().await.is_some() {
                logs.hide_bars(true);
                // As the signal would have done by itself. It fails for nobody's own process, and then nothing is stopped.
                let _ = process::kill_process(process::getpid(), process::Signal::STOP);
                logs.hide_bars(false);
            }
        }
    })
}

/// Takes the bars away when a signal comes, and ends the process with its code: for whoever only looks, so that nothing is under
/// way.
///
/// # Errors
///
/// When the system gives no thread, or doesn't let signals be watched.
pub(super) fn end_with_a_clean_screen(logs: &LogWriter) -> Result<(), Failure> {
    let logs = logs.clone();
    on_a_thread_of_its_own("signals", NextSignal::listen, async move |mut signals: NextSignal| {
        let code = ExitCode::from(signals.next().await);
        logs.hide_bars(true);
        std::process::exit(i32::from(code.number()));
    })
}

/// Whether no shell stands above that could let a stopped process go on, as in a container or a window that was opened for one
/// command. There Ctrl-Z does nothing.
fn is_led_by_session_leader() -> bool {
    getsid(None).is_ok_and(|session| session == getpgrp())
}

/// Waits for the end of the run's time, and gives it; for ever where it has none.
async fn time_is_over(limits: TimeLimits) -> Duration {
    let Some(longest) = limits.longest else { return std::future::pending().await };
    tokio::time::sleep(longest.saturating_sub(limits.began.elapsed())).await;
    longest
}

/// Lets a write beyond the limit on the size of files fail like one on a full disk, instead of ending the process.
///
/// # Errors
///
/// When the system doesn't let the signal be caught.
pub(super) fn outlive_file_limit() -> Result<(), Failure> {
    // Once asked for, the signal stays caught for the rest of the process.
    listen_for(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map(drop)
}

fn listen_for(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Failure> {
    signal(kind)
        .context("signals can't be watched")
        .map_err(|error| Failure::new(ExitCode::Internal, error, "report it"))
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
    IS_WATCHED.store(true, Ordering::SeqCst);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}

/// The signals that ask the process to end, held back while something must come to its end.
pub(super) struct HeldBack([(tokio::signal::unix::Signal, Signal); 3]);

/// Holds them back for the rest of the process: whoever does must ask often whether one came.
///
/// # Errors
///
/// When the system doesn't let signals be watched.
pub(super) fn hold_back() -> Result<HeldBack, Failure> {
    let held = HeldBack([
        (listen_for(SignalKind::interrupt())?, Signal::Interrupt),
        (listen_for(SignalKind::terminate())?, Signal::Terminate),
        (listen_for(SignalKind::hangup())?, Signal::Hangup),
    ]);
    IS_WATCHED.store(true, Ordering::SeqCst);
    Ok(held)
}

impl HeldBack {
    /// The first of them that has come since they were asked about last.
    pub(super) fn came(&mut self) -> Option<Signal> {
        self.0.iter_mut().find_map(|(held, signal)| held.recv().now_or_never().map(|_| *signal))
    }
}
