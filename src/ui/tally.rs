//! The counts behind every show: atomics that any thread may raise and one thread reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::clock::Clock;
use crate::http::Unreached;
use crate::model::{OutcomeCode, Service};
use crate::pipeline::{Event, HoldReason};

/// How many outcome codes there are.
const CODES: usize = OutcomeCode::ALL.len();

/// The least by which a hold must end later than the one told before it, to be told again: a host under load says so
/// to every request in flight. In milliseconds.
const HOLD_STEP: u64 = 1_000;

/// A host that isn't paused, as the reason of its pause.
const NO_HOLD: u32 = 0;

/// A host that is down, as the reason of its pause. No status is as small.
const IS_DOWN: u32 = 1;

/// The first of the reasons for which there is no connection to a host. No status is as small as any of them.
const IS_UNREACHED: u32 = 2;

/// The pause of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hold {
    /// Why.
    pub(super) reason: HoldReason,
    /// When it ends, by the tally's clock.
    pub(super) until: Duration,
    /// How long that is from now; zero when it is over, and the host is being tried.
    pub(super) left: Duration,
}

/// The counts of a run so far. Raising one is a single atomic addition, so it may be done for every request.
pub struct Tally {
    clock: Arc<dyn Clock>,
    staged_lines: AtomicU64,
    staged_bytes: AtomicU64,
    hosts: [HostTally; Service::ALL.len()],
    /// Signed: a row may be unparked by one thread before another has counted that it was parked.
    parked: AtomicI64,
    /// When the last of the rows that are parked, or were, goes on, in milliseconds of the clock.
    parked_until: AtomicU64,
    parkings: AtomicU64,
    outcomes: [AtomicU64; CODES],
    list_pages: AtomicU64,
    users_seen: AtomicU64,
}

#[derive(Default)]
struct HostTally {
    requests: AtomicU64,
    unanswered: AtomicU64,
    throttled: AtomicU64,
    /// The bits of the adaptive rate in requests a second; 0 where there is none.
    rate: AtomicU64,
    /// When the host's pause ends, in milliseconds of the clock.
    held_until: AtomicU64,
    /// Why it is paused: [`NO_HOLD`], [`IS_DOWN`], [`IS_UNREACHED`] and above, or the status that asked us to slow down. It stays until a request has ended after the
    /// pause.
    held_for: AtomicU32,
    /// The end of the pause that was told last.
    told_until: AtomicU64,
    /// How long it was held in all, in milliseconds.
    held: AtomicU64,
}

