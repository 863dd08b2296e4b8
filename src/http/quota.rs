//! One cell at a time: governor's arithmetic over a clock that we hold in our own hands.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::RateLimiter;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};

/// Timers fire late by up to about this much, because their wheel turns once a millisecond.
const TIMER_LATENESS: Duration = Duration::from_millis(2);

/// The time as it is shown to governor, in nanoseconds since the pacer began.
#[derive(Debug, Clone, Default)]
struct ShownClock(Arc<AtomicU64>);

impl Clock for ShownClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(self.0.load(Ordering::Relaxed))
    }
}

/// An even quota of one cell a period, without bursts.
///
/// Timers fire late, and an arithmetic that starts each period at the late instant loses that lateness from the quota.
/// So the time shown to governor runs behind the real one by at most `forgiven`, just enough to be on the even grid.
/// `forgiven` is half a period, or, where that is less than timers can keep, 2 ms with the period lengthened in
/// proportion: any n cells take at least n periods less that, so that a window of one second never holds more than the
/// quota and one.
#[derive(Debug)]
pub(super) struct EvenQuota {
    asked: Duration,
    limiter: RateLimiter<NotKeyed, InMemoryState, ShownClock, NoOpMiddleware<Nanos>>,
    clock: ShownClock,
    forgiven: Duration,
    period: Duration,
    next: Duration,
}

impl EvenQuota {
    /// A quota of one cell each `period`, the first at once.
    pub(super) fn every(period: Duration) -> Self {
        let asked = period;
        let mut period = period.max(Duration::from_micros(1));
        let mut forgiven = (period / 2).min(Duration::from_millis(10));
        if forgiven < TIMER_LATENESS {
            forgiven = TIMER_LATENESS;
            period += period.mul_f64(TIMER_LATENESS.as_secs_f64());
        }
        let clock = ShownClock::default();
        let cells = governor::Quota::with_period(period)
            .unwrap_or_else(|| governor::Quota::per_second(NonZeroU32::MIN))
            .allow_burst(NonZeroU32::MIN);
        let limiter = RateLimiter::direct_with_clock(cells, clock.clone());
        Self { asked, limiter, clock, forgiven, period, next: Duration::ZERO }
    }

    /// Goes on with one cell each `period`. The cell taken last counts: a change gives no cell away.
    pub(super) fn keep_to(&mut self, period: Duration) {
        if period == self.asked {
            return;
        }
        let taken = self.next.checked_sub(self.period).filter(|_| !self.next.is_zero());
        *self = Self::every(period);
        if let Some(taken) = taken {
            self.next = taken;
            // The clock is ours: the fresh limiter is charged at the time of that cell, and can't refuse its first one.
            let _ = self.take(taken);
        }
    }

    /// Spends the next cell on what has left already.
    pub(super) fn skip(&mut self) {
        // It is due by then, and can't be refused.
        let _ = self.take(self.next);
    }

    /// Takes a cell at `now` (time since the pacer began), or says at which time the next one is due.
    pub(super) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let shown = now.min(self.next.max(now.saturating_sub(self.forgiven)));
        self.clock.0.store(nanoseconds(shown), Ordering::Relaxed);
        match self.limiter.check() {
            Ok(()) => {
                self.next = shown + self.period;
                Ok(())
            }
            Err(not_until) => Err(Duration::from(not_until.earliest_possible())),
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes cells for `seconds`, each time waking `late` after the cell was due.
    fn run(period: Duration, late: impl Fn(u64) -> Duration, seconds: u64) -> Vec<Duration> {
        let mut quota = EvenQuota::every(period);
        let (mut now, mut taken) = (Duration::ZERO, Vec::new());
        while now < Duration::from_secs(seconds) {
            match quota.take(now) {
                Ok(()) => taken.push(now),
                Err(due) => now = due + late(taken.len() as u64),
            }
        }
        taken
    }

    fn most_in_a_second(taken: &[Duration]) -> usize {
        let second = Duration::from_secs(1);
        let from = |start: usize| taken[start..].iter().take_while(|at| **at < taken[start] + second).count();
        (0..taken.len()).map(from).max().unwrap_or(0)
    }

    #[test]
    fn late_timers_lose_nothing_of_the_quota_and_never_exceed_it() {
        for rate in [2_u32, 50, 200, 1_000] {
            let period = Duration::from_secs(1) / rate;
            let taken = run(period, |n| Duration::from_micros(n * 7919 % 1_500), 20);
            let used = u32::try_from(taken.len()).unwrap();
            assert!(used >= rate * 20 * 99 / 100, "{rate}/s used {used}");
            assert!(most_in_a_second(&taken) <= rate as usize + 1, "{rate}/s");
        }
    }

    #[test]
    fn a_stall_is_not_made_up_for_by_a_burst() {
        let stall = |n: u64| {
            if n == 30 { Duration::from_millis(700) } else { Duration::ZERO }
        };
        let taken = run(Duration::from_millis(20), stall, 5);
        assert!(most_in_a_second(&taken) <= 51);
    }

    #[test]
    fn a_fresh_quota_gives_one_cell_and_no_burst() {
        let mut quota = EvenQuota::every(Duration::from_millis(100));
        assert_eq!(quota.take(Duration::ZERO), Ok(()));
        assert_eq!(quota.take(Duration::ZERO), Err(Duration::from_millis(100)));
    }

    #[test]
    fn a_changed_period_counts_from_the_cell_taken_last() {
        let millis = Duration::from_millis;
        for (period, due) in [(500, 500), (20, 20)] {
            let mut quota = EvenQuota::every(millis(100));
            assert_eq!(quota.take(Duration::ZERO), Ok(()));
            quota.keep_to(millis(period));
            assert_eq!(quota.take(millis(1)), Err(millis(due)), "{period} ms");
            assert_eq!(quota.take(millis(due)), Ok(()));
        }
    }

    #[test]
    fn a_changed_period_of_a_fresh_quota_gives_one_cell_at_once() {
        let mut quota = EvenQuota::every(Duration::from_millis(100));
        quota.keep_to(Duration::from_millis(50));
        assert_eq!(quota.take(Duration::ZERO), Ok(()));
        assert_eq!(quota.take(Duration::ZERO), Err(Duration::from_millis(50)));
    }
}
