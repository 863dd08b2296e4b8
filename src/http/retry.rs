//! Whether to send again: a pure table over what was sent and what came of it.

use std::time::Duration;

/// What kind of request it was: whether sending it again can do harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempted {
    /// A request that may be sent again, whatever came of it.
    Repeatable,
    /// A request that may take effect each time it is sent.
    Once,
}

/// What went wrong with an attempt, as far as sending again is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The host surely didn't process it.
    NotProcessed,
    /// The host asked us to slow down, and surely didn't process it.
    Throttled,
    /// Nobody knows whether the host processed it.
    Ambiguous,
    /// The host answered, and will answer the same again.
    Final,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryVerdict {
    /// Send it again after a random wait of at most this.
    Again {
        /// The upper bound of the wait.
        within: Duration,
    },
    /// Send it again as soon as the host's pause is over; this doesn't use up an attempt.
    AgainWhenAllowed,
    /// Don't send it again.
    GiveUp,
    /// Don't send it again before it is known whether it took effect.
    FindOut,
}

/// How often and how patiently a host is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// The bound of the first wait; it doubles with each attempt ("full jitter": the wait is uniform below its bound).
    pub first_wait: Duration,
    /// The highest bound.
    pub longest_wait: Duration,
}

impl RetryPolicy {
    /// The house's policy with this many attempts: waits below 500 ms, doubling to 20 s.
    #[must_use]
    pub const fn with_attempts(attempts: u32) -> Self {
        Self { attempts, first_wait: Duration::from_millis(500), longest_wait: Duration::from_secs(20) }
    }

    /// What follows on the `attempt`-th attempt (from 1) having ended so.
    #[must_use]
    pub fn decide(&self, attempted: Attempted, attempt: u32, trouble: Trouble) -> RetryVerdict {
        match (attempted, trouble) {
            (_, Trouble::Final) => RetryVerdict::GiveUp,
            (_, Trouble::Throttled) => RetryVerdict::AgainWhenAllowed,
            (Attempted::Once, Trouble::Ambiguous) => RetryVerdict::FindOut,
            (_, Trouble::NotProcessed) | (Attempted::Repeatable, Trouble::Ambiguous) => {
                if attempt < self.attempts {
                    RetryVerdict::Again { within: self.bound(attempt) }
                } else {
                    RetryVerdict::GiveUp
                }
            }
        }
    }

    fn bound(&self, attempt: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
        self.first_wait.saturating_mul(doubled).min(self.longest_wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_reads_as_the_plan_says() {
        let policy = RetryPolicy::with_attempts(3);
        let lines = [Attempted::Repeatable, Attempted::Once].into_iter().flat_map(|attempted| {
            [Trouble::NotProcessed, Trouble::Throttled, Trouble::Ambiguous, Trouble::Final].map(|trouble| {
                let verdicts = [1, 2, 3].map(|attempt| policy.decide(attempted, attempt, trouble));
                format!("{attempted:?} {trouble:?}: {verdicts:?}")
            })
        });
        let table: Vec<String> = lines.collect();
        let again = "[Again { within: 500ms }, Again { within: 1s }, GiveUp]";
        let expected = [
            format!("Repeatable NotProcessed: {again}"),
            "Repeatable Throttled: [AgainWhenAllowed, AgainWhenAllowed, AgainWhenAllowed]".to_owned(),
            format!("Repeatable Ambiguous: {again}"),
            "Repeatable Final: [GiveUp, GiveUp, GiveUp]".to_owned(),
            format!("Once NotProcessed: {again}"),
            "Once Throttled: [AgainWhenAllowed, AgainWhenAllowed, AgainWhenAllowed]".to_owned(),
            "Once Ambiguous: [FindOut, FindOut, FindOut]".to_owned(),
            "Once Final: [GiveUp, GiveUp, GiveUp]".to_owned(),
        ];
        assert_eq!(table, expected);
    }

    #[test]
    fn waits_double_up_to_twenty_seconds() {
        let policy = RetryPolicy::with_attempts(100);
        let bound = |attempt| policy.bound(attempt);
        assert_eq!(bound(1), Duration::from_millis(500));
        assert_eq!(bound(3), Duration::from_secs(2));
        assert_eq!(bound(7), Duration::from_secs(20));
        assert_eq!(bound(99), Duration::from_secs(20));
    }
}
