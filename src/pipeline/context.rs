//! What all rows of a run share: the services, their pacers, Leaf's token, the ledger, and how to stop.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep};

use super::budget::FailureBudget;
use super::event::{Event as RunEvent, HoldReason, Observe};
use super::journey::{Call, JourneyRules};
use super::leaf_token::{LeafToken, TokenError};
use super::refusals::{Doubt, Refusals};
use super::shared_logins::SharedLogins;
use super::stop::{Stop, StopCause};
use super::totals::Totals;
use crate::api::{CallError, CallErrorKind, LeafAccount, LeafApi, StaraApi};
use crate::checkpoint::{Approach, KeyStanding, LedgerError, LedgerHandle};
use crate::http::{Attempted, GivenUp, Heard, HostPacer, Noted, Permit, RetryPolicy, RetryVerdict, Trouble};
use crate::model::{OutcomeCode, Secret, Service, Stage};

/// How often Leaf is asked for a token: more often than for a row, because the run ends without one, and often enough
/// for the breaker to recognise a host that is down.
const LOG_IN: RetryPolicy = RetryPolicy::with_attempts(6);

/// What all rows of a run share.
pub(super) struct RunContext {
    pub(super) run: i64,
    pub(super) rules: JourneyRules,
    pub(super) stara: StaraApi,
    pub(super) leaf: LeafApi,
    pub(super) stara_pacer: HostPacer,
    pub(super) leaf_pacer: HostPacer,
    pub(super) token: LeafToken,
    pub(super) ledger: LedgerHandle,
    pub(super) key: KeyStanding,
    pub(super) approach: Approach,
    pub(super) retry_rejected: bool,
    pub(super) refusals: Refusals,
    /// What rows share with `--share-logins`; without it they run one after another.
    pub(super) shared_logins: Option<SharedLogins>,
    pub(super) changes_left: AtomicU32,
    pub(super) budget: Mutex<FailureBudget>,
    pub(super) opening: Opening,
    pub(super) slots: Arc<Semaphore>,
    pub(super) parking: Semaphore,
    pub(super) totals: Totals,
    pub(super) stop: Stop,
    pub(super) observer: Arc<dyn Observe>,
}

/// How far the run has opened: how many rows have ended, or are parked and keep nobody waiting.
#[derive(Debug, Default)]
pub(super) struct Opening {
    passed: AtomicU64,
    changed: Notify,
}

