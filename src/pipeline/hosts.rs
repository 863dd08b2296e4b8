//! The two hosts while a verb is at work: how they are asked, paced and counted, and when they end it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::context::Abandoned;
use super::event::{Event as RunEvent, HoldReason, Observe};
use super::heard::{is_fault_of_host, what_was_heard};
use super::journey::Call;
use super::leaf_token::{CurrentToken, LeafToken, TokenError};
use super::measuring::Measuring;
use super::pace::{first_rate, newly_learned};
use super::services::Services;
use super::stop::{Stop, StopCause};
use super::totals::Totals;
use crate::api::{CallError, CallErrorKind, LeafAccount, LeafApi, StaraApi};
use crate::checkpoint::{LearnedRate, Ledger, LedgerError, LedgerHandle};
use crate::http::{
    Attempted, GivenUp, Heard, HostPacer, Permit, RetryPolicy, RetryVerdict, Trouble, Unreached,
};
use crate::model::{LeafUserId, Secret, Service, Stage};

/// How often Leaf is asked for a token: more often than for a row, because the run ends without one, and often enough
/// for the breaker to recognise a host that is down.
const LOG_IN: RetryPolicy = RetryPolicy::with_attempts(6);

/// How often Leaf is asked what changes nothing.
const LOOK: RetryPolicy = RetryPolicy::with_attempts(4);

/// How often in one call Leaf's token is renewed: a row that is always answered 401 would go on for ever.
const MOST_RENEWALS: u32 = 10;

/// How often in a row a host may throttle a row while it serves others. Where the quota is merely too low for the rows in
/// flight, each of them has its turn long before.
const MOST_THROTTLED_ALONE: u32 = 30;

/// Why a look gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LookError {
    /// Everything is being stopped, and nothing was learned.
    Stopped,
    /// Leaf answered otherwise, or not at all, on every attempt.
    Failed(CallErrorKind),
}

impl From<Abandoned> for LookError {
    fn from(_: Abandoned) -> Self {
        Self::Stopped
    }
}

/// Whom a request is about, for people.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whom {
    /// A line of the manifest.
    Line(u64),
    /// A user.
    User(LeafUserId),
    /// All users.
    Everybody,
}

impl fmt::Display for Whom {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(formatter, "line {line}"),
            Self::User(id) => write!(formatter, "the user {id}"),
            Self::Everybody => formatter.write_str("its list of users"),
        }
    }
}

/// What follows from an answer for the request, as far as our token is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heeded {
    /// The token was renewed, and the request is to be sent again.
    AskAgain,
    /// The answer is about what was asked.
    Taken,
}

/// How often in a row something was throttled while its host served others.
#[derive(Debug, Default)]
pub(super) struct ThrottledAlone {
    times: u32,
    /// How many others had been served by then.
    served: u64,
}

impl ThrottledAlone {
    /// Takes note of one more time, by which the host has served so many others; tells whether to go on.
    pub(super) fn goes_on(&mut self, served: u64) -> bool {
        self.times = if served > self.served { self.times + 1 } else { self.times };
        self.served = served;
        self.times <= MOST_THROTTLED_ALONE
    }

    /// Takes note of an answer of another kind.
    pub(super) fn end(&mut self) {
        self.times = 0;
    }
}

/// A request that has ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) service: Service,
    pub(super) call: Call,
    /// The stage of the row that it was sent for; `None` where it was sent for none.
    pub(super) stage: Option<Stage>,
    pub(super) sent: Instant,
    pub(super) took: Duration,
}

impl Asked {
    /// A request to Leaf that changes nothing, sent for no row, which ends now.
    fn of_no_row(sent: Instant) -> Self {
        let (service, call) = (Service::Leaf, Call::LookUser);
        Self { service, call, stage: None, sent, took: sent.elapsed() }
    }
}

