//! What a rehearsal foretells of the run that it rehearses, from nothing but what was measured in it.

use std::time::Duration;

use super::tally::Totals;
use super::wording::{count, counted, duration, joined};
use crate::model::{OutcomeCode, Owner, Service};
use crate::pipeline::{DividedRate, PARKED_PER_SLOT, time_at};

/// What was measured in a rehearsal, and how the run is to be that it rehearses.
#[derive(Debug, Clone)]
pub struct Rehearsed {
    /// Of which kind the simulated services were: `storm`.
    pub profile: &'static str,
    /// The rates that the run will have to Stara and to Leaf.
    pub rates: [DividedRate; 2],
    /// The most rows in flight at a time.
    pub concurrency: u64,
    /// How old an attach with a lost reply had to be in the rehearsal.
    pub settle: Duration,
    /// How old it will have to be in the run.
    pub settle_of_run: Duration,
    /// What was counted.
    pub totals: Totals,
    /// The largest number of refusals that one login got from Stara.
    pub most_refusals: u32,
    /// How many refusals lock a login, where that many do.
    pub locked_after: Option<u32>,
}

impl Rehearsed {
    /// About how long the run will take, when the rehearsal took so long: as long as the slower host's rate asks for, but no less than the
    /// rehearsal, whose latencies and pauses are the services' own; and lost replies settle more slowly.
    fn expected(&self, rehearsal: Duration) -> Duration {
        let paced = Service::ALL.into_iter().zip(self.rates);
        let paced = paced.filter_map(|(service, rate)| time_at(service, rate, self.needed(service)));
        paced
            .fold(rehearsal, Duration::max)
            .saturating_add(self.settling(self.settle_of_run.saturating_sub(self.settle)))
    }

    /// How long settling takes in all when each takes so long: rows settle side by side, up to a limit.
    fn settling(&self, each: Duration) -> Duration {
        let at_once = self.concurrency.saturating_mul(PARKED_PER_SLOT as u64).max(1);
        each.saturating_mul(u32::try_from(self.totals.parkings.div_ceil(at_once)).unwrap_or(u32::MAX))
    }

    /// Requests that a host let through: those it throttled are sent again, and a slower run is throttled less.
    fn needed(&self, service: Service) -> u64 {
        let host = self.totals.host(service);
        host.requests.saturating_sub(host.throttled)
    }

    /// What is told of it when the rehearsal took so long, and so many of its rows wait for a person; `None` where nobody
    /// was asked anything.
    pub(super) fn text(&self, rehearsal: Duration, waiting: u64) -> Option<String> {
        if Service::ALL.iter().all(|service| self.totals.host(*service).requests == 0) {
            return None;
        }
        let asked = Service::ALL.into_iter().zip(self.rates).filter(|(service, _)| self.needed(*service) > 0);
        let asked = asked.map(|(service, rate)| {
            let requests = self.needed(service);
            let time = time_at(service, rate, requests);
            let time = time.map(|time| format!(" at {} in about {}", rate.whole, about(time)));
            Some(format!("{} to {service}{}", counted(requests, "request"), time.unwrap_or_default()))
        });
        let settling = self.settling(self.settle_of_run);
        let settling =
            (!settling.is_zero()).then(|| format!("{} for lost replies to settle", about(settling)));
        let mut sentences = vec![format!(
            "A real run against such services ({}) would take about {}: {}.",
            self.profile,
            about(self.expected(rehearsal)),
            joined(asked.chain([settling]), ", "),
        )];
        let held = Service::ALL.map(|service| (service, self.totals.host(service).held));
        let held = held.iter().filter(|(_, held)| !held.is_zero());
        let held = held.map(|(service, held)| Some(format!("{} by {service}", about(*held))));
        let held = joined(held, " and ");
        if !held.is_empty() {
            sentences.push(format!("In the rehearsal everybody was held up for {held}."));
        }
        sentences.extend(self.refusals());
        sentences.push(match waiting {
            0 => "No row would wait for a person.".to_owned(),
            rows => format!("{} would wait for a person.", counted(rows, "row")),
        });
        Some(sentences.join(" "))
    }

    /// Whether anybody was locked out.
    fn refusals(&self) -> Option<String> {
        let most = u64::from(self.most_refusals);
        let most_refusals = format!("The most refusals that one login got: {}", count(most));
        match self.locked_after {
            _ if most == 0 => None,
            None => Some(format!("{most_refusals}.")),
            Some(limit) if self.most_refusals < limit => Some(format!(
                "{most_refusals}; these services lock a login at {limit}, so nobody was locked out."
            )),
            Some(limit) => Some(format!(
                "{most_refusals}; these services lock a login at {limit}: somebody was locked out."
            )),
        }
    }
}

/// A time span for people, to the next second from one on.
fn about(span: Duration) -> String {
    let is_short = span < Duration::from_secs(1);
    duration(if is_short {
        span
    } else {
        Duration::from_secs(span.as_secs() + u64::from(span.subsec_millis() >= 500))
    })
}

