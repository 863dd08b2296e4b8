//! Finds an unpublished quota and stays just under it. Pure: it is told what happened, and says how fast to go.

use std::time::Duration;

/// What a throttled answer leaves of the rate (the house plan's figure).
const CUT: f64 = 0.7;

/// The part of a quota that is used for good once it is known, so that jitter doesn't exceed it.
const JUST_UNDER: f64 = 0.95;

/// The part of the way back to a known quota that one clean second makes.
const RETURN: f64 = 0.5;

/// The part of a learned quota that the next run begins with (the house plan's figure).
pub const BEGIN_WITH: f64 = 0.8;

/// How far a rate may climb beyond a quota that was thought to be known, before it is thought to have grown.
const OUTGROWN: f64 = 1.05;

/// How long the rate stays just under a quota before it tries more; it doubles while the quota proves to be the same.
const FIRST_REST: Duration = Duration::from_secs(5);

/// The longest such time, so that a quota that has grown is found within half a minute.
const LONGEST_REST: Duration = Duration::from_secs(20);

/// Two throttled answers closer than this say nothing about the quota by what was served between them.
const SHORTEST_MEASURE: Duration = Duration::from_secs(1);

/// Where an adaptive rate may lie, in requests a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveRange {
    /// The rate it begins with.
    pub start: f64,
    /// It is never lowered below this.
    pub floor: f64,
    /// It is never raised beyond this.
    pub ceiling: f64,
}

impl AdaptiveRange {
    /// About how long so many requests take that the host lets through, all of them, while the rate climbs.
    #[must_use]
    pub fn time_for(self, requests: u64) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
        let mut left = requests as f64;
        let mut rate = self.start.clamp(self.floor, self.ceiling);
        let mut seconds = 0.0;
        while rate < self.ceiling && left > 0.0 {
            let sent = (span(rate).as_secs_f64() * rate).ceil().min(left);
            seconds += sent / rate;
            left -= sent;
            rate = (rate + self.step()).min(self.ceiling);
        }
        Duration::try_from_secs_f64(seconds + left / rate).unwrap_or(Duration::MAX)
    }

    /// What a clean second that is used adds to the rate.
    fn step(self) -> f64 {
        self.ceiling / 100.0
    }
}

/// The time over which a rate is judged: two periods at least, for otherwise a slow rate could never be seen to be used.
fn span(rate: f64) -> Duration {
    Duration::from_secs(1).max(Duration::from_secs_f64(2.0 / rate))
}

/// An adaptive rate. All times are since the pacer began.
///
/// It climbs by a hundredth of its ceiling with each second that was clean (nothing was throttled) and used (it was the
/// rate that held requests back, and the host didn't fail them). A throttled answer leaves 0.7 of it, once a round trip, and tells where the quota is:
/// not above the rate, and, because a bucket that has just run empty has no reserve left, not below what was served
/// since the last throttled answer. The rate then returns quickly to just under the middle of the two, rests there, and
/// only tries more now and then.
#[derive(Debug)]
pub(super) struct AdaptiveRate {
    range: AdaptiveRange,
    rate: f64,
    /// Where the quota was met last; `None` while it is unknown.
    limit: Option<f64>,
    /// When the rate was cut last.
    cut_at: Option<Duration>,
    /// What was served since then.
    served: u32,
    rest: Duration,
    rests_until: Duration,
    window: Window,
}

/// The time over which the rate is judged.
#[derive(Debug, Default)]
struct Window {
    began: Duration,
    sent: u32,
}

impl AdaptiveRate {
    pub(super) fn new(range: AdaptiveRange) -> Self {
        Self {
            range,
            rate: range.start.clamp(range.floor, range.ceiling),
            limit: None,
            cut_at: None,
            served: 0,
            rest: FIRST_REST,
            rests_until: Duration::ZERO,
            window: Window::default(),
        }
    }

    /// Requests a second, as of now.
    pub(super) fn per_second(&self) -> f64 {
        self.rate
    }

    /// Whether there is no lower rate.
    pub(super) fn is_at_floor(&self) -> bool {
        self.rate <= self.range.floor
    }

    /// The quota as far as it was learned; `None` when nothing was.
    pub(super) fn learned(&self) -> Option<f64> {
        // Less would let the next run begin more slowly than this one.
        let has_climbed = self.rate * BEGIN_WITH >= self.range.start;
        match self.limit {
            Some(limit) => Some(limit.max(self.rate)),
            None => (has_climbed || self.cut_at.is_some()).then_some(self.rate),
        }
    }

    /// Whether the quota was met at all.
    pub(super) fn has_met_quota(&self) -> bool {
        self.cut_at.is_some()
    }

