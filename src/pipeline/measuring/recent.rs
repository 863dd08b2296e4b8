//! How fast requests ended lately.

use std::time::Duration;

/// So many whole seconds are looked back on, besides the one under way.
const LOOKED_BACK: usize = 10;

const SECONDS: usize = LOOKED_BACK + 1;

/// Counts what happened in the last seconds.
#[derive(Debug, Default)]
pub(super) struct RecentRate {
    /// The second that is under way.
    second: u64,
    /// How often it happened in each of the last seconds, by the second's number.
    counts: [u32; SECONDS],
}

impl RecentRate {
    /// Takes note that it happened once more, at this time since the beginning.
    pub(super) fn note(&mut self, now: Duration) {
        self.go_on_to(now.as_secs());
        let count = &mut self.counts[place_of(self.second)];
        *count = count.saturating_add(1);
    }

    /// How often a second it happened lately. In the first second it is as if that were over.
    pub(super) fn per_second(&mut self, now: Duration) -> f64 {
        self.go_on_to(now.as_secs());
        let counted: u32 = self.counts.iter().sum();
        let span = Duration::from_secs(LOOKED_BACK as u64) + Duration::from_nanos(now.subsec_nanos().into());
        f64::from(counted) / now.min(span).max(Duration::from_secs(1)).as_secs_f64()
    }

    fn go_on_to(&mut self, second: u64) {
        let passed = second.saturating_sub(self.second).min(SECONDS as u64);
        for ago in 0..passed {
            self.counts[place_of(second - ago)] = 0;
        }
        self.second = self.second.max(second);
    }
}

fn place_of(second: u64) -> usize {
    usize::try_from(second % SECONDS as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn is_near(rate: f64, expected: f64) -> bool {
        (rate - expected).abs() < 0.01 * expected.max(0.1)
    }

    #[test]
    fn an_even_rate_is_told_from_the_first_seconds_on_and_forgotten_ten_seconds_later() {
        let mut rate = RecentRate::default();
        for tenth in 0..1_000 {
            let now = seconds(f64::from(tenth) / 10.0 + 0.05);
            rate.note(now);
            if tenth >= 10 {
                let told = rate.per_second(now + seconds(0.05));
                assert!(is_near(told, 10.0), "{told} after {tenth} tenths");
            }
        }
        assert!(is_near(rate.per_second(seconds(105.0)), 5.0));
        assert!(is_near(rate.per_second(seconds(111.0)), 0.0));
        assert!(is_near(rate.per_second(seconds(1e9)), 0.0));
    }

    #[test]
    fn the_first_moment_is_no_thousand_a_second() {
        let mut rate = RecentRate::default();
        rate.note(seconds(0.001));
        assert!(is_near(rate.per_second(seconds(0.001)), 1.0));
    }
}
