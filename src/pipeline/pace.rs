//! From the rate a user asks for to how a host is paced, with what earlier runs learned.

use std::time::Duration;

use crate::checkpoint::LearnedRate;
use crate::http::{AdaptiveRange, BEGIN_WITH, Frequency, HostPacer, Pace, PacerOptions, Rate};
use crate::model::{Service, Shard};

/// A rate that a user asks for, and among which shards it is divided, where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DividedRate {
    /// What all shards together may ask.
    pub whole: Rate,
    /// Which of them this is.
    pub shard: Option<Shard>,
}

impl DividedRate {
    /// Among how many it is divided.
    pub(super) fn parts(self) -> u32 {
        self.shard.map_or(1, Shard::count)
    }
}

/// What `auto` means for a service: its range, and how many requests are under way at once.
///
/// Neither service publishes a quota; the figures are the house plan's, low enough for a first acquaintance.
const fn auto(service: Service) -> (AdaptiveRange, f64) {
    match service {
        Service::Stara => (AdaptiveRange { start: 2.0, floor: 0.2, ceiling: 10.0 }, 4.0),
        Service::Leaf => (AdaptiveRange { start: 5.0, floor: 0.5, ceiling: 30.0 }, 8.0),
    }
}

/// How a service's host is paced.
pub(super) fn pacer_options(
    service: Service,
    rate: DividedRate,
    learned: &[LearnedRate],
    longest_hold: Duration,
) -> PacerOptions {
    let parts = rate.parts();
    let (pace, concurrency) = match rate.whole {
        Rate::Unlimited => (Pace::Unlimited, None),
        // As many requests in so many times the time: whatever the number, nothing is rounded.
        Rate::Fixed(quota) => (Pace::Even(Frequency { per: quota.per * parts, ..quota }.period()), None),
        Rate::Auto { ceiling } => {
            let (figures, at_once) = auto(service);
            let ceiling = ceiling.map_or(figures.ceiling, Frequency::per_second);
            let at_once = at_once_for(at_once, ceiling / figures.ceiling);
            let at_once = rate.shard.map_or(at_once, |shard| shard.share_of(at_once).max(1));
            let part = |per_second: f64| per_second / f64::from(parts);
            let (floor, ceiling) = (part(figures.floor.min(ceiling)), part(ceiling));
            // What was learned is this shard's own part already.
            let start = learned.iter().find(|learned| learned.service == service);
            let start = start.map_or(part(figures.start), |learned| learned.per_second * BEGIN_WITH);
            let range = AdaptiveRange { start: start.clamp(floor, ceiling), floor, ceiling };
            (Pace::Adaptive(range), Some(usize::try_from(at_once).unwrap_or(usize::MAX)))
        }
    };
    PacerOptions { pace, concurrency, longest_hold }
}

/// A higher ceiling needs more requests under way to be reached.
fn at_once_for(at_once: f64, wider: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small positive number, rounded up"
    )]
    let at_once = (at_once * wider.max(1.0)).ceil() as u64;
    at_once
}

/// About how long so many requests take at this rate, where the host lets all of them through and nothing is known of it from
/// earlier runs; `None` without a quota.
#[must_use]
pub fn time_at(service: Service, rate: DividedRate, requests: u64) -> Option<Duration> {
    match pacer_options(service, rate, &[], Duration::MAX).pace {
        Pace::Unlimited => None,
        Pace::Even(period) => {
            #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
            let seconds = period.as_secs_f64() * requests as f64;
            Duration::try_from_secs_f64(seconds).ok()
        }
        Pace::Adaptive(range) => Some(range.time_for(requests)),
    }
}

/// Requests a second that a run begins with; `None` without a quota.
pub(super) fn first_rate(options: &PacerOptions) -> Option<f64> {
    match options.pace {
        Pace::Unlimited => None,
        Pace::Even(period) => Some(1.0 / period.as_secs_f64()),
        Pace::Adaptive(range) => Some(range.start),
    }
}