/// The two hosts, as everything that a verb sends goes through them.
pub(super) struct Hosts {
    pub(super) stara: StaraApi,
    pub(super) leaf: LeafApi,
    pub(super) token: LeafToken,
    pub(super) totals: Totals,
    pub(super) stop: Stop,
    pub(super) observer: Arc<dyn Observe>,
    /// The observer once more, as what it measures.
    pub(super) measuring: Arc<Measuring>,
    stara_pacer: HostPacer,
    leaf_pacer: HostPacer,
    /// Why the last request that failed for a host's sake had no connection; `None` where it had one.
    unreached: [Mutex<Option<Unreached>>; Service::ALL.len()],
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
        Ok(Self::paced_by(services, learned, stop, observer))
    }

    /// The hosts of `services`, none of them asked yet, paced by what earlier runs learned of their quotas.
    pub(super) fn paced_by(
        services: Services,
        learned: Vec<LearnedRate>,
        stop: Stop,
        observer: Arc<dyn Observe>,
    ) -> Self {
        let pacer = |service| HostPacer::new(services.pacer_options(service, &learned));
        let first_rates = Service::ALL.map(|service| first_rate(&services.pacer_options(service, &learned)));
        let measuring = Arc::new(Measuring::new(observer, first_rates));
        Self {
            stara_pacer: pacer(Service::Stara),
            leaf_pacer: pacer(Service::Leaf),
            stara: StaraApi::new(services.stara.http, services.dialect),
            leaf: LeafApi::new(services.leaf.http),
            token: LeafToken::new(services.token),
            totals: Totals::default(),
            stop,
            observer: Arc::clone(&measuring) as Arc<dyn Observe>,
            measuring,
            unreached: Default::default(),
            learned,
            learning: OnceLock::new(),
        }
    }

    /// Lets what is learned of the quotas ride along to the ledger from here on.
    pub(super) fn learn_into(&self, ledger: LedgerHandle) {
        // Only the first can be set, and there is only one.
        let _ = self.learning.set(ledger);
    }

    /// The same hosts, so that nothing of what they learn goes to the ledger by itself any more.
    pub(super) fn without_ledger(self) -> Self {
        Self { learning: OnceLock::new(), ..self }
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
        asked: Asked,
        permit: Permit<'_>,
        mut result: Result<T, CallError>,
    ) -> Result<T, CallError> {
        let Asked { service, call, stage, sent, took } = asked;
        let error = result.as_ref().err();
        let status = match error {
            Some(error) => error.status,
            None => Some(200),
        };
        let heard = error.map_or(Heard::Served, what_was_heard);
        if matches!(heard, Heard::Failed | Heard::Busy) {
            *self.lock_unreached(service) = match error.map(|error| error.kind) {
                Some(CallErrorKind::Unreachable(why)) => Some(why),
                _ => None,
            };
        }
        let noted = permit.end(sent, heard);
        self.totals.count(service, status, noted.is_throttled);
        let (throttled, rate) = (noted.is_throttled, noted.rate);
        self.observer.observe(&RunEvent::RequestEnded { service, stage, took, status, throttled, rate });
        if let Some(wait) = noted.pause {
            let reason = match status {
                Some(status) if noted.is_throttled => HoldReason::Throttled { status },
                _ => HoldReason::Down { why: self.unreached(service) },
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

    /// Why a host that is down isn't reached; `None` where it answered, and badly.
    pub(super) fn unreached(&self, service: Service) -> Option<Unreached> {
        *self.lock_unreached(service)
    }

    fn lock_unreached(&self, service: Service) -> MutexGuard<'_, Option<Unreached>> {
        self.unreached[service as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets what was learned of a host's quota ride along to the ledger, so that a run that is killed has it, too.
    fn keep_learned(&self, service: Service) {
        if let Some((ledger, per_second)) = self.learning.get().zip(self.pacer(service).learned_rate()) {
            ledger.learn(service, per_second);
        }
    }

    /// Asks Leaf something that changes nothing, as patiently as the table of retries says.
    pub(super) async fn look<T>(
        &self,
        whom: Whom,
        ask: impl AsyncFn(&LeafApi, &Secret) -> Result<T, CallError>,
    ) -> Result<T, LookError> {
        let (mut failures, mut renewals) = (0, 0);
        let mut throttled_alone = ThrottledAlone::default();
        loop {
            let token = self.leaf_token().await?;
            let mut permit = match self.leaf_pacer.permit().await {
                Ok(permit) => permit,
                Err(given_up) => {
                    self.stop_for_host(Service::Leaf, given_up);
                    return Err(LookError::Stopped);
                }
            };
            if !permit.leave().await {
                continue;
            }
            let sent = Instant::now();
            let result = ask(&self.leaf, &token.token).await;
            let result = self.note(Asked::of_no_row(sent), permit, result);
            if self.heed_token(&token, &result, &mut renewals, whom).await? == Heeded::AskAgain {
                continue;
            }
            let error = match result {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let served = self.totals.served(Service::Leaf);
            failures += u32::from(error.kind != CallErrorKind::Throttled);
            match LOOK.decide(Attempted::Repeatable, failures, error.kind.trouble()) {
                RetryVerdict::Again { within } => sleep(random_below(within)).await,
                RetryVerdict::AgainWhenAllowed if throttled_alone.goes_on(served) => {}
                _ => return Err(LookError::Failed(error.kind)),
            }
        }
    }

    /// Leaf's current token.
    pub(super) async fn leaf_token(&self) -> Result<Arc<CurrentToken>, Abandoned> {
        let current = self.token.current(|account| self.log_in(account)).await;
        current.map_err(|error| self.stop_for_token(error))
    }

    /// What an answer of Leaf's says about our token, and about where Leaf is.
    pub(super) async fn heed_token<T>(
        &self,
        token: &CurrentToken,
        result: &Result<T, CallError>,
        renewals: &mut u32,
        whom: Whom,
    ) -> Result<Heeded, Abandoned> {
        match result {
            Err(CallError { kind: CallErrorKind::Unauthorized, .. }) => {
                let renewed = self.token.renew(token, |account| self.log_in(account)).await;
                // A 401 to a token that another row has renewed meanwhile says nothing about this call.
                *renewals += u32::from(renewed.map_err(|error| self.stop_for_token(error))?);
                if *renewals > MOST_RENEWALS {
                    let reason = format!("it answers 401 to {whom} whatever token it gets");
                    return Err(self.stop_for_token(TokenError::Refused(reason)));
                }
                Ok(Heeded::AskAgain)
            }
            Err(CallError { kind: CallErrorKind::Redirected, status, .. }) => {
                self.drain(StopCause::Redirected { status: status.unwrap_or_default() });
                Err(Abandoned)
            }
            result => {
                // Any answer of Leaf itself but a 401 means that it took the token.
                let is_answered = result
                    .as_ref()
                    .map_or_else(|error| error.status.is_some_and(|status| status < 500), |_| true);
                if is_answered {
                    token.prove();
                }
                Ok(Heeded::Taken)
            }
        }
    }

    /// Gets a token with the account, as patiently as any other call.
    pub(super) async fn log_in(&self, account: LeafAccount) -> Result<Secret, TokenError> {
        let unavailable = |reason: &str| TokenError::Unavailable(reason.to_owned());
        let mut attempt = 1;
        loop {
            let mut permit = match self.leaf_pacer.permit().await {
                Ok(permit) => permit,
                Err(given_up) => {
                    let why =
                        self.unreached(Service::Leaf).filter(|_| matches!(given_up, GivenUp::Down { .. }));
                    return Err(unavailable(
                        &why.map_or_else(|| given_up.to_string(), |why| why.to_string()),
                    ));
                }
            };
            if !permit.leave().await {
                continue;
            }
            let sent = Instant::now();
            let result = self.leaf.authenticate(&account).await;
            // It changes nothing, so that it may be repeated like a look.
            let error = match self.note(Asked::of_no_row(sent), permit, result) {
                Ok(token) => return Ok(token),
                Err(error) => error,
            };
            match LOG_IN.decide(Attempted::Repeatable, attempt, error.kind.trouble()) {
                RetryVerdict::Again { within } => {
                    attempt += 1;
                    sleep(random_below(within)).await;
                }
                RetryVerdict::AgainWhenAllowed => {}
                _ if error.kind.trouble() != Trouble::Final => {
                    return Err(match error.kind {
                        CallErrorKind::Unreachable(why) => unavailable(&why.to_string()),
                        _ => unavailable("it can't be reached, or answers with server errors"),
                    });
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
            GivenUp::Down { .. } => StopCause::HostDown { service, why: self.unreached(service) },
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
