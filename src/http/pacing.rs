//! The one owner of a host's quota, concurrency, pause and breaker. Every attempt, repeated ones too, passes it.

use std::sync::{Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, Notify, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

use super::adaptive::{AdaptiveRange, AdaptiveRate};
use super::breaker::{Breaker, Passage, Sign};
use super::connections::{Connections, Way};
use super::quota::EvenQuota;
use super::throttling::Throttling;

/// What a host may be asked.
#[derive(Debug, Clone, Copy)]
pub struct PacerOptions {
    /// How far apart requests are.
    pub pace: Pace,
    /// The most requests under way at a time; `None` for no limit of its own.
    pub concurrency: Option<usize>,
    /// The longest pause that is waited for; a longer one ends the run instead.
    pub longest_hold: Duration,
}

/// How far apart requests are.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// As close as they come.
    Unlimited,
    /// By a quota: one request a period, evenly.
    Even(Duration),
    /// By a quota that is found by trying.
    Adaptive(AdaptiveRange),
}

/// Lets requests to one host through, first come first served, evenly, and never before an instant the host has set.
///
/// Whoever waits, waits before it has a [`Permit`]; nobody sleeps holding one. Because of the order in which they wait,
/// the probe of a host that was down is another row's request than the one that failed, where another one waits.
#[derive(Debug)]
pub struct HostPacer {
    began: Instant,
    gate: Mutex<Option<EvenQuota>>,
    /// The quota once more, where requests leave: what was held up on the way from the gate is spread again.
    wire: Mutex<Option<EvenQuota>>,
    is_unlimited: bool,
    slots: Option<Semaphore>,
    longest_hold: Duration,
    state: StdMutex<State>,
    /// Told when a probe has ended, for the one request that waits at the gate.
    probe_ended: Notify,
}

/// What changes with the host's answers. All times are since the pacer began.
#[derive(Debug)]
struct State {
    not_before: Duration,
    throttling: Throttling,
    breaker: Breaker,
    adaptive: Option<AdaptiveRate>,
    connections: Connections,
}

/// Leave to send one request now. Its slot is free again when it is dropped.
#[derive(Debug)]
pub struct Permit<'a> {
    pacer: &'a HostPacer,
    is_probe: bool,
    way: Option<Way>,
    slot: Option<SemaphorePermit<'a>>,
}

/// The host isn't waited for any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GivenUp {
    /// It asked for a longer pause than the run makes.
    #[error("the host asked for a longer pause than --max-hold")]
    Held {
        /// How much of the pause is left.
        remaining: Duration,
    },
    /// It is down, and will not be probed again within the time that the run waits.
    #[error("the host is down")]
    Down {
        /// For how long it has been down.
        since: Duration,
    },
}

/// What a request told about the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It is at work, whatever it answered.
    Served,
    /// It wants us to slow down (429, or 503 with `Retry-After`).
    Throttled {
        /// How long it asked us to wait, where it did.
        retry_after: Option<Duration>,
    },
    /// It has too much to do, or fails (503).
    Busy,
    /// It couldn't be reached, or fails (any other 5xx).
    Failed,
    /// No answer came, though it could be reached.
    Nothing,
}

/// What follows from what was heard.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Noted {
    /// Whether the request was throttled, so that it is no fault of its own.
    pub is_throttled: bool,
    /// Whether the host counts as down, so that the failure is no fault of the request.
    pub is_down: bool,
    /// A pause for everybody that began with this.
    pub pause: Option<Duration>,
    /// Whether the rate became lower with this.
    pub is_slower: bool,
    /// Requests a second that are let through from here on; `None` where no quota is being looked for.
    pub rate: Option<f64>,
}

/// Whether a request may pass.
enum Standing {
    Clear,
    Probe,
    After(Duration),
    AfterProbe,
}

