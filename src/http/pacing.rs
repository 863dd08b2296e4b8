//! The one owner of a host's quota, concurrency and pause. Every attempt, repeated ones too, passes it.

use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

use super::quota::EvenQuota;

/// The first pause after a throttled answer that names no time; it doubles while the host keeps throttling.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause of our own making.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// What a host may be asked.
#[derive(Debug, Clone, Copy)]
pub struct PacerOptions {
    /// The even distance between two requests; `None` for no quota.
    pub period: Option<Duration>,
    /// The most requests under way at a time; `None` for no limit of its own.
    pub concurrency: Option<usize>,
    /// The longest pause that is waited for; a longer one ends the run instead.
    pub longest_hold: Duration,
}

/// Lets requests to one host through, first come first served, evenly, and never before an instant the host has set.
///
/// Whoever waits, waits before it has a [`Permit`]; nobody sleeps holding one.
#[derive(Debug)]
pub struct HostPacer {
    began: Instant,
    gate: Option<Mutex<EvenQuota>>,
    /// The quota once more, where requests leave: what was held up on the way from the gate is spread again.
    wire: Option<Mutex<EvenQuota>>,
    slots: Option<Semaphore>,
    /// In nanoseconds since `began`: a coarser unit would shorten the pause.
    not_before: AtomicU64,
    longest_hold: Duration,
    throttling: StdMutex<Throttling>,
}

/// How often in a row the host has throttled us.
#[derive(Debug, Default)]
struct Throttling {
    streak: u32,
    /// When the streak began.
    began: Option<Instant>,
    /// When the last pause was set.
    since: Option<Instant>,
}

/// Leave to send one request now. Its slot is free again when it is dropped.
#[derive(Debug)]
pub struct Permit<'a> {
    _slot: Option<SemaphorePermit<'a>>,
}

/// The host has set a pause longer than this run waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the host asked for a pause longer than --max-hold")]
pub struct HeldTooLong {
    /// How much of the pause is left.
    pub remaining: Duration,
}

impl HostPacer {
    /// A pacer that has let nothing through yet.
    #[must_use]
    pub fn new(options: PacerOptions) -> Self {
        Self {
            began: Instant::now(),
            gate: options.period.map(|period| Mutex::new(EvenQuota::every(period))),
            wire: options.period.map(|period| Mutex::new(EvenQuota::every(period))),
            slots: options.concurrency.map(|most| Semaphore::new(most.max(1))),
            not_before: AtomicU64::new(0),
            longest_hold: options.longest_hold,
            throttling: StdMutex::default(),
        }
    }

