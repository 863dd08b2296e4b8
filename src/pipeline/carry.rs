//! Carries one row: carries out the effects of its journey, and holds its secrets meanwhile.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep};

use super::context::{Abandoned, RunContext};
use super::event::Event as RunEvent;
use super::hosts::{Asked, Heeded, ThrottledAlone, Whom, random_below};
use super::journey::{Answer, Call, Effect, Event, Intending, Journey};
use super::known::{start_of, start_of_leaver};
use super::leaf_token::CurrentToken;
use super::shared_logins::Sharing;
use super::task::RowTask;
use crate::api::{CallError, CallErrorKind, CredentialPlace, Tokens};
use crate::checkpoint::{Intent, KeyStanding, SavedEvent};
use crate::http::{GivenUp, Permit};
use crate::model::{Secret, Service, Stage};

/// How long a row may wait for the slot that it has lent. A run that resumes reckons from the intent when its request has settled,
/// so what leaves later than this is announced anew.
const LONGEST_LOAN: Duration = Duration::from_millis(20);

/// One row under way.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and their combinations are all possible"
)]
pub(super) struct Carrier<'a> {
    pub(super) context: &'a RunContext,
    pub(super) task: &'a RowTask,
    slot: Option<OwnedSemaphorePermit>,
    api_key: Option<Secret>,
    /// The row's place among those with its login, where they share it.
    sharing: Option<Sharing<'a>>,
    tokens: Option<Tokens>,
    /// Where the user's credential is asked about, once it was.
    place: OnceLock<CredentialPlace>,
    /// The last intent that is durable.
    pub(super) intent: Option<Intent>,
    /// Whether an earlier refusal of this login turned out not to stand any more.
    pub(super) withdraws_refusal: bool,
    /// Whether the run goes on without waiting for this row.
    is_resting: bool,
    /// Whether it may replace a credential and hasn't begun to.
    has_unused_claim: bool,
    /// Whether the run gave its host up before anything was said about the row.
    pub(super) is_cut_short: bool,
    /// How often in a row it was throttled while its host served others.
    throttled_alone: ThrottledAlone,
    /// Time of the row's own that its journey hasn't heard of yet.
    spent: Duration,
}

impl<'a> Carrier<'a> {
    pub(super) fn new(context: &'a RunContext, task: &'a RowTask, slot: OwnedSemaphorePermit) -> Self {
        Self {
            context,
            task,
            slot: Some(slot),
            api_key: None,
            sharing: context
                .shared_logins
                .as_ref()
                .zip(task.grower.as_ref())
                .map(|(logins, grower)| Sharing::new(logins, grower)),
            tokens: None,
            place: OnceLock::new(),
            intent: task.record.intent.clone(),
            withdraws_refusal: false,
            is_resting: false,
            has_unused_claim: false,
            is_cut_short: false,
            throttled_alone: ThrottledAlone::default(),
            spent: Duration::ZERO,
        }
    }

    /// Carries the row to its outcome.
    pub(super) async fn carry(mut self) -> Result<(), Abandoned> {
        let began = Instant::now();
        let (context, record) = (self.context, &self.task.record);
        let mut start = match &self.task.grower {
            Some(grower) => start_of(record, &grower.login, grower.fingerprints, context.key),
            None => start_of_leaver(record, context.goal),
        };
        // Stara won't be asked, so that only a look can end the row otherwise than before.
        let is_done = record.outcome.as_ref().is_some_and(|last| last.outcome.code.is_done());
        start.look_first |= self.was_refused() && !is_done;
        let mut journey = Journey::new(context.rules, start);
        let mut event = Event::Begun;
        loop {
            journey.spend(std::mem::take(&mut self.spent));
            event = match journey.on(event, began.elapsed()) {
                Effect::Send(Call::Authenticate) => self.authenticate().await?,
                Effect::Send(call) => self.call(call, journey.stage(), None).await?,
                Effect::SendIntended(call, intending) => {
                    self.call(call, journey.stage(), Some(intending)).await?
                }
                Effect::ClaimChange => self.claim_change(),
                Effect::Backoff(within) => self.rest(random_below(within)).await?,
                Effect::Wait(time) => self.rest(time).await?,
                Effect::Park(time) => self.park(time).await?,
                Effect::Finish(finish) => return self.finish(*finish).await,
                Effect::Leave(why) => return self.leave(why).await,
            };
        }
    }

