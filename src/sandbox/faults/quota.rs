//! A host's quota: so many calls a second, the others refused.

use std::time::Duration;

use tokio::time::Instant;

use super::{Answer, RetryAfter};

/// A quota, kept by a token bucket that is full at first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// How many calls a second are let through in the long run.
    pub per_second: f64,
    /// How many are let through at once after a pause; at least 1.
    pub burst: u32,
    /// The status of a refusal: 429 or 503.
    pub status: u16,
    /// Whether a refusal tells when to come back, and how.
    pub advice: Advice,
}

/// Whether and how a quota's refusal tells when to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// It doesn't tell.
    None,
    /// By `Retry-After` in whole seconds, rounded up.
    Seconds,
    /// By `Retry-After` as an HTTP date.
    Date,
}

/// How much of a quota is left.
pub(super) struct Bucket {
    level: f64,
    at: Option<Instant>,
}

impl Bucket {
    pub(super) const fn new() -> Self {
        Self { level: 0.0, at: None }
    }

    /// Takes one call out of the quota; the refusal when there is none left.
    pub(super) fn take(&mut self, quota: &Quota, now: Instant) -> Option<Answer> {
        let full = f64::from(quota.burst.max(1));
        let refilled = match self.at {
            Some(at) => now.duration_since(at).as_secs_f64().mul_add(quota.per_second, self.level),
            None => full,
        };
        self.at = Some(now);
        self.level = refilled.min(full);
        if self.level >= 1.0 {
            self.level -= 1.0;
            return None;
        }
        let wait = Duration::try_from_secs_f64((1.0 - self.level) / quota.per_second)
            .unwrap_or(Duration::from_secs(3_600));
        Some(quota.refusal(wait))
    }
}

impl Quota {
    fn refusal(&self, wait: Duration) -> Answer {
        let answer = Answer::new(self.status);
        match self.advice {
            Advice::None => answer,
            Advice::Seconds => {
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                answer.retry_after(RetryAfter::Seconds(seconds.max(1)))
            }
            Advice::Date => answer.retry_after(RetryAfter::DateIn(wait)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(advice: Advice) -> Quota {
        Quota { per_second: 2.0, burst: 3, status: 429, advice }
    }

    #[test]
    fn a_bucket_lets_the_burst_through_and_then_the_rate() {
        let quota = quota(Advice::None);
        let start = Instant::now();
        let mut bucket = Bucket::new();
        let let_through = (0..10).filter(|_| bucket.take(&quota, start).is_none()).count();
        assert_eq!(let_through, 3);
        let later = start + Duration::from_millis(500);
        assert_eq!(bucket.take(&quota, later), None);
        assert_eq!(bucket.take(&quota, later), Some(Answer::new(429)));
        let much_later = start + Duration::from_secs(100);
        let let_through = (0..10).filter(|_| bucket.take(&quota, much_later).is_none()).count();
        assert_eq!(let_through, 3, "a pause doesn't save up more than the burst");
    }

    #[test]
    fn a_refusal_tells_when_the_next_call_would_be_let_through() {
        let start = Instant::now();
        for (advice, expected) in [
            (Advice::Seconds, RetryAfter::Seconds(1)),
            (Advice::Date, RetryAfter::DateIn(Duration::from_millis(500))),
        ] {
            let mut bucket = Bucket::new();
            let quota = quota(advice);
            let refusal = (0..4).find_map(|_| bucket.take(&quota, start));
            assert_eq!(refusal, Some(Answer::new(429).retry_after(expected)));
        }
    }
}
