//! Joins the stages: which step handles which event, and what all steps share.

use std::time::Duration;

use super::types::{Answer, Call, Effect, Event, JourneyRules, JourneyStart, KeptIntent, PriorIntent, Step};
use crate::api::{CallError, CallErrorKind};
use crate::http::{RetryVerdict, Unreached};
use crate::model::{Credential, CredentialId, OutcomeCode, Service, Stage};

/// One row on its way.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and their combinations are all possible"
)]
pub struct Journey {
    pub(super) rules: JourneyRules,
    pub(super) start: JourneyStart,
    pub(super) step: Step,
    /// How often the step's call was sent, throttled attempts left aside.
    pub(super) attempts: u32,
    /// How often in a row it failed.
    failures: u32,
    /// The status of the last answer.
    pub(super) status: Option<u16>,
    /// When the step's call was asked for last; it was sent no earlier.
    pub(super) asked_at: Duration,
    /// How much of its own time the row has used up.
    spent: Duration,
    /// The credential seen last.
    pub(super) seen: Option<Credential>,
    /// Whether a look of this run showed that the user holds none.
    pub(super) looked_absent: bool,
    /// The credential that is to make way.
    pub(super) replacing: Option<Replacing>,
    /// Whether that one may be gone: a deletion was sent.
    pub(super) removed: bool,
    /// How often a deletion was sent with an unknown result.
    pub(super) removals: u32,
    /// The attaches whose effect isn't known not to have happened.
    pub(super) open: Option<OpenAttach>,
    /// What an earlier run left open, until a look has said what became of it, where nothing but a look can follow.
    pub(super) unjudged: Option<KeptIntent>,
    /// Whether the credential to be taken away is ours only by the attach that an earlier run announced.
    pub(super) takes_back: bool,
    /// The id that came with our 201.
    pub(super) created: Option<CredentialId>,
    /// The credential of ours that an attach with the row's earlier login left.
    pub(super) earlier: Option<CredentialId>,
    /// Whether an attach was sent in this run.
    pub(super) has_attached: bool,
    /// Whether it took a later look to learn that an attach took effect.
    pub(super) is_recovered: bool,
    /// Whether tokens are at hand.
    pub(super) has_tokens: bool,
    /// Whether `/token` refused the apiKey once already.
    pub(super) token_refused: bool,
}

/// A credential that is to make way: its id, where Leaf shows one.
#[derive(Debug, Clone)]
pub(super) struct Replacing(pub(super) Option<CredentialId>);

/// Attaches that may have taken effect.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and their combinations are all possible"
)]
pub(super) struct OpenAttach {
    /// How many.
    pub(super) attaches: u32,
    /// Whether Leaf confirmed one.
    pub(super) acknowledged: bool,
    /// Whether a look before the first had shown no credential.
    pub(super) over_nothing: bool,
    /// When the last one will have settled, in the journey's time.
    pub(super) settled_at: Duration,
    /// Whether an earlier run sent the last one so long ago that it may be sent again.
    pub(super) reviewable: bool,
    /// Whether it has settled and was seen to have had no effect.
    pub(super) is_absent: bool,
}