impl HostPacer {
    /// A pacer that has let nothing through yet.
    #[must_use]
    pub fn new(options: PacerOptions) -> Self {
        let adaptive = match options.pace {
            Pace::Adaptive(range) => Some(AdaptiveRate::new(range)),
            Pace::Unlimited | Pace::Even(_) => None,
        };
        let period = match options.pace {
            Pace::Unlimited => None,
            Pace::Even(period) => Some(period),
            Pace::Adaptive(range) => Some(Duration::from_secs_f64(1.0 / range.start)),
        };
        Self {
            began: Instant::now(),
            gate: Mutex::new(period.map(EvenQuota::every)),
            wire: Mutex::new(period.map(EvenQuota::every)),
            is_unlimited: period.is_none(),
            slots: options.concurrency.map(|most| Semaphore::new(most.max(1))),
            longest_hold: options.longest_hold,
            state: StdMutex::new(State {
                not_before: Duration::ZERO,
                throttling: Throttling::new(options.longest_hold),
                breaker: Breaker::new(options.longest_hold),
                adaptive,
                connections: Connections::default(),
            }),
            probe_ended: Notify::new(),
        }
    }

    /// Waits for leave to send one request.
    ///
    /// # Errors
    ///
    /// When the host isn't waited for any longer.
    pub async fn permit(&self) -> Result<Permit<'_>, GivenUp> {
        let slot = match &self.slots {
            // The semaphore is never closed, so that acquiring fails is impossible; without a slot is the safe reading.
            Some(slots) => slots.acquire().await.ok(),
            None => None,
        };
        let mut permit = Permit { pacer: self, is_probe: false, way: None, slot };
        if self.is_unlimited {
            match self.standing()? {
                Standing::Clear => return Ok(permit),
                Standing::Probe => {
                    permit.is_probe = true;
                    return Ok(permit);
                }
                Standing::After(_) | Standing::AfterProbe => {}
            }
        }
        // Tokio's mutex is fair: whoever asked first is let through first, and all the others sleep on it.
        let mut quota = self.gate.lock().await;
        loop {
            match self.standing()? {
                Standing::Clear => {}
                Standing::Probe => permit.is_probe = true,
                Standing::After(time) => {
                    sleep_until(self.began + time).await;
                    continue;
                }
                Standing::AfterProbe => {
                    self.probe_ended.notified().await;
                    continue;
                }
            }
            match self.take_cell(quota.as_mut()) {
                Ok(()) => {
                    let now = self.began.elapsed();
                    if let Some(quota) = quota.as_mut().filter(|_| self.lock().connections.settle(now)) {
                        quota.skip();
                    }
                    return Ok(permit);
                }
                Err(due) => {
                    permit.release_probe();
                    sleep_until(due).await;
                }
            }
        }
    }

    /// Takes a cell of the quota, or says when the next one is due.
    fn take_cell(&self, quota: Option<&mut EvenQuota>) -> Result<(), Instant> {
        let Some(quota) = quota else { return Ok(()) };
        if let Some(adaptive) = &self.lock().adaptive {
            quota.keep_to(Duration::from_secs_f64(1.0 / adaptive.per_second()));
        }
        quota.take(self.began.elapsed()).map_err(|due| self.began + due)
    }

    fn standing(&self) -> Result<Standing, GivenUp> {
        let now = self.began.elapsed();
        let mut state = self.lock();
        let hold = state.not_before.saturating_sub(now);
        if !hold.is_zero() {
            return if hold > self.longest_hold {
                Err(GivenUp::Held { remaining: hold })
            } else {
                Ok(Standing::After(state.not_before))
            };
        }
        match state.breaker.pass(now) {
            Passage::Open => Ok(Standing::Clear),
            Passage::Probe => Ok(Standing::Probe),
            Passage::After(time) => Ok(Standing::After(time)),
            Passage::AfterProbe => Ok(Standing::AfterProbe),
            Passage::GivenUp(since) => Err(GivenUp::Down { since }),
        }
    }

    /// The quota in requests a second, as far as it was learned; `None` where nothing was.
    #[must_use]
    pub fn learned_rate(&self) -> Option<f64> {
        self.lock().adaptive.as_ref()?.learned()
    }

    /// Whether the quota that is looked for was met.
    #[must_use]
    pub fn has_met_quota(&self) -> bool {
        self.lock().adaptive.as_ref().is_some_and(AdaptiveRate::has_met_quota)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes note of a request that was throttled: lowers the rate, and pauses. The pause is only ever raised.
    fn throttle(&mut self, sent: Duration, now: Duration, retry_after: Option<Duration>) -> Noted {
        let is_slower = self.adaptive.as_mut().is_some_and(|adaptive| adaptive.on_throttled(sent, now));
        let pause = self.throttling.pause(sent, now, retry_after, is_slower);
        let until = pause.map(|pause| now.saturating_add(pause)).filter(|until| *until > self.not_before);
        if let Some(until) = until {
            self.not_before = until;
        }
        Noted { is_throttled: true, pause: pause.filter(|_| until.is_some()), is_slower, ..Noted::default() }
    }

    /// Whether the host throttles and no lower rate is left to try.
    fn is_at_floor(&self) -> bool {
        self.adaptive.as_ref().is_some_and(AdaptiveRate::is_at_floor)
    }

    fn note(&mut self, heard: Heard, sent: Duration, now: Duration) -> Noted {
        let mut noted = Noted::default();
        let sign = match heard {
            Heard::Served => {
                self.throttling.served();
                if let Some(adaptive) = &mut self.adaptive {
                    adaptive.on_served();
                }
                Sign::Good
            }
            Heard::Failed => {
                if let Some(adaptive) = &mut self.adaptive {
                    adaptive.on_failed();
                }
                Sign::Bad
            }
            Heard::Nothing => Sign::Neutral,
            Heard::Busy if self.adaptive.is_none() || self.is_at_floor() => Sign::Bad,
            Heard::Throttled { retry_after: None } if self.is_at_floor() => {
                noted = self.throttle(sent, now, None);
                Sign::Bad
            }
            Heard::Throttled { .. } | Heard::Busy => {
                let retry_after = match heard {
                    Heard::Throttled { retry_after } => retry_after,
                    _ => None,
                };
                noted = self.throttle(sent, now, retry_after);
                // A host that throttles isn't down.
                if self.breaker.is_down() { Sign::Good } else { Sign::Neutral }
            }
        };
        let outage = self.breaker.note(sign, sent, now);
        noted.is_down = self.breaker.is_down();
        noted.pause = noted.pause.max(outage);
        noted.rate = self.adaptive.as_ref().map(AdaptiveRate::per_second);
        noted
    }
}

