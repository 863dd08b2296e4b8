//! The two hosts while a verb is at work: how they are asked, paced and counted, and when they end it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::context::Abandoned;
use super::event::{Event as RunEvent, HoldReason, Observe};
use super::journey::Call;
use super::leaf_token::{LeafToken, TokenError};
use super::pace::{newly_learned, pacer_options};
use super::services::Services;
use super::stop::{Stop, StopCause};
use super::totals::Totals;
use crate::api::{CallError, CallErrorKind, LeafAccount, LeafApi, StaraApi};
use crate::checkpoint::{LearnedRate, Ledger, LedgerError, LedgerHandle};
use crate::http::{Attempted, GivenUp, Heard, HostPacer, Noted, Permit, RetryPolicy, RetryVerdict, Trouble};
use crate::model::{Secret, Service};

/// How often Leaf is asked for a token: more often than for a row, because the run ends without one, and often enough
/// for the breaker to recognise a host that is down.
const LOG_IN: RetryPolicy = RetryPolicy::with_attempts(6);

/// The two hosts, as everything that a verb sends goes through them.
pub(super) struct Hosts {
    pub(super) stara: StaraApi,
    pub(super) leaf: LeafApi,
    pub(super) token: LeafToken,
    pub(super) totals: Totals,
    pub(super) stop: Stop,
    pub(super) observer: Arc<dyn Observe>,
    stara_pacer: HostPacer,
    leaf_pacer: HostPacer,
    /// What earlier runs learned of the quotas.
    learned: Vec<LearnedRate>,
    /// Where what is learned rides along, while a ledger is being written.
    learning: OnceLock<LedgerHandle>,
}

impl Hosts {
    /// The hosts of `services`, none of them asked yet, paced by what `ledger` knows of them.
    ///
    /// # Errors
    ///
    /// When the ledger can't be used.
    pub(super) fn new(
        services: Services,
        ledger: &Ledger,
        stop: Stop,
        observer: Arc<dyn Observe>,
    ) -> Result<Self, LedgerError> {
        let learned = if services.relearn { Vec::new() } else { ledger.learned_rates()? };
        let pacer = |service| {
            let rate = services.host(service).rate;
            HostPacer::new(pacer_options(service, rate, &learned, services.longest_hold))
        };
        Ok(Self {
            stara_pacer: pacer(Service::Stara),
            leaf_pacer: pacer(Service::Leaf),
            stara: StaraApi::new(services.stara.http, services.dialect),
            leaf: LeafApi::new(services.leaf.http),
            token: LeafToken::new(services.token),
            totals: Totals::default(),
            stop,
            observer,
            learned,
            learning: OnceLock::new(),
        })
    }

    /// Lets what is learned of the quotas ride along to the ledger from here on.
    pub(super) fn learn_into(&self, ledger: LedgerHandle) {
        // Only the first can be set, and there is only one.
        let _ = self.learning.set(ledger);
    }

    /// What the ledger is to know of the quotas from now on, in requests a second.
    pub(super) fn newly_learned(&self) -> [(Service, Option<f64>); 2] {
        Service::ALL.map(|service| (service, newly_learned(service, self.pacer(service), &self.learned)))
    }

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
        if let Some((ledger, per_second)) = self.learning.get().zip(self.pacer(service).learned_rate()) {
            ledger.learn(service, per_second);
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

    /// Starts nothing new from here on.
    pub(super) fn drain(&self, cause: StopCause) {
        self.stop.drain(cause, &*self.observer);
    }

    pub(super) fn stop_for_host(&self, service: Service, given_up: GivenUp) {
        let cause = match given_up {
            GivenUp::Held { remaining } => StopCause::HeldTooLong { service, pause: remaining },
            GivenUp::Down { .. } => StopCause::HostDown { service },
        };
        self.drain(cause);
    }

    pub(super) fn stop_for_token(&self, error: TokenError) -> Abandoned {
        let cause = match error {
            TokenError::Refused(reason) => StopCause::TokenRefused { reason },
            TokenError::Unavailable(reason) => StopCause::NoToken { reason },
        };
        self.drain(cause);
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