impl Journey {
    /// The stage that it has come to: what it asks for next belongs to it.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        self.step.stage()
    }

    /// A row that hasn't begun.
    #[must_use]
    pub fn new(rules: JourneyRules, start: JourneyStart) -> Self {
        Self {
            rules,
            start,
            step: Step::Precheck,
            attempts: 0,
            failures: 0,
            status: None,
            asked_at: Duration::ZERO,
            spent: Duration::ZERO,
            seen: None,
            looked_absent: false,
            replacing: None,
            removed: false,
            removals: 0,
            open: None,
            unjudged: None,
            takes_back: false,
            created: None,
            earlier: None,
            has_attached: false,
            is_recovered: false,
            has_tokens: false,
            token_refused: false,
        }
    }

    /// Takes note of time that counts against the row's deadline: that of its own requests from sending to the end of
    /// the answer, and that of [`Effect::Backoff`] and [`Effect::Wait`]. What the row waits for because of others (a host's
    /// pause, its turn, a commit) or because an attach settles isn't its own.
    pub fn spend(&mut self, time: Duration) {
        self.spent = self.spent.saturating_add(time);
    }

    /// What follows from `event`, which happened at `now` (time since the row began).
    ///
    /// Once the row has spent its time it sends and waits no more, whatever would follow.
    pub fn on(&mut self, event: Event, now: Duration) -> Effect {
        let asked = self.step.call().service();
        let effect = self.follow(event, now);
        if self.spent < self.rules.row_deadline {
            if matches!(effect, Effect::Send(_) | Effect::SendIntended(..)) {
                self.asked_at = now;
            }
            return effect;
        }
        match effect {
            Effect::Finish(_) | Effect::Leave(_) => effect,
            Effect::Send(_) | Effect::SendIntended(..) => {
                // It isn't sent after all.
                self.forget_attempt();
                self.time_out(asked)
            }
            Effect::ClaimChange | Effect::Backoff(_) | Effect::Wait(_) | Effect::Park(_) => {
                self.time_out(asked)
            }
        }
    }

    /// Ends the row for want of time; `asked` is the service on which the last of it was spent.
    fn time_out(&mut self, asked: Service) -> Effect {
        let message = match asked {
            Service::Stara => {
                "the row's own requests and waits took longer than --row-deadline, the last of them for Stara"
            }
            Service::Leaf => {
                "the row's own requests and waits took longer than --row-deadline, the last of them for Leaf"
            }
        };
        self.give_up(OutcomeCode::TimedOut, message.into())
    }

    fn follow(&mut self, event: Event, now: Duration) -> Effect {
        match event {
            Event::Begun => self.begin(now),
            Event::Woken => self.send(),
            Event::ChangeClaimed(true) => self.on_change_claimed(),
            Event::ChangeClaimed(false) => self.on_change_refused("--max-changes was reached"),
            Event::KeyLost => {
                self.on_change_refused("the ledger's fingerprint key is missing or another one")
            }
            Event::Answered(answer) => self.on_answer(answer, now),
            Event::Failed(error) => self.on_failure(error, now),
            Event::HostDown(why) => self.on_host_down(why),
            Event::ThrottledAlone => self.give_up(
                OutcomeCode::Throttled,
                "the host throttled this row again and again while it served others".into(),
            ),
            Event::HeldTooLong => {
                self.forget_attempt();
                self.give_up(
                    OutcomeCode::Throttled,
                    "the host asked for a longer pause than --max-hold".into(),
                )
            }
        }
    }

    fn on_host_down(&mut self, why: Option<Unreached>) -> Effect {
        self.forget_attempt();
        let service = self.step.call().service();
        match why {
            Some(why) => self.on_unreached(why),
            None => self.give_up(unavailable(service), format!("{service} was down").into()),
        }
    }

    /// Ends the row where there is no connection to the host that it is to ask.
    pub(super) fn on_unreached(&mut self, why: Unreached) -> Effect {
        let service = self.step.call().service();
        let what_for = match self.step.call() {
            Call::Attach => " for the attach",
            Call::Remove => " for deleting the credential",
            _ => "",
        };
        let message = format!("{service} couldn't be reached{what_for}: {why}");
        self.give_up(unavailable(service), message.into())
    }

    fn begin(&mut self, now: Duration) -> Effect {
        match self.start.intent.clone() {
            Some(prior) => self.resume(&prior, now),
            None if self.rules.precheck || self.must_look_first() || self.is_detaching() => {
                self.go(Step::Precheck)
            }
            None => self.go(Step::Authenticate),
        }
    }

    /// Whether an attach without a look could meet a credential that the ledger knows of.
    fn must_look_first(&self) -> bool {
        self.start.look_first || self.start.login_changed || self.start.known.is_some()
    }

    /// Goes on where an earlier run left an intent open: its age counts, and without one the whole settle time does.
    fn resume(&mut self, prior: &PriorIntent, now: Duration) -> Effect {
        let age = prior.age.unwrap_or_default();
        let settled_at = now + self.rules.settle.saturating_sub(age);
        if self.is_detaching() || prior.is_detachment() {
            return self.resume_unjudged(prior, settled_at, now);
        }
        if prior.replacing {
            self.replacing = Some(Replacing(prior.removing.clone()));
            self.removed = true;
        }
        if prior.attaches == 0 {
            return self.resume_removal(settled_at, now);
        }
        self.open = Some(OpenAttach {
            attaches: prior.attaches,
            acknowledged: prior.acknowledged,
            over_nothing: prior.over_nothing,
            settled_at,
            reviewable: age >= self.rules.review_after.max(self.rules.settle),
            is_absent: false,
        });
        if prior.acknowledged {
            // Leaf took it: there is nothing to be judged, only something to be seen.
            return self.go(Step::Verify(now + self.rules.verify_wait));
        }
        self.go(Step::FirstLook)
    }

    fn on_answer(&mut self, answer: Answer, now: Duration) -> Effect {
        self.failures = 0;
        match (self.step, answer) {
            (Step::Precheck, Answer::User(look)) => self.on_user(look),
            (Step::PrecheckCredential, Answer::Credential(found)) => self.on_looked(found),
            (Step::Authenticate, Answer::Kept) => self.go(Step::Token),
            (Step::Token, Answer::Kept) => self.on_tokens(),
            (Step::SaveEvents, Answer::Kept) => self.go(Step::BeforeRemoval),
            (Step::BeforeRemoval, Answer::Credential(found)) => self.on_before_removal(found),
            (Step::Remove, Answer::Removed(status)) => self.on_removed(status, now),
            (Step::AfterRemoval(deadline), Answer::Credential(found)) => {
                self.on_after_removal(found, deadline, now)
            }
            (Step::SettledRemoval, Answer::Credential(found)) => self.on_settled_removal(found),
            (Step::Attach, Answer::Attached(status, credential)) => self.on_attached(status, credential, now),
            (Step::JudgeRefusal(status), Answer::Credential(found)) => self.on_judged(status, found, now),
            (Step::FirstLook, Answer::Credential(found)) => self.on_first_look(found, now),
            (Step::SettledLook, Answer::Credential(found)) => self.on_settled_look(found, now),
            (Step::Verify(deadline), Answer::Credential(found)) => self.on_verify(found, deadline, now),
            _ => self.give_up(OutcomeCode::Internal, "an answer came that nothing had asked for".into()),
        }
    }

    /// Sends again where the table allows it; else the step decides what the failure means.
    fn on_failure(&mut self, error: CallError, now: Duration) -> Effect {
        self.status = error.status;
        self.failures += 1;
        let call = self.step.call();
        let policy = match call.service() {
            Service::Stara => self.rules.stara,
            Service::Leaf => self.rules.leaf,
        };
        match policy.decide(call.attempted(), self.failures, error.kind.trouble()) {
            RetryVerdict::Again { within } => Effect::Backoff(within),
            RetryVerdict::AgainWhenAllowed => {
                // Being throttled never uses up an attempt.
                self.forget_attempt();
                self.failures -= 1;
                self.send()
            }
            RetryVerdict::FindOut if self.step == Step::Remove => self.on_removal_unknown(),
            RetryVerdict::FindOut => self.on_attach_unknown(now),
            RetryVerdict::GiveUp => self.on_refusal(error.kind, now),
        }
    }

    /// What a failure means that won't go away by asking again.
    fn on_refusal(&mut self, kind: CallErrorKind, now: Duration) -> Effect {
        match self.step {
            Step::Precheck
            | Step::PrecheckCredential
            | Step::Claim
            | Step::BeforeRemoval
            | Step::SaveEvents
            | Step::AfterRemoval(_)
            | Step::SettledRemoval => self.on_look_refused(kind),
            Step::Authenticate => self.on_login_refused(kind),
            Step::Token => self.on_token_refused(kind),
            Step::Remove => self.on_removal_refused(kind),
            Step::Attach => self.on_attach_refused(kind, now),
            Step::FirstLook => self.on_first_look_refused(kind, now),
            // One odd answer says nothing about the next one, and there is time for it.
            Step::Verify(deadline) if now < deadline && kind == CallErrorKind::Unexpected => {
                self.look_again(deadline, now)
            }
            // A look that failed proves nothing.
            Step::JudgeRefusal(_) | Step::SettledLook | Step::Verify(_) => self.on_look_in_vain(),
        }
    }

    /// Goes to a step and makes its call.
    pub(super) fn go(&mut self, step: Step) -> Effect {
        self.begin_step(step);
        self.send()
    }

    /// Goes to a step whose call is made later.
    pub(super) fn begin_step(&mut self, step: Step) {
        self.step = step;
        self.attempts = 0;
        self.failures = 0;
        self.status = None;
    }

    /// Makes the step's call once more.
    pub(super) fn send(&mut self) -> Effect {
        self.attempts += 1;
        match self.step {
            Step::Attach => Effect::SendIntended(self.step.call(), self.intend_attach()),
            Step::Remove => Effect::SendIntended(self.step.call(), self.intend_removal()),
            step => Effect::Send(step.call()),
        }
    }

    /// Takes back the count of an attempt that wasn't sent, or that the host didn't want to hear.
    pub(super) fn forget_attempt(&mut self) {
        self.attempts = self.attempts.saturating_sub(1);
    }

    /// Looks again later, in the same step: after half a second, doubling to five.
    pub(super) fn look_again(&self, deadline: Duration, now: Duration) -> Effect {
        let doubled =
            Duration::from_millis(500).saturating_mul(2_u32.saturating_pow(self.attempts.saturating_sub(1)));
        Effect::Wait(doubled.min(Duration::from_secs(5)).min(deadline.saturating_sub(now)))
    }

    /// The id of the credential that is to make way.
    pub(super) fn removing(&self) -> Option<CredentialId> {
        self.replacing.as_ref().and_then(|Replacing(id)| id.clone())
    }
}

/// How a row ends whose host isn't there.
const fn unavailable(service: Service) -> OutcomeCode {
    match service {
        Service::Stara => OutcomeCode::StaraUnavailable,
        Service::Leaf => OutcomeCode::LeafUnavailable,
    }
}