impl Tally {
    /// Begins at zero.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            staged_lines: AtomicU64::new(0),
            staged_bytes: AtomicU64::new(0),
            hosts: std::array::from_fn(|_| HostTally::default()),
            parked: AtomicI64::new(0),
            parked_until: AtomicU64::new(0),
            parkings: AtomicU64::new(0),
            outcomes: std::array::from_fn(|_| AtomicU64::new(0)),
            list_pages: AtomicU64::new(0),
            users_seen: AtomicU64::new(0),
        }
    }

    /// Counts an event.
    pub fn count(&self, event: &Event) {
        match event {
            Event::StagingProgressed { lines, bytes } => {
                self.staged_lines.store(*lines, Ordering::Relaxed);
                self.staged_bytes.store(*bytes, Ordering::Relaxed);
            }
            Event::RequestEnded { service, status, throttled, rate, .. } => {
                let host = &self.hosts[*service as usize];
                host.requests.fetch_add(1, Ordering::Relaxed);
                if status.is_none() {
                    host.unanswered.fetch_add(1, Ordering::Relaxed);
                }
                if *throttled {
                    host.throttled.fetch_add(1, Ordering::Relaxed);
                }
                if let Some(rate) = rate {
                    host.rate.store(rate.to_bits(), Ordering::Relaxed);
                }
                if host.held_for.load(Ordering::Relaxed) != NO_HOLD
                    && host.held_until.load(Ordering::Relaxed) <= millis(self.clock.now())
                {
                    host.held_for.store(NO_HOLD, Ordering::Relaxed);
                }
            }
            Event::Held { service, wait, reason } => {
                let (host, now) = (&self.hosts[*service as usize], self.clock.now());
                let until = millis(now.saturating_add(*wait));
                let before = host.held_until.fetch_max(until, Ordering::Relaxed);
                if until >= before {
                    let reason = match reason {
                        HoldReason::Throttled { status } => u32::from(*status),
                        HoldReason::Down { why: None } => IS_DOWN,
                        HoldReason::Down { why: Some(why) } => IS_UNREACHED + *why as u32,
                    };
                    host.held_for.store(reason, Ordering::Relaxed);
                }
                // What an earlier pause covers isn't counted twice.
                host.held.fetch_add(until.saturating_sub(before.max(millis(now))), Ordering::Relaxed);
            }
            Event::Parked { wait } => {
                let until = millis(self.clock.now().saturating_add(*wait));
                self.parked_until.fetch_max(until, Ordering::Relaxed);
                self.parked.fetch_add(1, Ordering::Relaxed);
                self.parkings.fetch_add(1, Ordering::Relaxed);
            }
            Event::Unparked => _ = self.parked.fetch_sub(1, Ordering::Relaxed),
            Event::RowFinished { code, .. } => {
                self.outcomes[*code as usize].fetch_add(1, Ordering::Relaxed);
            }
            Event::ListRead { pages } => self.list_pages.store(*pages, Ordering::Relaxed),
            Event::UserSeen => _ = self.users_seen.fetch_add(1, Ordering::Relaxed),
            Event::LookChosen { .. }
            | Event::StagingStarted { .. }
            | Event::Linted(_)
            | Event::LoginsDivided { .. }
            | Event::Started(_)
            | Event::Draining { .. }
            | Event::LinksBegun { .. }
            | Event::Ended => {}
        }
    }

    /// Whether the host's pause is worth telling: it ends at least a second later than the one told before. Whoever is
    /// answered `true` tells it; others are answered `false`.
    pub(super) fn is_new_hold(&self, service: Service) -> bool {
        let host = &self.hosts[service as usize];
        let until = host.held_until.load(Ordering::Relaxed);
        let later = |told: u64| (until >= told.saturating_add(HOLD_STEP)).then_some(until);
        host.told_until.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later).is_ok()
    }

    /// The host's adaptive rate in requests a second; `None` where there is none, or nothing was asked yet.
    pub(super) fn rate(&self, service: Service) -> Option<f64> {
        let bits = self.hosts[service as usize].rate.load(Ordering::Relaxed);
        (bits != 0).then(|| f64::from_bits(bits))
    }

    /// The host's pause; `None` when there is none, and a request has ended since the last one.
    pub(super) fn hold(&self, service: Service) -> Option<Hold> {
        let host = &self.hosts[service as usize];
        let reason = match host.held_for.load(Ordering::Relaxed) {
            NO_HOLD => return None,
            IS_DOWN => HoldReason::Down { why: None },
            status if (IS_UNREACHED..100).contains(&status) => {
                let why = Unreached::ALL.into_iter().find(|why| *why as u32 == status - IS_UNREACHED);
                HoldReason::Down { why }
            }
            status => HoldReason::Throttled { status: u16::try_from(status).unwrap_or_default() },
        };
        let until = Duration::from_millis(host.held_until.load(Ordering::Relaxed));
        Some(Hold { reason, until, left: until.saturating_sub(self.clock.now()) })
    }

    /// When the last of the rows that are parked goes on, by the tally's clock; a time that is over where none is.
    pub(super) fn parked_until(&self) -> Duration {
        Duration::from_millis(self.parked_until.load(Ordering::Relaxed))
    }

    /// The clock that the tally is timed by.
    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The counts now. While the run goes on they are read one after another, not at one instant.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let host = |service: Service| {
            let host = &self.hosts[service as usize];
            HostTotals {
                requests: host.requests.load(Ordering::Relaxed),
                unanswered: host.unanswered.load(Ordering::Relaxed),
                throttled: host.throttled.load(Ordering::Relaxed),
                held: Duration::from_millis(host.held.load(Ordering::Relaxed)),
            }
        };
        Totals {
            staged_lines: self.staged_lines.load(Ordering::Relaxed),
            staged_bytes: self.staged_bytes.load(Ordering::Relaxed),
            stara: host(Service::Stara),
            leaf: host(Service::Leaf),
            parked: u64::try_from(self.parked.load(Ordering::Relaxed)).unwrap_or(0),
            parkings: self.parkings.load(Ordering::Relaxed),
            outcomes: std::array::from_fn(|code| self.outcomes[code].load(Ordering::Relaxed)),
            list_pages: self.list_pages.load(Ordering::Relaxed),
            users_seen: self.users_seen.load(Ordering::Relaxed),
        }
    }
}

