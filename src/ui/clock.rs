//! The clock that shows are timed by.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;

use crate::model::UnixMillis;

/// A clock that never goes back.
pub trait Clock: Send + Sync {
    /// The time since some fixed moment.
    fn now(&self) -> Duration;
}

/// The machine's own monotonic clock, starting at zero when it is made.
#[derive(Debug)]
pub struct MonotonicClock(Instant);

impl MonotonicClock {
    /// Starts at zero now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for MonotonicClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// What the clock on the wall shows, where the user is.
#[derive(Debug, Clone)]
pub(super) struct WallClock {
    zone: TimeZone,
    now: fn() -> UnixMillis,
}

impl WallClock {
    /// The system's, in its time zone.
    pub(super) fn of_system() -> Self {
        Self { zone: TimeZone::system(), now: UnixMillis::now }
    }

    /// One that stands still, in UTC.
    #[cfg(test)]
    pub(super) fn standing() -> Self {
        Self { zone: TimeZone::UTC, now: || UnixMillis(1_795_269_800_125) }
    }

    /// The time of day at which this span from now will be over: `14:03:20`.
    pub(super) fn after(&self, span: Duration) -> String {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        self.at(UnixMillis((self.now)().0.saturating_add(millis)))
    }

    /// The time of day of an instant.
    pub(super) fn at(&self, instant: UnixMillis) -> String {
        // Only an instant thousands of years away isn't one to jiff.
        let at = jiff::Timestamp::from_millisecond(instant.0).unwrap_or_default();
        at.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }
}

/// A clock that tests set.
#[cfg(test)]
#[derive(Debug, Default)]
pub(super) struct ManualClock(std::sync::atomic::AtomicU64);

#[cfg(test)]
impl ManualClock {
    /// Sets the time, in milliseconds.
    pub(super) fn set_millis(&self, millis: u64) {
        self.0.store(millis, std::sync::atomic::Ordering::SeqCst);
    }
}

#[cfg(test)]
impl Clock for ManualClock {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(std::sync::atomic::Ordering::SeqCst))
    }
}