    /// Waits, holding the row's slot.
    async fn rest(&mut self, time: Duration) -> Result<Event, Abandoned> {
        let began = Instant::now();
        sleep(time).await;
        self.spent += began.elapsed();
        Ok(Event::Woken)
    }

    /// Waits without the row's slot, so that another row can use it. When too many rows wait so, it keeps the slot, and
    /// no new row starts. A run that is being stopped doesn't wait for what is parked.
    async fn park(&mut self, time: Duration) -> Result<Event, Abandoned> {
        let context = self.context;
        let place = context.parking.try_acquire().ok();
        if place.is_some() {
            self.slot = None;
        }
        self.let_others_pass();
        context.hosts.observer.observe(&RunEvent::Parked { wait: time });
        let stopped = tokio::select! {
            biased;
            () = sleep(time) => false,
            () = context.hosts.stop.draining() => true,
        };
        context.hosts.observer.observe(&RunEvent::Unparked);
        if stopped {
            return Err(Abandoned);
        }
        drop(place);
        self.take_slot().await?;
        Ok(Event::Woken)
    }

    /// Lets another row have the slot.
    pub(super) fn give_up_slot(&mut self) {
        self.slot = None;
    }

    fn let_others_pass(&mut self) {
        if !self.is_resting {
            self.is_resting = true;
            self.context.opening.rest();
        }
    }

    fn claim_change(&mut self) -> Event {
        if self.context.key == KeyStanding::Lost {
            return Event::KeyLost;
        }
        let take = |left: u32| left.checked_sub(1);
        let taken = self.context.changes_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        self.has_unused_claim = taken.is_ok();
        Event::ChangeClaimed(self.has_unused_claim)
    }

    /// Gets an apiKey: from another row with the same login and password where they share it, else from Stara. Of rows with
    /// the same login one at a time asks Stara, and what it hears answers the others.
    async fn authenticate(&mut self) -> Result<Event, Abandoned> {
        let Some(turn) = self.sharing.as_ref().map(Sharing::turn) else {
            return self.call(Call::Authenticate, Stage::Authenticate, None).await;
        };
        let _held = turn.lock().await;
        if let Some(api_key) = self.sharing.as_mut().and_then(Sharing::of_another_row) {
            self.api_key = Some(api_key);
            return Ok(Event::Answered(Answer::Kept));
        }
        let event = self.call(Call::Authenticate, Stage::Authenticate, None).await?;
        if let (Event::Answered(_), Some(api_key), Some(sharing)) = (&event, &self.api_key, &mut self.sharing)
        {
            sharing.share(api_key.clone());
        }
        Ok(event)
    }