/// The counts of a run at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// Lines of the manifest staged.
    pub staged_lines: u64,
    /// Bytes of the manifest read while staging.
    pub staged_bytes: u64,
    /// What Stara was asked.
    pub stara: HostTotals,
    /// What Leaf was asked.
    pub leaf: HostTotals,
    /// Rows that are parked now.
    pub parked: u64,
    /// How often a row was parked.
    pub parkings: u64,
    /// Pages of Leaf's list of users that were read.
    pub list_pages: u64,
    /// Users that were looked at one by one, before any row or for a verb that carries out none.
    pub users_seen: u64,
    outcomes: [u64; CODES],
}

/// What one host was asked in a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HostTotals {
    /// Requests that ended, with an answer or without.
    pub requests: u64,
    /// Requests that ended without an answer.
    pub unanswered: u64,
    /// Answers that asked us to slow down.
    pub throttled: u64,
    /// How long everybody had to wait before asking it again, in all.
    pub held: Duration,
}

impl Totals {
    /// What one host was asked.
    #[must_use]
    pub const fn host(&self, service: Service) -> HostTotals {
        match service {
            Service::Stara => self.stara,
            Service::Leaf => self.leaf,
        }
    }

    /// The outcomes that rows of this run ended with, and how many with each, in the order of [`OutcomeCode::ALL`].
    pub fn outcomes(&self) -> impl Iterator<Item = (OutcomeCode, u64)> {
        OutcomeCode::ALL.iter().copied().zip(self.outcomes).filter(|&(_, rows)| rows > 0)
    }

    /// Rows that ended in this run.
    #[must_use]
    pub fn finished(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// Rows that ended in this run and failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.outcomes().filter(|(code, _)| fails(*code)).map(|(_, rows)| rows).sum()
    }
}