    /// Takes note that a request was let through.
    pub(super) fn on_sent(&mut self, now: Duration) {
        let elapsed = now.saturating_sub(self.window.began);
        if elapsed < span(self.rate) {
            self.window.sent += 1;
            return;
        }
        let is_used = f64::from(self.window.sent) >= 0.8 * self.rate * elapsed.as_secs_f64();
        if is_used {
            self.climb(now);
        }
        self.window = Window { began: now, sent: 1 };
    }

    /// Takes note that a request failed for the host's sake: it is no proof that the host bears this rate, or a higher one.
    pub(super) fn on_failed(&mut self) {
        self.window.sent = self.window.sent.saturating_sub(1);
    }

    /// Takes note that a request was served and not throttled.
    pub(super) fn on_served(&mut self) {
        self.served = self.served.saturating_add(1);
    }

    /// Takes note that a request sent at `sent` was throttled; tells whether that lowered the rate.
    pub(super) fn on_throttled(&mut self, sent: Duration, now: Duration) -> bool {
        if self.cut_at.is_some_and(|cut_at| sent <= cut_at) {
            return false;
        }
        let met = self.quota_met(now).clamp(self.range.floor, self.range.ceiling);
        let is_the_same = self.limit.is_some_and(|limit| (0.85..=1.15).contains(&(met / limit)));
        self.rest = if is_the_same { (self.rest * 2).min(LONGEST_REST) } else { FIRST_REST };
        self.rests_until = now + self.rest;
        self.limit = Some(met);
        self.rate = (self.rate * CUT).max(self.range.floor);
        self.cut_at = Some(now);
        self.served = 0;
        self.window = Window { began: now, sent: 0 };
        true
    }

    /// Where the quota is, now that it was met.
    fn quota_met(&self, now: Duration) -> f64 {
        let since_cut = self.cut_at.map(|cut_at| now.saturating_sub(cut_at));
        match since_cut.filter(|elapsed| *elapsed >= SHORTEST_MEASURE) {
            Some(elapsed) => {
                let served = f64::from(self.served) / elapsed.as_secs_f64();
                f64::midpoint(served.min(self.rate), self.rate)
            }
            None => self.rate,
        }
    }