    /// Makes one call: permit first, then the durable intent, then the request at once.
    async fn call(
        &mut self,
        call: Call,
        stage: Stage,
        intending: Option<Intending>,
    ) -> Result<Event, Abandoned> {
        if call == Call::Authenticate && self.is_refused() {
            let kind = CallErrorKind::LoginRejected;
            return Ok(Event::Failed(CallError { kind, status: None, retry_after: None }));
        }
        let context = self.context;
        let service = call.service();
        let mut renewals = 0;
        loop {
            let token = match service {
                Service::Leaf => Some(context.hosts.leaf_token().await?),
                Service::Stara => None,
            };
            let pacer = context.hosts.pacer(service);
            let mut permit = match pacer.permit().await {
                Ok(permit) => permit,
                Err(given_up) => {
                    self.is_cut_short = true;
                    context.hosts.stop_for_host(service, given_up);
                    return Ok(match given_up {
                        GivenUp::Held { .. } => Event::HeldTooLong,
                        GivenUp::Down { .. } => Event::HostDown(context.hosts.unreached(service)),
                    });
                }
            };
            let earlier = self.intent.clone();
            self.has_unused_claim &= call != Call::Remove;
            if let Some(intending) = &intending {
                self.intend(intending, &permit).await?;
            }
            if !permit.leave().await {
                // Nothing was sent. The next intent is as young as what it announces.
                if intending.is_some() {
                    self.withdraw(earlier).await?;
                }
                continue;
            }
            let sent = Instant::now();
            let result = self.send(call, token.as_deref()).await;
            let asked = Asked { service, call, stage: Some(stage), sent, took: sent.elapsed() };
            self.spent += asked.took;
            let result = context.hosts.note(asked, permit, result);
            if intending.is_some() && result.as_ref().is_err_and(|error| error.kind.is_not_processed()) {
                self.withdraw(earlier).await?;
            }
            tracing::debug!(
                line = self.task.line,
                ?call,
                status = result.as_ref().err().and_then(|error| error.status),
                ok = result.is_ok(),
                "request ended"
            );
            if let Some(token) = &token {
                let whom = Whom::Line(self.task.line);
                let heeded = context.hosts.heed_token(token, &result, &mut renewals, whom).await?;
                if heeded == Heeded::AskAgain {
                    continue;
                }
            }
            return self.understand(call, result).await;
        }
    }

    /// Whether Stara is known to refuse this login and password, so that it isn't asked again.
    fn is_refused(&self) -> bool {
        let Some(grower) = &self.task.grower else { return false };
        self.was_refused() || self.context.refusals.contains(grower.fingerprints.login)
    }

    /// Whether it was an earlier run that Stara refused login and password in.
    pub(super) fn was_refused(&self) -> bool {
        self.task.grower.as_ref().is_some_and(|grower| grower.is_refused) && !self.context.retry_rejected
    }

    /// Makes it durable that something is about to be sent. Where many rows are in flight another one has the slot meanwhile,
    /// because nothing is asked while the disk is waited for.
    async fn intend(&mut self, intending: &Intending, permit: &Permit<'_>) -> Result<(), Abandoned> {
        // Else whoever has the slot may wait for what the permit holds, and both would wait for ever.
        let loan = if permit.can_be_held() { self.context.lending.lend() } else { None };
        if loan.is_some() {
            self.give_up_slot();
        }
        self.announce(intending).await?;
        let durable = Instant::now();
        self.take_slot().await?;
        let is_late = durable.elapsed() > LONGEST_LOAN;
        match loan {
            Some(loan) if is_late => loan.end_late(),
            Some(loan) => loan.end_in_time(),
            None => {}
        }
        if is_late {
            self.announce(intending).await?;
        }
        Ok(())
    }

    async fn announce(&mut self, intending: &Intending) -> Result<(), Abandoned> {
        let intent = self.intent_now(intending);
        let written = self.context.ledger.intend(self.task.user, intent.clone()).await;
        written.map_err(|error| self.context.stop_for_ledger(&error))?;
        self.intent = Some(intent);
        Ok(())
    }

    /// Waits for a slot, before any row that hasn't begun, unless the row has one.
    async fn take_slot(&mut self) -> Result<(), Abandoned> {
        if self.slot.is_none() {
            let slots = Arc::clone(&self.context.slots);
            self.slot = Some(slots.acquire_owned().await.map_err(|_| Abandoned)?);
        }
        Ok(())
    }

    /// Takes back an intent whose request surely wasn't processed: a run that is stopped now leaves nothing to settle.
    async fn withdraw(&mut self, earlier: Option<Intent>) -> Result<(), Abandoned> {
        let written = self.context.ledger.withdraw(self.task.user, earlier.clone()).await;
        written.map_err(|error| self.context.stop_for_ledger(&error))?;
        self.intent = earlier;
        Ok(())
    }