/// How many of these rows wait for a person: nothing that the tool or the services do by themselves brings them further.
pub(super) fn waiting_for_a_person(rows: impl Iterator<Item = (OutcomeCode, u64)>) -> u64 {
    let waits = |code: OutcomeCode| matches!(code.owner(), Owner::You | Owner::Grower | Owner::GrowerOrYou);
    rows.filter(|(code, _)| waits(*code)).map(|(_, rows)| rows).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::pipeline::{Event, HoldReason};
    use crate::ui::clock::ManualClock;
    use crate::ui::rehearsal::ended;
    use crate::ui::tally::Tally;

    /// Counts of so many requests, each with its status, and of so many rows parked.
    fn totals(requests: &[(Service, u16, u64)], parkings: u64) -> Tally {
        let tally = Tally::new(Arc::new(ManualClock::default()));
        for &(service, status, count) in requests {
            let ended = ended(service, Some(status), None);
            (0..count).for_each(|_| tally.count(&ended));
        }
        (0..parkings).for_each(|_| tally.count(&Event::Parked { wait: Duration::from_secs(5) }));
        tally
    }

    fn rehearsed(tally: &Tally, rates: [&str; 2]) -> Rehearsed {
        Rehearsed {
            profile: "storm",
            rates: rates.map(|rate| DividedRate { whole: rate.parse().unwrap(), shard: None }),
            concurrency: 4,
            settle: Duration::from_secs(5),
            settle_of_run: Duration::from_secs(120),
            totals: tally.totals(),
            most_refusals: 0,
            locked_after: None,
        }
    }

    fn seconds(rehearsed: &Rehearsed, rehearsal: u64) -> u64 {
        rehearsed.expected(Duration::from_secs(rehearsal)).as_secs()
    }

    #[test]
    fn the_slower_host_decides_and_what_was_throttled_does_not_count() {
        let requests = [(Service::Stara, 200, 200), (Service::Stara, 429, 900), (Service::Leaf, 200, 300)];
        let tally = totals(&requests, 0);
        assert_eq!(seconds(&rehearsed(&tally, ["2/s", "10/s"]), 7), 100);
        assert_eq!(seconds(&rehearsed(&tally, ["20/s", "2/s"]), 7), 150);
    }

    #[test]
    fn a_run_takes_no_less_than_its_rehearsal_whatever_the_rates() {
        let tally = totals(&[(Service::Stara, 200, 10), (Service::Leaf, 200, 10)], 0);
        assert_eq!(seconds(&rehearsed(&tally, ["10/s", "none"]), 90), 90);
        assert_eq!(seconds(&rehearsed(&tally, ["none", "none"]), 90), 90);
    }

    #[test]
    fn lost_replies_settle_side_by_side_as_many_as_may_be_parked() {
        let settled = |parkings| {
            let tally = totals(&[(Service::Stara, 200, 10)], parkings);
            seconds(&rehearsed(&tally, ["none", "none"]), 10)
        };
        assert_eq!(settled(0), 10);
        assert_eq!(settled(1), 10 + 115);
        assert_eq!(settled(40), 10 + 115);
        assert_eq!(settled(41), 10 + 2 * 115);
        let tally = totals(&[(Service::Stara, 200, 10)], 1);
        let as_long = Rehearsed {
            settle: Duration::from_secs(300),
            settle_of_run: Duration::from_secs(300),
            ..rehearsed(&tally, ["none", "none"])
        };
        assert_eq!(seconds(&as_long, 310), 310);
    }

    #[test]
    fn what_is_told_names_every_part_of_the_time() {
        let tally = totals(&[(Service::Stara, 200, 400), (Service::Leaf, 200, 600)], 3);
        let wait = Duration::from_secs(19);
        tally.count(&Event::Held {
            service: Service::Stara,
            wait,
            reason: HoldReason::Throttled { status: 429 },
        });
        let told = rehearsed(&tally, ["5/s", "10/s"]).text(Duration::from_secs(27), 2).unwrap();
        assert_eq!(
            told,
            "A real run against such services (storm) would take about 3m 15s: 400 requests to Stara at 5/s in about \
             1m 20s, 600 requests to Leaf at 10/s in about 1m, 2m for lost replies to settle. In the rehearsal \
             everybody was held up for 19s by Stara. 2 rows would wait for a person."
        );
        let only_leaf = rehearsed(&totals(&[(Service::Leaf, 200, 30)], 0), ["5/s", "10/s"]);
        let told = only_leaf.text(Duration::from_secs(1), 0).unwrap();
        assert!(told.contains("about 3s: 30 requests to Leaf at 10/s in about 3s. No row"), "{told}");
        let nothing = rehearsed(&totals(&[], 0), ["5/s", "10/s"]);
        assert_eq!(nothing.text(Duration::from_secs(1), 0), None);
    }

    #[test]
    fn it_is_told_whether_anybody_was_locked_out() {
        let tally = totals(&[(Service::Stara, 200, 1)], 0);
        let told = |most_refusals, locked_after| {
            let rehearsed = Rehearsed { most_refusals, locked_after, ..rehearsed(&tally, ["none", "none"]) };
            rehearsed.text(Duration::from_secs(1), 0).unwrap()
        };
        assert!(!told(0, Some(3)).contains("refusals"));
        assert!(told(1, None).contains("The most refusals that one login got: 1. No row"));
        let spared = told(1, Some(3));
        assert!(
            spared.contains("got: 1; these services lock a login at 3, so nobody was locked out."),
            "{spared}"
        );
        assert!(told(3, Some(3)).contains("lock a login at 3: somebody was locked out."));
    }

    #[test]
    fn rows_that_the_tool_or_the_services_bring_further_wait_for_nobody() {
        let rows = [
            (OutcomeCode::Attached, 100),
            (OutcomeCode::StaraLoginRejected, 7),
            (OutcomeCode::LeafUserUnknown, 2),
            (OutcomeCode::LeafUnavailable, 5),
            (OutcomeCode::NeedsReview, 1),
        ];
        assert_eq!(waiting_for_a_person(rows.into_iter()), 9);
    }
}