/// Whether a row that ends so is told and counted as failed: one whose credential was taken away was asked to be.
pub(super) fn fails(code: OutcomeCode) -> bool {
    code.is_failure() && code != OutcomeCode::Detached
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stage;
    use crate::ui::clock::ManualClock;
    use crate::ui::rehearsal::ended;

    fn finished(code: OutcomeCode) -> Event {
        Event::RowFinished {
            line: 2,
            leaf_user_id: "0a1b2c3d-0000-4000-8000-00000000abcd".parse().unwrap(),
            code,
            stage: Stage::Verify,
        }
    }

    #[test]
    fn every_code_is_counted_as_itself() {
        let tally = Tally::new(Arc::new(ManualClock::default()));
        for (&code, rows) in OutcomeCode::ALL.iter().zip(1..) {
            for _ in 0..rows {
                tally.count(&finished(code));
            }
        }
        let totals = tally.totals();
        assert!(totals.outcomes().eq(OutcomeCode::ALL.iter().copied().zip(1..)));
        let failed = |(code, _): &(OutcomeCode, u64)| fails(*code);
        assert_eq!(totals.finished(), (1..=CODES as u64).sum::<u64>());
        assert_eq!(totals.failed(), totals.outcomes().filter(failed).map(|(_, rows)| rows).sum::<u64>());
    }

    #[test]
    fn requests_are_counted_by_host() {
        let tally = Tally::new(Arc::new(ManualClock::default()));
        for (service, status) in [
            (Service::Stara, Some(200)),
            (Service::Stara, Some(429)),
            (Service::Stara, None),
            (Service::Leaf, Some(503)),
        ] {
            tally.count(&ended(service, status, None));
        }
        let host = |requests, unanswered, throttled| HostTotals {
            requests,
            unanswered,
            throttled,
            held: Duration::ZERO,
        };
        assert_eq!(tally.totals().host(Service::Stara), host(3, 1, 1));
        assert_eq!(tally.totals().host(Service::Leaf), host(1, 0, 0));
    }

    #[test]
    fn a_row_unparked_before_it_was_counted_as_parked_never_shows_a_huge_count() {
        let tally = Tally::new(Arc::new(ManualClock::default()));
        tally.count(&Event::Unparked);
        assert_eq!(tally.totals().parked, 0);
        tally.count(&Event::Parked { wait: Duration::from_secs(60) });
        tally.count(&Event::Parked { wait: Duration::from_secs(60) });
        assert_eq!(tally.totals().parked, 1);
        assert_eq!(tally.totals().parkings, 2);
    }

    #[test]
    fn pauses_that_overlap_count_once() {
        let clock = Arc::new(ManualClock::default());
        let tally = Tally::new(clock.clone());
        let held = |at, millis| {
            clock.set_millis(at);
            let wait = Duration::from_millis(millis);
            tally.count(&Event::Held {
                service: Service::Stara,
                wait,
                reason: HoldReason::Down { why: None },
            });
            tally.totals().host(Service::Stara).held
        };
        assert_eq!(held(10_000, 1_000), Duration::from_secs(1));
        assert_eq!(held(10_500, 100), Duration::from_secs(1));
        assert_eq!(held(10_500, 1_000), Duration::from_millis(1_500));
        assert_eq!(held(20_000, 2_000), Duration::from_millis(3_500));
        assert_eq!(tally.totals().host(Service::Leaf).held, Duration::ZERO);
    }

    #[test]
    fn a_hold_is_told_once_and_again_only_when_it_grows_by_a_second() {
        let clock = Arc::new(ManualClock::default());
        let tally = Tally::new(clock.clone());
        let held = |millis| {
            tally.count(&Event::Held {
                service: Service::Leaf,
                wait: Duration::from_millis(millis),
                reason: HoldReason::Throttled { status: 429 },
            });
            tally.is_new_hold(Service::Leaf)
        };
        clock.set_millis(10_000);
        assert!(held(5_000));
        assert!(!held(5_000));
        assert!(!held(5_900));
        assert!(!held(100), "a hold is never shortened");
        assert_eq!(tally.hold(Service::Leaf).unwrap().left, Duration::from_millis(5_900));
        assert!(held(6_000));
        clock.set_millis(16_000);
        assert_eq!(tally.hold(Service::Leaf).unwrap().left, Duration::ZERO);
        assert_eq!(tally.hold(Service::Stara), None);
        assert!(held(5_000));
    }

    #[test]
    fn a_pause_is_over_when_a_request_has_ended_after_it() {
        let clock = Arc::new(ManualClock::default());
        let tally = Tally::new(clock.clone());
        let answered = || tally.count(&ended(Service::Leaf, Some(200), None));
        clock.set_millis(1_000);
        let wait = Duration::from_secs(30);
        tally.count(&Event::Held {
            service: Service::Leaf,
            wait,
            reason: HoldReason::Down { why: Some(Unreached::Untrusted) },
        });
        answered();
        let hold = tally.hold(Service::Leaf).unwrap();
        assert_eq!(
            (hold.reason, hold.left),
            (HoldReason::Down { why: Some(Unreached::Untrusted) }, wait),
            "what was under way says nothing"
        );
        clock.set_millis(31_000);
        assert_eq!(tally.hold(Service::Leaf).unwrap().left, Duration::ZERO, "it is being tried");
        answered();
        assert_eq!(tally.hold(Service::Leaf), None);
    }
}