    /// Waits for leave to send one request.
    ///
    /// # Errors
    ///
    /// When the host's pause is longer than this run waits.
    pub async fn permit(&self) -> Result<Permit<'_>, HeldTooLong> {
        let slot = match &self.slots {
            // The semaphore is never closed, so that acquiring fails is impossible; without a slot is the safe reading.
            Some(slots) => slots.acquire().await.ok(),
            None => None,
        };
        let Some(gate) = &self.gate else {
            self.wait_out_the_hold().await?;
            return Ok(Permit { _slot: slot });
        };
        // Tokio's mutex is fair: whoever asked first is let through first, and all the others sleep on it.
        let mut quota = gate.lock().await;
        loop {
            self.wait_out_the_hold().await?;
            match quota.take(self.began.elapsed()) {
                Ok(()) => return Ok(Permit { _slot: slot }),
                Err(due) => sleep_until(self.began + due).await,
            }
        }
    }

    /// To be waited for when the permit's holder has done what it had to do first and now sends.
    ///
    /// Intents are made durable in groups, so that their requests would leave in groups, too, and exceed the quota in
    /// the second around them. `false` when the host has set a pause since the permit was given: then another permit is
    /// needed.
    pub async fn leave(&self) -> bool {
        if let Some(wire) = &self.wire {
            let mut quota = wire.lock().await;
            while let Err(due) = quota.take(self.began.elapsed()) {
                sleep_until(self.began + due).await;
            }
        }
        self.hold_remaining().is_none()
    }

    /// Waits until the pause is over, however often it is raised meanwhile.
    async fn wait_out_the_hold(&self) -> Result<(), HeldTooLong> {
        while let Some(remaining) = self.hold_remaining() {
            if remaining > self.longest_hold {
                return Err(HeldTooLong { remaining });
            }
            sleep_until(Instant::now() + remaining).await;
        }
        Ok(())
    }

    /// How much is left of the pause that the host has set; `None` when there is none.
    #[must_use]
    pub fn hold_remaining(&self) -> Option<Duration> {
        let not_before = Duration::from_nanos(self.not_before.load(Ordering::Relaxed));
        not_before.checked_sub(self.began.elapsed()).filter(|remaining| !remaining.is_zero())
    }

    /// Takes note that the host throttled a request sent at `sent`, and raises the pause; it is never shortened.
    ///
    /// Where the host names no time, or none that lies ahead, the pause begins at 500 ms and doubles to 20 s with each
    /// round trip that is throttled again. A host that does nothing else for as long as the longest hold counts as
    /// asking for a longer one. Returns the pause, if this answer raised it.
    pub fn throttled(&self, sent: Instant, retry_after: Option<Duration>) -> Option<Duration> {
        let own = self.next_pause(sent);
        let pause = match (retry_after, own) {
            (_, Some(own)) if own > self.longest_hold => own,
            (Some(named), _) if !named.is_zero() => named,
            (_, own) => own?,
        };
        let until = self.began.elapsed().saturating_add(pause);
        let until = u64::try_from(until.as_nanos()).unwrap_or(u64::MAX);
        let before = self.not_before.fetch_max(until, Ordering::Relaxed);
        (before < until).then_some(pause)
    }

    /// The next pause of our own; `None` when the request was sent before the last pause was set, for it tells nothing new.
    fn next_pause(&self, sent: Instant) -> Option<Duration> {
        let mut throttling = self.throttling.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if throttling.since.is_some_and(|since| sent <= since) {
            return None;
        }
        let now = Instant::now();
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(throttling.streak)).min(LONGEST_PAUSE);
        throttling.streak = throttling.streak.saturating_add(1);
        throttling.since = Some(now);
        let throttled_for = now - *throttling.began.get_or_insert(now);
        Some(if throttled_for > self.longest_hold { self.longest_hold + pause } else { pause })
    }

    /// Takes note that the host served a request without throttling it.
    pub fn served(&self) {
        if self.not_before.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut throttling = self.throttling.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        throttling.streak = 0;
        throttling.began = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pacer(period_ms: Option<u64>, concurrency: Option<usize>) -> HostPacer {
        HostPacer::new(PacerOptions {
            period: period_ms.map(Duration::from_millis),
            concurrency,
            longest_hold: Duration::from_secs(900),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn permits_are_a_period_apart() {
        let pacer = pacer(Some(20), None);
        let began = Instant::now();
        for _ in 0..51 {
            pacer.permit().await.unwrap();
        }
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(990) && took <= Duration::from_millis(1_015), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_shared_raised_and_never_shortened() {
        let pacer = pacer(None, None);
        let sent = Instant::now();
        assert_eq!(pacer.throttled(sent, Some(Duration::from_secs(7))), Some(Duration::from_secs(7)));
        assert_eq!(pacer.throttled(sent, Some(Duration::from_secs(3))), None);
        let (first, second) = tokio::join!(pacer.permit(), pacer.permit());
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(sent.elapsed().as_secs(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_not_shortened_by_the_unit_it_is_kept_in() {
        let pacer = pacer(None, None);
        let pause = Duration::from_nanos(1_000_000_999);
        pacer.throttled(Instant::now(), Some(pause));
        assert_eq!(pacer.hold_remaining(), Some(pause));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_raised_while_waiting_is_waited_out() {
        let pacer = pacer(Some(1), None);
        let sent = Instant::now();
        pacer.throttled(sent, Some(Duration::from_secs(2)));
        let raise = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            pacer.throttled(sent, Some(Duration::from_secs(5)));
        };
        let (permit, ()) = tokio::join!(pacer.permit(), raise);
        assert!(permit.is_ok());
        assert_eq!(sent.elapsed().as_secs(), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn bare_throttling_doubles_the_pause_once_a_round_trip() {
        let pacer = pacer(None, None);
        let together = Instant::now();
        assert_eq!(pacer.throttled(together, None), Some(Duration::from_millis(500)));
        assert_eq!(pacer.throttled(together, None), None, "the same round trip");
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(pacer.throttled(Instant::now(), None), Some(Duration::from_secs(1)));
        pacer.served();
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(pacer.throttled(Instant::now(), None), Some(Duration::from_millis(500)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_only_throttles_is_given_up_in_the_end() {
        let pacer = pacer(None, None);
        let began = Instant::now();
        while pacer.permit().await.is_ok() {
            assert!(began.elapsed() < Duration::from_secs(3_600), "it never ends");
            pacer.throttled(Instant::now(), None);
        }
        assert!(began.elapsed() >= Duration::from_secs(900));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_beyond_the_longest_hold_is_not_waited_for() {
        let pacer = pacer(None, None);
        pacer.throttled(Instant::now(), Some(Duration::from_secs(3_600)));
        assert!(pacer.permit().await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_that_lies_behind_is_no_leave_to_go_on_at_once() {
        let pacer = pacer(None, None);
        let sent = Instant::now();
        assert_eq!(pacer.throttled(sent, Some(Duration::ZERO)), Some(Duration::from_millis(500)));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(pacer.throttled(Instant::now(), Some(Duration::ZERO)), Some(Duration::from_secs(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_names_a_time_again_and_again_is_given_up_in_the_end() {
        let pacer = pacer(None, None);
        let began = Instant::now();
        while pacer.permit().await.is_ok() {
            assert!(began.elapsed() < Duration::from_secs(3_600), "it never ends");
            pacer.throttled(Instant::now(), Some(Duration::from_secs(7)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_absurd_time_ends_the_run_and_nothing_overflows() {
        let pacer = pacer(None, None);
        tokio::time::sleep(Duration::from_secs(5)).await;
        pacer.throttled(Instant::now(), Some(Duration::MAX));
        assert!(pacer.permit().await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_held_up_together_leaves_one_after_another() {
        let pacer = pacer(Some(20), None);
        let began = Instant::now();
        for _ in 0..10 {
            pacer.permit().await.unwrap();
        }
        // All ten intents become durable in one commit.
        let leaving = (0..10).map(|_| async {
            assert!(pacer.leave().await);
            began.elapsed()
        });
        let left = futures::future::join_all(leaving).await;
        assert!(left.windows(2).all(|pair| pair[1] >= pair[0] + Duration::from_millis(10)), "{left:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_set_after_the_permit_is_heeded_before_leaving() {
        let pacer = pacer(Some(20), None);
        pacer.permit().await.unwrap();
        pacer.throttled(Instant::now(), Some(Duration::from_secs(3)));
        assert!(!pacer.leave().await);
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_requests_are_under_way() {
        let pacer = pacer(None, Some(2));
        let (first, _second) = (pacer.permit().await.unwrap(), pacer.permit().await.unwrap());
        let third = tokio::time::timeout(Duration::from_secs(60), pacer.permit()).await;
        assert!(third.is_err(), "the third waits");
        drop(first);
        pacer.permit().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn first_come_is_first_served() {
        let pacer = pacer(Some(10), None);
        let order = StdMutex::new(Vec::new());
        let one = |name: u32| {
            let (pacer, order) = (&pacer, &order);
            async move {
                pacer.permit().await.unwrap();
                order.lock().unwrap().push(name);
            }
        };
        futures::future::join_all((0..20).map(one)).await;
        assert_eq!(*order.lock().unwrap(), (0..20).collect::<Vec<_>>());
    }
}