    /// Sends the request of a call, once.
    async fn send(&mut self, call: Call, token: Option<&CurrentToken>) -> Result<Answer, CallError> {
        let (task, leaf, stara) = (self.task, &self.context.hosts.leaf, &self.context.hosts.stara);
        let id = task.leaf_user_id;
        // What is missing can't be: the journey asks in this order. Were it so, the call would be unexpected, not wrong.
        let missing = CallError { kind: CallErrorKind::Unexpected, status: None, retry_after: None };
        let token = || token.map(|token| &token.token).ok_or(missing);
        let place = || self.place.get_or_init(|| leaf.credential_place(id));
        match call {
            Call::LookUser => leaf.user(token()?, id).await.map(Answer::User),
            Call::LookCredential => leaf.credential(token()?, place()).await.map(Answer::Credential),
            Call::Authenticate => {
                let grower = task.grower.as_ref().ok_or(missing)?;
                self.api_key = Some(stara.authenticate(&grower.login, &grower.password).await?);
                Ok(Answer::Kept)
            }
            Call::Token => {
                let api_key = self.api_key.as_ref().ok_or(missing)?;
                let client = task.grower.as_ref().and_then(|grower| grower.access_token_client.as_ref());
                self.tokens = Some(stara.token(api_key, client).await?);
                Ok(Answer::Kept)
            }
            Call::SaveEvents => {
                let events = leaf.events(token()?, id).await?;
                let saved = events.into_iter().map(|event| SavedEvent {
                    id: event.id,
                    created: event.created,
                    status_code: event.status_code,
                });
                // Where they can't be saved the intent that follows can't be written either, and stops the run.
                let _ = self.context.ledger.save_events(task.user, saved.collect()).await;
                Ok(Answer::Kept)
            }
            Call::Remove => leaf.remove(token()?, place()).await.map(Answer::Removed),
            Call::Attach => {
                let (api_key, tokens) = self.api_key.as_ref().zip(self.tokens.as_ref()).ok_or(missing)?;
                let (status, credential) = leaf.attach(token()?, place(), api_key, tokens).await?;
                Ok(Answer::Attached(status, credential))
            }
        }
    }

    /// What a call's result means to the journey, with what this run knows of Stara's refusals.
    async fn understand(
        &mut self,
        call: Call,
        result: Result<Answer, CallError>,
    ) -> Result<Event, Abandoned> {
        let context = self.context;
        match result {
            Ok(answer) => {
                self.throttled_alone.end();
                if call == Call::Authenticate {
                    let grower = self.task.grower.as_ref();
                    self.withdraws_refusal =
                        grower.is_some_and(|grower| grower.is_refused || grower.is_reopened);
                    if context.refusals.accepted() {
                        let written = context.ledger.login_succeeded(context.hosts.stara.dialect()).await;
                        written.map_err(|error| context.stop_for_ledger(&error))?;
                    }
                }
                Ok(Event::Answered(answer))
            }
            Err(error) if error.kind == CallErrorKind::Throttled => {
                // Others need not wait until the host wants to hear of this row.
                self.let_others_pass();
                let served = context.hosts.totals.served(call.service());
                if !self.throttled_alone.goes_on(served) {
                    return Ok(Event::ThrottledAlone);
                }
                Ok(Event::Failed(error))
            }
            Err(mut error) => {
                self.throttled_alone.end();
                if error.kind == CallErrorKind::LoginDoubtful {
                    let believed = context.refusals.are_believed();
                    error.kind =
                        if believed { CallErrorKind::LoginRejected } else { CallErrorKind::Unexpected };
                }
                if error.kind == CallErrorKind::LoginRejected {
                    self.task.login_print().into_iter().for_each(|print| context.refusals.add(print));
                }
                Ok(Event::Failed(error))
            }
        }
    }
}

impl Drop for Carrier<'_> {
    /// However the row ended: nobody waits for it any longer.
    fn drop(&mut self) {
        self.context.opening.end(self.is_resting);
        if self.has_unused_claim {
            // The old credential was never touched: another row may use the claim.
            self.context.changes_left.fetch_add(1, Ordering::Relaxed);
        }
    }
}
