//! Wall-clock time as the ledger keeps it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A wall-clock instant in milliseconds since 1970-01-01T00:00:00Z.
///
/// Wall clocks jump, so it is only compared with care: [`UnixMillis::elapsed_since`] answers `None` when the clock went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// The time now by the machine's wall clock.
    #[must_use]
    pub fn now() -> Self {
        #[cfg(test)]
        if let Some(now) = super::simulated::wall_clock() {
            return now;
        }
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    /// How long before `self` was `earlier`; `None` when `earlier` lies in the future, so that the clock went back.
    #[must_use]
    pub fn elapsed_since(self, earlier: Self) -> Option<Duration> {
        u64::try_from(self.0.checked_sub(earlier.0)?).ok().map(Duration::from_millis)
    }

    /// The instant as RFC 3339 in UTC with milliseconds, `2026-11-21T14:03:20.125Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0).map_or_else(|_| self.0.to_string(), |at| format!("{at:.3}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_in_utc_with_milliseconds() {
        assert_eq!(UnixMillis(0).to_rfc3339(), "1970-01-01T00:00:00.000Z");
        assert_eq!(UnixMillis(1_795_269_800_125).to_rfc3339(), "2026-11-21T14:03:20.125Z");
    }

    #[test]
    fn a_clock_that_went_back_tells_no_age() {
        assert_eq!(UnixMillis(2_000).elapsed_since(UnixMillis(500)), Some(Duration::from_millis(1_500)));
        assert_eq!(UnixMillis(500).elapsed_since(UnixMillis(2_000)), None);
    }
}
