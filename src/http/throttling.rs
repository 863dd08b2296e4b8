//! The pause of a host that throttles without saying for how long. Pure.

use std::time::Duration;

/// The first pause after a throttled answer that names no time; it doubles while the host keeps throttling.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause of our own making.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// How often in a row a host has throttled us. All times are since the pacer began.
#[derive(Debug)]
pub(super) struct Throttling {
    longest_hold: Duration,
    streak: u32,
    /// When the streak began.
    began: Option<Duration>,
    /// When the last pause was set.
    since: Option<Duration>,
}

impl Throttling {
    pub(super) fn new(longest_hold: Duration) -> Self {
        Self { longest_hold, streak: 0, began: None, since: None }
    }

    /// How long to pause now that a request sent at `sent` was throttled; `None` when that tells nothing new.
    ///
    /// Where the host names no time, or none that lies ahead, it is 500 ms, doubling to 20 s with each round trip that
    /// is throttled again; nothing at first where a lower rate will do (`is_slower`). A host that does nothing else for
    /// as long as the longest hold counts as asking for a longer one.
    pub(super) fn pause(
        &mut self,
        sent: Duration,
        now: Duration,
        retry_after: Option<Duration>,
        is_slower: bool,
    ) -> Option<Duration> {
        let own = self.own_pause(sent, now);
        match (retry_after, own) {
            (_, Some(own)) if own > self.longest_hold => Some(own),
            (Some(named), _) if !named.is_zero() => Some(named),
            _ if is_slower && self.streak == 1 => None,
            (_, own) => own,
        }
    }

    /// `None` when the request was sent before the last pause was set.
    fn own_pause(&mut self, sent: Duration, now: Duration) -> Option<Duration> {
        if self.since.is_some_and(|since| sent <= since) {
            return None;
        }
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.streak)).min(LONGEST_PAUSE);
        self.streak = self.streak.saturating_add(1);
        self.since = Some(now);
        let throttled_for = now.saturating_sub(*self.began.get_or_insert(now));
        Some(if throttled_for > self.longest_hold { self.longest_hold + pause } else { pause })
    }

    /// Takes note that the host served a request without throttling it.
    pub(super) fn served(&mut self) {
        (self.streak, self.began) = (0, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_rate_comes_before_the_first_pause_of_our_own() {
        let mut throttling = Throttling::new(Duration::from_secs(900));
        let seconds = Duration::from_secs;
        assert_eq!(throttling.pause(seconds(1), seconds(2), None, true), None);
        assert_eq!(throttling.pause(seconds(3), seconds(4), None, true), Some(FIRST_PAUSE * 2));
        throttling.served();
        assert_eq!(throttling.pause(seconds(5), seconds(6), None, true), None);
        assert_eq!(throttling.pause(seconds(7), seconds(8), Some(seconds(9)), true), Some(seconds(9)));
    }
}
