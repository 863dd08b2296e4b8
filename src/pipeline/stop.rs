//! How a run is stopped before its end: for which reason, in two stages.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::event::{Event, Observe};
use crate::http::Unreached;
use crate::model::{Secret, Service};

/// Why a run stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StopCause {
    /// The ledger couldn't be written.
    #[error("the ledger can't be written: {reason}")]
    LedgerUnwritable {
        /// What the system says.
        reason: String,
    },
    /// The user or the system asked for it.
    #[error("stopped by {0}")]
    Signal(Signal),
    /// The program that runs it asked for it.
    #[error("stopped by the program that ran it")]
    Requested,
    /// Leaf refuses our token, and no other can be had.
    #[error("Leaf refuses our token: {reason}")]
    TokenRefused {
        /// What was tried.
        reason: String,
    },
    /// Leaf answered with a redirect, which is never followed.
    #[error("Leaf answered with a redirect (status {status}), which is never followed")]
    Redirected {
        /// Its status.
        status: u16,
    },
    /// The run goes wrong for everybody, by its canaries or its failure budget.
    #[error("{diagnosis}")]
    TooManyFailures {
        /// What happened, and what it probably means.
        diagnosis: String,
    },
    /// Leaf refuses everything we ask.
    #[error("{diagnosis}")]
    Forbidden {
        /// What happened, and what it probably means.
        diagnosis: String,
    },
    /// A host asked for a longer pause than the run makes.
    #[error("{service} asked for a pause of {}, longer than --max-hold", display_duration(*.pause))]
    HeldTooLong {
        /// The host's service.
        service: Service,
        /// The pause that was left.
        pause: Duration,
    },
    /// A host is down, and wasn't waited for any longer.
    #[error("{}", display_outage(*.service, *.why))]
    HostDown {
        /// The host's service.
        service: Service,
        /// Why there is no connection, where there is none.
        why: Option<Unreached>,
    },
    /// The run has taken as long as it may.
    #[error("the run has taken --max-duration ({})", exact_duration(*.longest))]
    DurationReached {
        /// How long it may take.
        longest: Duration,
    },
    /// No token could be had, because Leaf didn't answer.
    #[error("Leaf gave no token: {reason}")]
    NoToken {
        /// What happened.
        reason: String,
    },
    /// The manifest can't be read a second time.
    #[error("the manifest could be read once, but not again: {reason}")]
    ManifestUnreadable {
        /// Why.
        reason: String,
        /// What only a terminal is told of it.
        whole: Option<Told>,
    },
    /// The manifest isn't what it was when it was staged.
    #[error("the manifest changed while it was being read (line {line})")]
    ManifestChanged {
        /// The first line that differs.
        line: u64,
    },
}

/// What a terminal is told of a stop beside its text, and nothing else may keep.
#[derive(Debug, Clone)]
pub struct Told(pub Secret);

/// Two stops for the same reason are the same, whatever is said of them.
impl PartialEq for Told {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Told {}

/// The signals that stop a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The terminal was closed.
    Hangup,
    /// Ctrl-C.
    Interrupt,
    /// The system, or a scheduler.
    Terminate,
}

impl std::fmt::Display for Signal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        })
    }
}

impl StopCause {
    /// What a terminal is told of it beside its text.
    #[must_use]
    pub fn told(&self) -> Option<&str> {
        match self {
            Self::ManifestUnreadable { whole: Some(Told(whole)), .. } => Some(whole.expose_secret()),
            _ => None,
        }
    }

    /// The weightier cause decides how the run ends: the ledger, then a signal, then Leaf's refusal, then the rest.
    const fn weight(&self) -> u8 {
        match self {
            Self::LedgerUnwritable { .. } => 4,
            Self::Signal(_) | Self::Requested => 3,
            Self::TokenRefused { .. } | Self::Redirected { .. } | Self::Forbidden { .. } => 2,
            Self::TooManyFailures { .. } => 1,
            Self::HeldTooLong { .. }
            | Self::HostDown { .. }
            | Self::DurationReached { .. }
            | Self::NoToken { .. }
            | Self::ManifestUnreadable { .. }
            | Self::ManifestChanged { .. } => 0,
        }
    }
}

/// Stops a run in two stages: draining (nothing new is started, what is under way ends) and aborting. Cheap to clone.
#[derive(Clone)]
pub struct Stop {
    drain: CancellationToken,
    abort: CancellationToken,
    cause: Arc<Mutex<Option<StopCause>>>,
}

impl Default for Stop {
    fn default() -> Self {
        let abort = CancellationToken::new();
        // Draining is the lesser: whoever waits for it is woken by an abort, too.
        Self { drain: abort.child_token(), abort, cause: Arc::default() }
    }
}

impl Stop {
    /// Starts nothing new from here on, for this reason, and tells `observer` so.
    pub fn drain(&self, cause: StopCause, observer: &dyn Observe) {
        let reason = cause.to_string();
        if self.note(cause) {
            observer.observe(&Event::Draining { reason });
        }
        self.drain.cancel();
    }

    /// Ends everything at once; the ledger stays true.
    pub fn abort(&self) {
        self.abort.cancel();
    }

    /// Keeps the weightiest cause; tells whether this is the first.
    fn note(&self, cause: StopCause) -> bool {
        let mut noted = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        match noted.as_ref() {
            Some(earlier) if earlier.weight() >= cause.weight() => false,
            earlier => {
                let is_first = earlier.is_none();
                *noted = Some(cause);
                is_first
            }
        }
    }

    /// Why the run stops; `None` while it doesn't.
    #[must_use]
    pub fn cause(&self) -> Option<StopCause> {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether nothing new is started any more.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }

    /// Waits until nothing new is to be started.
    pub async fn draining(&self) {
        self.drain.cancelled().await;
    }

    /// Waits until everything is to end at once.
    pub async fn aborting(&self) {
        self.abort.cancelled().await;
    }
}

/// A host that is down, and why as far as that is known.
fn display_outage(service: Service, why: Option<Unreached>) -> String {
    match why {
        Some(why) => format!(
            "{service} can't be reached: {why}, and the next try would be later than --max-hold allows; `stara-onboard doctor` looks \
             closer"
        ),
        None => format!(
            "{service} is down (it can't be reached, or answers with server errors) and the next try would be later than --max-hold \
             allows"
        ),
    }
}

/// A duration as its flag writes it, to the millisecond.
fn exact_duration(duration: Duration) -> String {
    let units = [(3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let milliseconds = duration.as_millis();
    let unit = units.into_iter().find(|(unit, _)| milliseconds > 0 && milliseconds.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{milliseconds}ms"), |(unit, name)| format!("{}{name}", milliseconds / unit))
}

/// A duration for people, in whole seconds or minutes.
fn display_duration(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds >= 120 => format!("{}m", seconds.div_ceil(60)),
        seconds => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_named_as_it_was_asked_for() {
        let asked = [500, 90_000, 120_000, 7_200_000, 0].map(Duration::from_millis).map(exact_duration);
        assert_eq!(asked, ["500ms", "90s", "2m", "2h", "0ms"]);
    }
}