impl Opening {
    /// Takes note that a row has ended or is parked for the first time.
    pub(super) fn pass(&self) {
        self.passed.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// Waits until another row has passed.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}

/// The row is left as the ledger has it: the run is being stopped, and no row is to blame.
#[derive(Debug)]
pub(super) struct Abandoned;

impl RunContext {
    pub(super) fn pacer(&self, service: Service) -> &HostPacer {
        match service {
            Service::Stara => &self.stara_pacer,
            Service::Leaf => &self.leaf_pacer,
        }
    }

    /// Counts a request that ended, and takes note of what it says about the host's patience.
    pub(super) fn note<T>(
        &self,
        service: Service,
        call: Call,
        permit: Permit<'_>,
        sent: Instant,
        mut result: Result<T, CallError>,
    ) -> Result<T, CallError> {
        let error = result.as_ref().err();
        let status = match error {
            Some(error) => error.status,
            None => Some(200),
        };
        let heard = error.map_or(Heard::Served, what_was_heard);
        let noted = permit.end(sent, heard);
        self.totals.count(service, status, noted.is_throttled);
        let (throttled, rate) = (noted.is_throttled, noted.rate);
        self.observer.observe(&RunEvent::RequestEnded { service, status, throttled, rate });
        if let Some(wait) = noted.pause {
            let reason = match status {
                Some(status) if noted.is_throttled => HoldReason::Throttled { status },
                _ => HoldReason::Down,
            };
            self.observer.observe(&RunEvent::Held { service, wait, reason });
        }
        if noted.is_slower {
            tracing::info!(%service, per_second = noted.rate, "throttled, so slower");
            self.keep_learned(service);
        }
        if let Err(error) = &mut result
            && is_fault_of_host(call, heard, &noted, error.kind.is_not_processed())
        {
            error.kind = CallErrorKind::Throttled;
        }
        result
    }

    /// Lets what was learned of a host's quota ride along to the ledger, so that a run that is killed has it, too.
    fn keep_learned(&self, service: Service) {
        if let Some(per_second) = self.pacer(service).learned_rate() {
            self.ledger.learn(service, per_second);
        }
    }

    /// Gets a token with the account, as patiently as any other call.
    pub(super) async fn log_in(&self, account: LeafAccount) -> Result<Secret, TokenError> {
        let unavailable = |reason: &str| TokenError::Unavailable(reason.to_owned());
        let mut attempt = 1;
        loop {
            let permit = match self.leaf_pacer.permit().await {
                Ok(permit) => permit,
                Err(given_up) => return Err(unavailable(&given_up.to_string())),
            };
            if !permit.leave().await {
                continue;
            }
            let sent = Instant::now();
            let result = self.leaf.authenticate(&account).await;
            // It changes nothing, so that it may be repeated like a look.
            let error = match self.note(Service::Leaf, Call::LookUser, permit, sent, result) {
                Ok(token) => return Ok(token),
                Err(error) => error,
            };
            match LOG_IN.decide(Attempted::Repeatable, attempt, error.kind.trouble()) {
                RetryVerdict::Again { within } => {
                    attempt += 1;
                    sleep(random_below(within)).await;
                }
                RetryVerdict::AgainWhenAllowed => {}
                _ if error.kind == CallErrorKind::Untrusted => {
                    return Err(unavailable("its certificate isn't trusted (--ca-cert adds a root)"));
                }
                _ if error.kind.trouble() != Trouble::Final => {
                    return Err(unavailable("it can't be reached, or answers with server errors"));
                }
                _ => {
                    let refused = |reason: &str| Err(TokenError::Refused(reason.to_owned()));
                    return match error.kind {
                        CallErrorKind::Unauthorized | CallErrorKind::Forbidden | CallErrorKind::Refused => {
                            refused("it refuses LEAF_USERNAME and LEAF_PASSWORD")
                        }
                        CallErrorKind::Unexpected => refused("its answer to the login holds no id_token"),
                        _ => refused("it knows no login there: is --leaf-url the right one?"),
                    };
                }
            }
        }
    }

    /// How many rows may have been started by now.
    pub(super) fn may_start(&self) -> u64 {
        self.budget().may_start(self.opening.passed.load(Ordering::Relaxed))
    }

    /// Counts a row that was decided by a new answer, and stops the run when it goes wrong for everybody; tells whether it
    /// did.
    pub(super) fn count_outcome(&self, code: OutcomeCode, stage: Stage, status: Option<u16>) -> bool {
        if matches!(code, OutcomeCode::Throttled | OutcomeCode::NotReached) {
            // Nobody said anything about this row.
            return false;
        }
        let Some(overspent) = self.budget().note(code, stage, status) else { return false };
        let diagnosis = overspent.diagnosis();
        let cause = if overspent.is_forbidden() {
            StopCause::Forbidden { diagnosis }
        } else {
            self.refusals.doubt();
            StopCause::TooManyFailures { diagnosis }
        };
        self.stop.drain(cause, &*self.observer);
        true
    }

    /// Writes down what to think of this run's refusals, where it was stopped because it goes wrong for everybody. What
    /// is under way then may still change it, so this is done again at the end.
    pub(super) async fn record_doubt(&self) -> Result<(), LedgerError> {
        match self.refusals.doubted() {
            None => Ok(()),
            Some(Doubt::Standing) => self.ledger.doubt_refusals(self.run, Some(self.approach)).await,
            Some(Doubt::Cleared) => self.ledger.doubt_refusals(self.run, None).await,
        }
    }

    fn budget(&self) -> MutexGuard<'_, FailureBudget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stop_for_host(&self, service: Service, given_up: GivenUp) {
        let cause = match given_up {
            GivenUp::Held { remaining } => StopCause::HeldTooLong { service, pause: remaining },
            GivenUp::Down { .. } => StopCause::HostDown { service },
        };
        self.stop.drain(cause, &*self.observer);
    }

    pub(super) fn stop_for_token(&self, error: TokenError) -> Abandoned {
        let cause = match error {
            TokenError::Refused(reason) => StopCause::TokenRefused { reason },
            TokenError::Unavailable(reason) => StopCause::NoToken { reason },
        };
        self.stop.drain(cause, &*self.observer);
        Abandoned
    }

    pub(super) fn stop_for_ledger(&self, error: &LedgerError) -> Abandoned {
        tracing::error!(%error, "the ledger can't be written");
        self.stop.drain(StopCause::LedgerUnwritable { reason: error.to_string() }, &*self.observer);
        // Nothing that is under way can be recorded any more.
        self.stop.abort();
        Abandoned
    }
}

/// What an error tells about the host that it came from.
fn what_was_heard(error: &CallError) -> Heard {
    match (error.kind, error.status) {
        (CallErrorKind::Throttled, _) => Heard::Throttled { retry_after: error.retry_after },
        // One that names a time asks for patience, whatever it was the answer to.
        (_, Some(503)) if error.retry_after.is_some() => Heard::Throttled { retry_after: error.retry_after },
        (_, Some(503)) => Heard::Busy,
        (CallErrorKind::ServerError | CallErrorKind::Unreachable, _) => Heard::Failed,
        (_, None) => Heard::Nothing,
        (_, Some(_)) => Heard::Served,
    }
}

/// Whether a request failed for the host's sake, so that it uses up no attempt. One that may have been processed is left as
/// it is, on an attach or a deletion because nobody knows what it did, with a password because it may have been looked at.
fn is_fault_of_host(call: Call, heard: Heard, noted: &Noted, is_not_processed: bool) -> bool {
    let is_repeatable = call.attempted() == Attempted::Repeatable;
    match heard {
        Heard::Throttled { .. } => is_not_processed || is_repeatable,
        Heard::Failed | Heard::Busy => {
            let may_be_repeated = is_not_processed || (is_repeatable && call != Call::Authenticate);
            may_be_repeated && (noted.is_throttled || noted.is_down)
        }
        Heard::Served | Heard::Nothing => false,
    }
}

/// A random time below `bound`; the bound itself where the system gives no randomness.
pub(super) fn random_below(bound: Duration) -> Duration {
    let share = random().map_or(1.0, |random| f64::from(random) / f64::from(u32::MAX));
    bound.mul_f64(share)
}

fn random() -> Option<u32> {
    #[cfg(test)]
    if let Some(random) = crate::model::simulated::random() {
        return Some(random);
    }
    getrandom::u32().ok()
}
