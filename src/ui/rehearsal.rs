//! A run that is played to a show event by event, under a clock that the test sets.

use std::sync::Arc;
use std::time::Duration;

use super::clock::ManualClock;
use super::feed::Feed;
use super::notes::{End, Notes};
use super::show::Show;
use super::tally::Tally;
use super::watch::Watch;
use crate::manifest::{LintCount, LintKind, LintReport};
use crate::model::{OutcomeCode, Service, Stage};
use crate::pipeline::{Event, HoldReason, HostPlan, Observe as _, Plan};

/// A stage without a thread: each event reaches the show before the next one happens.
pub(super) struct Rehearsal<S> {
    clock: Arc<ManualClock>,
    /// The show that is rehearsed.
    pub(super) show: S,
    feed: Feed,
    watch: Watch,
}

impl<S: Show> Rehearsal<S> {
    /// Raises the curtain at zero.
    pub(super) fn of(show: S) -> Self {
        let clock = Arc::new(ManualClock::default());
        let feed = Feed {
            tally: Arc::new(Tally::new(clock.clone())),
            notes: Arc::new(Notes::default()),
            tells_rows: show.tells_rows(),
        };
        let watch = Watch::new(&feed, show.interval());
        Self { clock, show, feed, watch }
    }

    /// Plays a whole run: each event at its time, and each tick that is due between two of them.
    pub(super) fn play(&mut self, script: &[(u64, Event)]) {
        for (millis, event) in script {
            while self.watch.next_tick().as_millis() <= u128::from(*millis) {
                let tick = u64::try_from(self.watch.next_tick().as_millis()).unwrap();
                self.clock.set_millis(tick);
                self.watch.step(&mut self.show);
            }
            self.clock.set_millis(*millis);
            self.feed.observe(event);
            if !self.feed.notes.is_idle() {
                self.watch.step(&mut self.show);
            }
        }
    }

    /// Ends the show without the run having said that it ended.
    pub(super) fn abandon(&mut self) {
        self.feed.notes.end(End::Abandoned);
        self.watch.step(&mut self.show);
    }
}

/// What a lint may find.
fn lint() -> LintReport {
    let count = |kind, count| LintCount { kind, count, is_at_least: false };
    LintReport {
        lines: 1_015,
        counts: vec![
            count(LintKind::EmptyCell, 2),
            count(LintKind::TrailingSpace, 3),
            count(LintKind::DuplicateLine, 1),
        ],
        findings: Vec::new(),
    }
}

/// A plan of a thousand rows.
pub(super) fn plan() -> Plan {
    Plan {
        asks_stara: true,
        stara: HostPlan {
            origin: "https://stara.example".to_owned(),
            rate: "10/s".to_owned(),
            per_second: Some(10.0),
        },
        leaf: HostPlan {
            origin: "https://leaf.example".to_owned(),
            rate: "auto".to_owned(),
            per_second: Some(5.0),
        },
        account: "as ops@example.com".to_owned(),
        shard: None,
        lines: 1_015,
        to_do: 1_000,
        done_before: 12,
        invalid: 2,
        duplicate: 1,
        conflict: 0,
        concurrency: 32,
        expected: Some(Duration::from_secs(200)),
    }
}

/// A row that ended so.
pub(super) fn finished(line: u64, code: OutcomeCode) -> Event {
    Event::RowFinished {
        line,
        leaf_user_id: "0a1b2c3d-0000-4000-8000-00000000abcd".parse().unwrap(),
        code,
        stage: Stage::Authenticate,
    }
}

/// A request that ended so.
pub(super) fn ended(service: Service, status: Option<u16>, rate: Option<f64>) -> Event {
    let (stage, took) = (None, Duration::from_millis(20));
    Event::RequestEnded { service, stage, took, status, throttled: status == Some(429), rate }
}

/// A run from its first event to its last, with something of everything, and the milliseconds at which each happens.
pub(super) fn script() -> Vec<(u64, Event)> {
    let request = |service, status| ended(service, status, None);
    vec![
        (0, Event::StagingStarted { total_bytes: Some(50_000) }),
        (4_000, Event::StagingProgressed { lines: 600, bytes: 30_000 }),
        (11_900, Event::Linted(Box::new(lint()))),
        (12_000, Event::Started(Box::new(plan()))),
        (12_100, Event::LookChosen { list: true, pages: Some(11), users: 1_000 }),
        (12_500, request(Service::Stara, Some(200))),
        (13_000, request(Service::Leaf, Some(429))),
        (13_100, request(Service::Leaf, None)),
        (
            13_200,
            Event::Held {
                service: Service::Leaf,
                wait: Duration::from_secs(20),
                reason: HoldReason::Throttled { status: 429 },
            },
        ),
        (14_000, Event::Parked { wait: Duration::from_secs(120) }),
        (15_000, finished(2, OutcomeCode::Attached)),
        (16_000, finished(3, OutcomeCode::StaraLoginRejected)),
        (24_000, Event::Draining { reason: "Leaf asked for a pause of 20m".to_owned() }),
        (25_000, Event::Unparked),
        (26_000, finished(4, OutcomeCode::AlreadyAttached)),
        (28_000, Event::Ended),
    ]
}
