//! Hears every event on its way to whoever shows it, and measures.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Latencies, RecentRate, Timeline};
use crate::checkpoint::{Hold, LiveHost, LiveState, Phase, RunMeasures};
use crate::model::{Service, UnixMillis};
use crate::pipeline::event::{Event, HoldReason, Observe};
use crate::pipeline::stop::Stop;

/// Measures what it hears, and passes it on.
pub(crate) struct Measuring {
    passed_on_to: Arc<dyn Observe>,
    began: Instant,
    began_at: UnixMillis,
    measured: Mutex<Measured>,
}

struct Measured {
    phase: Phase,
    to_do: u64,
    rows_ended: u64,
    /// Signed: a row may be unparked by one thread before another has told that it was parked.
    parked: i64,
    hosts: [HostMeasured; Service::ALL.len()],
    timeline: Timeline,
    latencies: Latencies,
}

#[derive(Debug, Default)]
struct HostMeasured {
    requests: u64,
    throttled: u64,
    recent: RecentRate,
    /// Requests a second that are permitted.
    rate: Option<f64>,
    hold: Option<HeldNow>,
}

/// A pause that everybody waits for.
#[derive(Debug, Clone, Copy)]
struct HeldNow {
    /// Since the run began.
    until: Duration,
    until_at: UnixMillis,
    reason: HoldReason,
}

impl Measuring {
    /// Begins at zero, where so many requests a second are permitted to the services in the order of [`Service::ALL`].
    pub(in crate::pipeline) fn new(
        passed_on_to: Arc<dyn Observe>,
        rates: [Option<f64>; Service::ALL.len()],
    ) -> Self {
        let measured = Measured {
            phase: Phase::List,
            to_do: 0,
            rows_ended: 0,
            parked: 0,
            hosts: rates.map(|rate| HostMeasured { rate, ..HostMeasured::default() }),
            timeline: Timeline::new(),
            latencies: Latencies::new(),
        };
        let (began, began_at) = (Instant::now(), UnixMillis::now());
        Self { passed_on_to, began, began_at, measured: Mutex::new(measured) }
    }

    /// Takes note of what the run is doing, and how many rows it set out to carry out.
    pub(in crate::pipeline) fn enter(&self, phase: Phase, to_do: u64) {
        let mut measured = self.lock();
        (measured.phase, measured.to_do) = (phase, to_do);
    }

    /// How long it has measured.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Whether nothing has happened so far that could be measured.
    pub(super) fn is_blank(&self) -> bool {
        let measured = self.lock();
        measured.rows_ended == 0 && measured.hosts.iter().all(|host| host.requests == 0)
    }

    /// How the run stands.
    pub(super) fn live(&self, stop: &Stop) -> LiveState {
        let now = self.began.elapsed();
        let mut guard = self.lock();
        let measured = &mut *guard;
        let [stara, leaf] = measured.hosts.each_mut().map(|host| host.live(now));
        LiveState {
            at: UnixMillis::now(),
            phase: measured.phase,
            rows_ended: measured.rows_ended,
            to_do: measured.to_do,
            parked: u64::try_from(measured.parked).unwrap_or_default(),
            stara,
            leaf,
            draining: stop.cause().map(|cause| cause.to_string()),
        }
    }

    /// What was measured so far.
    pub(super) fn measures(&self) -> RunMeasures {
        let now = self.began.elapsed();
        let mut measured = self.lock();
        let (slot_seconds, slots) = measured.timeline.slots(now);
        let latencies = measured.latencies.all();
        RunMeasures { began_at: self.began_at, slot_seconds, slots, latencies }
    }

    fn measure(&self, event: &Event) {
        match event {
            Event::RequestEnded { service, stage, took, status, throttled, rate } => {
                let now = self.began.elapsed();
                let mut guard = self.lock();
                let measured = &mut *guard;
                let host = &mut measured.hosts[*service as usize];
                host.requests += 1;
                host.throttled += u64::from(*throttled);
                host.recent.note(now);
                host.rate = rate.or(host.rate);
                measured.timeline.note_request(*service, *status, *throttled, host.rate, now);
                if let Some(stage) = stage.filter(|_| status.is_some()) {
                    measured.latencies.note(stage, *took);
                }
            }
            Event::Held { service, wait, reason } => {
                let now = self.began.elapsed();
                let mut guard = self.lock();
                let measured = &mut *guard;
                measured.timeline.note_hold(*service, *wait, now);
                measured.hosts[*service as usize].hold(now, *wait, *reason);
            }
            Event::RowFinished { .. } => {
                let now = self.began.elapsed();
                let mut measured = self.lock();
                measured.rows_ended += 1;
                measured.timeline.note_row(now);
            }
            Event::Parked { .. } => self.lock().parked += 1,
            Event::Unparked => self.lock().parked -= 1,
            Event::LinksBegun { .. } => self.lock().phase = Phase::Links,
            Event::Ended => self.lock().phase = Phase::Ended,
            _ => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, Measured> {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observe for Measuring {
    fn observe(&self, event: &Event) {
        self.measure(event);
        self.passed_on_to.observe(event);
    }
}

impl HostMeasured {
    /// Pauses are only ever raised.
    fn hold(&mut self, now: Duration, wait: Duration, reason: HoldReason) {
        let until = now.saturating_add(wait);
        if self.hold.is_none_or(|hold| hold.until < until) {
            let millis = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
            let until_at = UnixMillis(UnixMillis::now().0.saturating_add(millis));
            self.hold = Some(HeldNow { until, until_at, reason });
        }
    }

    fn live(&mut self, now: Duration) -> LiveHost {
        let hold = self.hold.filter(|hold| hold.until > now);
        LiveHost {
            requests: self.requests,
            throttled: self.throttled,
            per_second_now: rounded(self.recent.per_second(now)),
            rate: self.rate.map(rounded),
            held_until: hold.map(|hold| hold.until_at),
            hold: hold.map(|hold| match hold.reason {
                HoldReason::Throttled { status } => Hold::Throttled { status },
                HoldReason::Down { .. } => Hold::Down,
            }),
        }
    }
}

/// To hundredths: nobody wants to know it more exactly.
fn rounded(per_second: f64) -> f64 {
    (per_second * 100.0).round() / 100.0
}