impl Permit<'_> {
    /// Whether it can be held for a while: no other request waits for it to be given back, and it doesn't wait where it leaves.
    #[must_use]
    pub fn can_be_held(&self) -> bool {
        self.pacer.is_unlimited && self.slot.is_none() && !self.is_probe
    }

    /// To be waited for when the permit's holder has done what it had to do first and now sends.
    ///
    /// Intents are made durable in groups, so that their requests would leave in groups, too, and exceed the quota in
    /// the second around them. `false` when a pause has begun since the permit was given: then another permit is needed.
    pub async fn leave(&mut self) -> bool {
        let pacer = self.pacer;
        if !pacer.is_unlimited {
            let mut quota = pacer.wire.lock().await;
            while let Err(due) = pacer.take_cell(quota.as_mut()) {
                sleep_until(due).await;
            }
        }
        let now = pacer.began.elapsed();
        let mut state = pacer.lock();
        if state.not_before > now || (state.breaker.is_down() && !self.is_probe) {
            return false;
        }
        if let Some(adaptive) = &mut state.adaptive {
            adaptive.on_sent(now);
        }
        self.way = (!pacer.is_unlimited).then(|| state.connections.leave(now));
        true
    }

    /// Takes note of what came of the request sent at `sent`, and gives the permit back.
    ///
    /// A host that throttles is asked more slowly, where the rate is ours to choose, and paused: for as long as it asks,
    /// or for 500 ms doubling to 20 s. A host that is down is paused for 30 s, doubling to 5 min, and then probed by one
    /// request at a time. Pauses are only ever raised.
    #[must_use]
    pub fn end(self, sent: Instant, heard: Heard) -> Noted {
        let pacer = self.pacer;
        pacer.lock().note(heard, sent.saturating_duration_since(pacer.began), pacer.began.elapsed())
    }

    fn release_probe(&mut self) {
        if std::mem::take(&mut self.is_probe) {
            self.pacer.lock().breaker.release_probe();
            self.pacer.probe_ended.notify_one();
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(way) = self.way {
            self.pacer.lock().connections.end(way);
        }
        self.release_probe();
    }
}

#[cfg(test)]
mod tests;
