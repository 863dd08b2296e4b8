//! How fast something goes: a count over a window of time that slides.

use std::collections::VecDeque;
use std::time::Duration;

/// How many samples a window holds at most, about: they are taken no closer together than a fraction of the window.
const SAMPLES: u32 = 32;

/// The rate at which a count rose over the last `window`.
#[derive(Debug)]
pub(super) struct Pace {
    window: Duration,
    /// Time and count, oldest first. The oldest is at the window's start or just before it.
    samples: VecDeque<(Duration, u64)>,
}

impl Pace {
    /// Begins without a sample.
    pub(super) fn over(window: Duration) -> Self {
        Self { window, samples: VecDeque::new() }
    }

    /// Takes a sample and answers the rate per second over the window up to it; zero until time has passed.
    pub(super) fn sample(&mut self, now: Duration, count: u64) -> f64 {
        let start = now.saturating_sub(self.window);
        while self.samples.get(1).is_some_and(|&(at, _)| at <= start) {
            self.samples.pop_front();
        }
        let newest = self.samples.back().map(|&(at, _)| at);
        if newest.is_none_or(|at| now.saturating_sub(at) >= self.window / SAMPLES) {
            self.samples.push_back((now, count));
        }
        let &(at, counted) = self.samples.front().unwrap_or(&(now, count));
        let seconds = now.saturating_sub(at).as_secs_f64();
        if seconds <= 0.0 {
            return 0.0;
        }
        #[allow(clippy::cast_precision_loss, reason = "a rate for people needs no 53 bits")]
        let rose = count.saturating_sub(counted) as f64;
        rose / seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn assert_close(rate: f64, expected: f64) {
        assert!((rate - expected).abs() < 0.01, "{rate} is not {expected}");
    }

    #[test]
    fn the_rate_is_that_of_the_window_and_not_of_the_whole_run() {
        let mut pace = Pace::over(at(10_000));
        assert_close(pace.sample(at(0), 0), 0.0);
        assert_close(pace.sample(at(10_000), 1_000), 100.0);
        assert_close(pace.sample(at(20_000), 1_100), 10.0);
        assert_close(pace.sample(at(30_000), 1_100), 0.0);
    }

    #[test]
    fn a_sample_in_the_same_instant_divides_by_nothing() {
        let mut pace = Pace::over(at(10_000));
        assert_close(pace.sample(at(5), 7), 0.0);
        assert_close(pace.sample(at(5), 9), 0.0);
    }

    #[test]
    fn frequent_samples_take_no_memory_and_still_count() {
        let mut pace = Pace::over(at(10_000));
        let mut rate = 0.0;
        for tick in 0..100_000 {
            rate = pace.sample(at(tick), tick * 5);
        }
        assert_close(rate, 5_000.0);
        assert!(pace.samples.len() <= SAMPLES as usize + 2);
    }
}