    fn climb(&mut self, now: Duration) {
        let step = self.range.step();
        let rate = match self.limit.map(|limit| (limit, limit * JUST_UNDER)) {
            None => self.rate + step,
            Some((_, under)) if self.rate < under * 0.99 => self.rate + (under - self.rate) * RETURN,
            Some(_) if now < self.rests_until => self.rate,
            Some((limit, _)) => {
                if self.rate > limit * OUTGROWN {
                    self.limit = None;
                }
                self.rate + step.min(limit / 100.0)
            }
        };
        self.rate = rate.min(self.range.ceiling);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_the_time_is_what_the_rate_does_where_nothing_is_throttled() {
        for (start, floor, ceiling, seconds) in [
            (2.0, 0.2, 10.0, 20),
            (2.0, 0.2, 10.0, 600),
            (5.0, 0.5, 30.0, 90),
            (0.1, 0.1, 0.5, 3_000),
            (8.0, 1.0, 8.0, 60),
        ] {
            let range = AdaptiveRange { start, floor, ceiling };
            let (served, throttled) = Bench::new(range, 1e9, 20).run(seconds, 1e9);
            assert_eq!(throttled, 0);
            let said = range.time_for(u64::from(served));
            let (least, most) =
                (Duration::from_secs(seconds * 9 / 10), Duration::from_secs(seconds * 11 / 10));
            assert!((least..=most).contains(&said), "{range:?}, {seconds} s: {said:?}");
        }
        let range = AdaptiveRange { start: 2.0, floor: 0.2, ceiling: 10.0 };
        assert_eq!(range.time_for(0), Duration::ZERO);
        assert!(range.time_for(u64::MAX) > Duration::from_secs(1 << 60));
    }

    /// A host with a token bucket behind a rate that is fully used, in steps of a millisecond of virtual time.
    struct Bench {
        rate: AdaptiveRate,
        now: Duration,
        next: Duration,
        bucket: f64,
        burst: f64,
        latency: Duration,
        under_way: std::collections::VecDeque<(Duration, Duration, bool)>,
        sent: u32,
        throttled: u32,
    }

    impl Bench {
        fn new(range: AdaptiveRange, burst: f64, latency_ms: u64) -> Self {
            Self {
                rate: AdaptiveRate::new(range),
                now: Duration::ZERO,
                next: Duration::ZERO,
                bucket: burst,
                burst,
                latency: Duration::from_millis(latency_ms),
                under_way: std::collections::VecDeque::new(),
                sent: 0,
                throttled: 0,
            }
        }

        /// Lets `seconds` pass at a quota; gives what was served and what was throttled in them.
        fn run(&mut self, seconds: u64, quota: f64) -> (u32, u32) {
            let (sent, throttled) = (self.sent, self.throttled);
            let end = self.now + Duration::from_secs(seconds);
            while self.now < end {
                self.now += Duration::from_millis(1);
                self.bucket = (self.bucket + quota / 1_000.0).min(self.burst);
                while self.under_way.front().is_some_and(|(_, answered, _)| *answered <= self.now) {
                    let Some((sent, _, is_served)) = self.under_way.pop_front() else { break };
                    if is_served {
                        self.rate.on_served();
                    } else {
                        self.rate.on_throttled(sent, self.now);
                    }
                }
                if self.now >= self.next {
                    self.next = self.next.max(self.now.saturating_sub(Duration::from_millis(1)))
                        + Duration::from_secs_f64(1.0 / self.rate.per_second());
                    self.rate.on_sent(self.now);
                    self.sent += 1;
                    let is_served = self.bucket >= 1.0;
                    if is_served {
                        self.bucket -= 1.0;
                    } else {
                        self.throttled += 1;
                    }
                    self.under_way.push_back((self.now, self.now + self.latency, is_served));
                }
            }
            let throttled = self.throttled - throttled;
            (self.sent - sent - throttled, throttled)
        }
    }

    const WIDE: AdaptiveRange = AdaptiveRange { start: 2.0, floor: 0.2, ceiling: 200.0 };

    #[test]
    fn a_hidden_quota_is_found_within_a_minute_and_used_without_many_refusals() {
        for (burst, latency) in [(1.0, 20), (5.0, 50), (40.0, 20), (40.0, 300), (200.0, 100)] {
            let mut bench = Bench::new(WIDE, burst, latency);
            let (_, first) = bench.run(60, 40.0);
            let (served, throttled) = bench.run(140, 40.0);
            let used = f64::from(served) / (140.0 * 40.0);
            let refused = f64::from(first + throttled) / f64::from(bench.sent);
            assert!(used >= 0.88, "burst {burst}, {latency} ms: used {used}");
            assert!(refused < 0.015, "burst {burst}, {latency} ms: refused {refused}");
        }
    }

    #[test]
    fn a_quota_that_shrinks_and_grows_again_is_followed() {
        let mut bench = Bench::new(WIDE, 20.0, 50);
        bench.run(90, 40.0);
        bench.run(30, 10.0);
        let (served, throttled) = bench.run(90, 10.0);
        assert!(served >= 760 && throttled < 40, "served {served}, throttled {throttled} at 10/s");
        bench.run(75, 40.0);
        let (served, throttled) = bench.run(60, 40.0);
        assert!(served >= 2_000 && throttled < 60, "served {served}, throttled {throttled} at 40/s");
    }

    #[test]
    fn a_host_without_a_quota_is_asked_as_fast_as_the_ceiling_allows_and_no_faster() {
        let range = AdaptiveRange { start: 2.0, floor: 0.2, ceiling: 10.0 };
        let mut bench = Bench::new(range, 1_000.0, 50);
        bench.run(100, 1_000.0);
        let (served, _) = bench.run(10, 1_000.0);
        assert!((98..=101).contains(&served), "{served}");
        assert_eq!(bench.rate.learned(), Some(10.0));
    }

    #[test]
    fn a_host_that_only_throttles_is_asked_at_the_floor() {
        let range = AdaptiveRange { start: 2.0, floor: 0.2, ceiling: 10.0 };
        let mut bench = Bench::new(range, 0.0, 50);
        bench.run(60, 0.0);
        assert!(bench.rate.is_at_floor());
    }

    #[test]
    fn a_rate_that_is_not_used_does_not_climb() {
        let mut rate = AdaptiveRate::new(WIDE);
        for second in 0..100 {
            rate.on_sent(Duration::from_secs(second));
            rate.on_served();
        }
        assert!((rate.per_second() - 2.0).abs() < 1e-9);
        assert_eq!(rate.learned(), None);
    }

    #[test]
    fn what_was_sent_before_the_last_cut_cuts_nothing_more() {
        let mut rate = AdaptiveRate::new(WIDE);
        let seconds = Duration::from_secs;
        assert!(rate.on_throttled(seconds(1), seconds(2)));
        assert!(!rate.on_throttled(seconds(1), seconds(3)));
        assert!(!rate.on_throttled(seconds(2), seconds(3)));
        assert!((rate.per_second() - 1.4).abs() < 1e-9);
        assert!(rate.on_throttled(seconds(3), seconds(4)));
    }
}