/// What the ledger is to know of a host's quota after this run, in requests a second; `None` when nothing was learned.
///
/// A run too short to climb, or one that never met the quota, doesn't lower what an earlier one learned.
pub(super) fn newly_learned(service: Service, pacer: &HostPacer, earlier: &[LearnedRate]) -> Option<f64> {
    let learned = pacer.learned_rate()?;
    let earlier = earlier.iter().find(|earlier| earlier.service == service);
    let earlier = earlier.map_or(0.0, |earlier| earlier.per_second);
    Some(if pacer.has_met_quota() { learned } else { learned.max(earlier) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UnixMillis;

    fn options(service: Service, rate: &str, learned: Option<f64>) -> PacerOptions {
        let learned = learned.map(|per_second| LearnedRate { service, per_second, at: UnixMillis(0) });
        let learned: Vec<LearnedRate> = learned.into_iter().collect();
        pacer_options(service, whole(rate), &learned, Duration::from_secs(900))
    }

    fn whole(rate: &str) -> DividedRate {
        DividedRate { whole: rate.parse().unwrap(), shard: None }
    }

    fn divided(service: Service, rate: &str, shard: &str) -> PacerOptions {
        let rate = DividedRate { shard: shard.parse().ok(), ..whole(rate) };
        pacer_options(service, rate, &[], Duration::from_secs(900))
    }

    #[test]
    fn a_quota_is_divided_among_shards_to_the_nanosecond() {
        let period = |rate: &str, shard: &str| match divided(Service::Leaf, rate, shard).pace {
            Pace::Even(period) => period,
            _ => panic!("not even"),
        };
        assert_eq!(period("200/s", "3/8"), Duration::from_millis(40));
        assert_eq!(period("200/s", "0/3"), Duration::from_millis(15));
        assert_eq!(period("1/min", "1/1024"), Duration::from_secs(61_440));
        assert_eq!(period("10/s", "0/1"), Duration::from_millis(100));
    }

    #[test]
    fn what_auto_may_is_divided_among_shards_and_each_sends_one_request_at_least() {
        let first = divided(Service::Leaf, "auto", "0/5");
        assert_eq!(range(&first), AdaptiveRange { start: 1.0, floor: 0.1, ceiling: 6.0 });
        let at_once = |index| divided(Service::Leaf, "auto", &format!("{index}/5")).concurrency;
        assert_eq!([0, 1, 2, 3, 4].map(at_once), [2, 2, 2, 1, 1].map(Some));
        assert_eq!(divided(Service::Stara, "auto", "7/8").concurrency, Some(1));
        assert!(matches!(divided(Service::Stara, "none", "7/8").pace, Pace::Unlimited));
        let wide = divided(Service::Stara, "auto:200/s", "1/8");
        assert_eq!((range(&wide).ceiling, wide.concurrency), (25.0, Some(10)));
    }

    #[test]
    fn a_shard_begins_with_what_it_learned_by_itself() {
        let learned = [LearnedRate { service: Service::Leaf, per_second: 2.0, at: UnixMillis(0) }];
        let rate = DividedRate { shard: "1/8".parse().ok(), ..whole("auto") };
        let options = pacer_options(Service::Leaf, rate, &learned, Duration::ZERO);
        assert_eq!(first_rate(&options), Some(1.6));
    }

    fn range(options: &PacerOptions) -> AdaptiveRange {
        match options.pace {
            Pace::Adaptive(range) => range,
            _ => panic!("not adaptive"),
        }
    }

    #[test]
    fn auto_begins_low_and_stays_in_the_plans_range() {
        let stara = options(Service::Stara, "auto", None);
        assert_eq!(range(&stara), AdaptiveRange { start: 2.0, floor: 0.2, ceiling: 10.0 });
        assert_eq!(stara.concurrency, Some(4));
        let leaf = options(Service::Leaf, "auto", None);
        assert_eq!(range(&leaf), AdaptiveRange { start: 5.0, floor: 0.5, ceiling: 30.0 });
        assert_eq!(leaf.concurrency, Some(8));
    }

    #[test]
    fn another_ceiling_brings_as_many_requests_at_once_as_it_takes_to_reach_it() {
        let wide = options(Service::Stara, "auto:200/s", None);
        assert_eq!((range(&wide).ceiling, wide.concurrency), (200.0, Some(80)));
        let narrow = options(Service::Stara, "auto:6/min", None);
        assert_eq!(range(&narrow), AdaptiveRange { start: 0.1, floor: 0.1, ceiling: 0.1 });
        assert_eq!(narrow.concurrency, Some(4));
    }

    #[test]
    fn the_time_of_requests_follows_from_the_rate_that_is_asked_for() {
        let seconds = |rate: &str, requests| {
            let time = time_at(Service::Stara, whole(rate), requests);
            time.map(|time| time.as_secs())
        };
        assert_eq!(seconds("none", 1_000), None);
        assert_eq!(seconds("10/s", 1_000), Some(100));
        assert_eq!(seconds("60/min", 1_000), Some(1_000));
        // Eighty seconds from 2/s to 10/s, at six on average, and the other 520 at 10/s.
        let auto = seconds("auto", 1_000).unwrap();
        assert!((130..=145).contains(&auto), "{auto}");
        assert!(seconds("auto:2/s", 1_000) >= Some(500));
    }

    #[test]
    fn the_next_run_begins_with_four_fifths_of_what_was_learned_within_the_ceiling() {
        assert_eq!(first_rate(&options(Service::Leaf, "auto", Some(10.0))), Some(8.0));
        assert_eq!(first_rate(&options(Service::Leaf, "auto", Some(100.0))), Some(30.0));
        assert_eq!(first_rate(&options(Service::Leaf, "10/s", Some(100.0))), Some(10.0));
        assert_eq!(first_rate(&options(Service::Leaf, "none", Some(100.0))), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_never_met_the_quota_leaves_what_an_earlier_one_learned() {
        let earlier = [LearnedRate { service: Service::Leaf, per_second: 20.0, at: UnixMillis(0) }];
        let pacer =
            HostPacer::new(pacer_options(Service::Leaf, whole("auto"), &earlier, Duration::from_secs(900)));
        assert_eq!(newly_learned(Service::Leaf, &pacer, &earlier), None);
        let permit = pacer.permit().await.unwrap();
        let heard = crate::http::Heard::Throttled { retry_after: None };
        let noted = permit.end(tokio::time::Instant::now(), heard);
        assert!(noted.is_slower);
        assert_eq!(newly_learned(Service::Leaf, &pacer, &earlier), Some(16.0));
    }
}
