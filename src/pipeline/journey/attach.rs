//! The attach, what its answer means, and seeing the credential at Leaf.

use std::time::Duration;

use super::machine::{Journey, OpenAttach};
use super::types::{Effect, Intending, Step};
use super::unknown::MOST_ATTACHES;
use crate::api::CallErrorKind;
use crate::model::{Credential, Health, Origin, OutcomeCode};

impl Journey {
    /// The intent of the attach that is about to be sent. One that surely wasn't processed is announced anew with the
    /// same count, so that the intent's age is never older than the attach it stands for.
    pub(super) fn intend_attach(&self) -> Intending {
        Intending {
            attaches: self.attaches_sent().saturating_add(1),
            over_nothing: self.over_nothing(),
            replacing: self.removed,
            removing: self.removing(),
        }
    }

    /// Takes note of an attach that may have taken effect.
    pub(super) fn open_attach(&mut self, acknowledged: bool, now: Duration) {
        self.has_attached = true;
        self.open = Some(OpenAttach {
            attaches: self.attaches_sent().saturating_add(1),
            acknowledged,
            over_nothing: self.over_nothing(),
            settled_at: now + self.rules.settle,
            reviewable: false,
            is_absent: false,
        });
    }

    fn attaches_sent(&self) -> u32 {
        self.open.as_ref().map_or(0, |open| open.attaches)
    }

    /// Whether the look before the first attach had shown no credential, so that one found later is ours.
    pub(super) fn over_nothing(&self) -> bool {
        self.open.as_ref().map_or(self.looked_absent, |open| open.over_nothing)
    }

    pub(super) fn on_attached(
        &mut self,
        status: u16,
        credential: Option<Credential>,
        now: Duration,
    ) -> Effect {
        self.status = Some(status);
        self.created = credential.and_then(|credential| credential.id);
        self.open_attach(true, now);
        self.go(Step::Verify(now + self.rules.verify_wait))
    }

    pub(super) fn on_attach_refused(&mut self, kind: CallErrorKind, now: Duration) -> Effect {
        let (code, message) = match kind {
            CallErrorKind::Refused => {
                // Until it is judged it counts as one that may have taken effect.
                self.open_attach(false, now);
                return self.go(Step::JudgeRefusal(self.status.unwrap_or_default()));
            }
            CallErrorKind::NotFound => {
                (OutcomeCode::LeafUserUnknown, "Leaf knows no user with this leafUserId")
            }
            CallErrorKind::Forbidden => {
                (OutcomeCode::LeafUserForbidden, "Leaf doesn't let this account attach to the user")
            }
            CallErrorKind::Unreachable(why) => return self.on_unreached(why),
            _ => (OutcomeCode::LeafUnexpectedAnswer, "Leaf answered the attach in an unknown way"),
        };
        self.give_up(code, message.into())
    }

    /// A refusal may mean that a credential is there already; what is there decides, never the body.
    pub(super) fn on_judged(&mut self, status: u16, found: Option<Credential>, now: Duration) -> Effect {
        let Some(credential) = found else {
            self.status = Some(status);
            self.open = None;
            return self.give_up(
                OutcomeCode::LeafCredentialsRefused,
                "Leaf refused the credential, and none is there".into(),
            );
        };
        if self.over_nothing() || self.known(&credential).is_some_and(|known| known.ours) {
            return self.on_recovered(credential, now);
        }
        self.status = Some(status);
        self.seen = Some(credential);
        self.exists("Leaf refused the credential, because the user holds another one")
    }

    pub(super) fn on_verify(
        &mut self,
        found: Option<Credential>,
        deadline: Duration,
        now: Duration,
    ) -> Effect {
        let is_over = now >= deadline;
        // A look that lags behind may still show the old credential.
        let Some(mut credential) = found.filter(|credential| !self.was_removed(credential)) else {
            self.status = Some(404);
            return if is_over { self.not_to_be_seen() } else { self.look_again(deadline, now) };
        };
        self.status = Some(200);
        if self.is_of_earlier_login() {
            return self.on_earlier_login(credential);
        }
        let is_another = self.created.is_some() && credential.id.is_some() && self.created != credential.id;
        credential.id = credential.id.or_else(|| self.created.clone());
        let health = credential.health();
        let was_ours = self.known(&credential).is_some_and(|known| known.ours);
        let ours = was_ours || (!is_another && (self.created.is_some() || self.over_nothing()));
        self.seen = Some(credential);
        match health {
            Health::Healthy if !is_another => self.attached(OutcomeCode::Attached, self.origin(), ours),
            _ if !is_over => self.look_again(deadline, now),
            _ if is_another => self.exists("Leaf took our attach, but shows another credential"),
            _ => self.unhealthy(ours),
        }
    }

    /// Ends the row with an attach that Leaf took and doesn't show. The next run only looks; when it looks in vain, too,
    /// later runs judge by the attach's age, as if it had been sent twice.
    fn not_to_be_seen(&mut self) -> Effect {
        let has_been_looked_for = self.start.intent.as_ref().is_some_and(|prior| prior.acknowledged);
        if let Some(open) = self.open.as_mut().filter(|_| has_been_looked_for) {
            (open.acknowledged, open.attaches) = (false, open.attaches.max(MOST_ATTACHES));
        }
        self.unconfirmed(
            "Leaf took the attach, but the credential wasn't to be seen within --verify-wait".into(),
        )
    }

    /// Whether Leaf answered the attach, or a later look found what it did.
    fn origin(&self) -> Origin {
        if self.is_recovered { Origin::Recovered } else { Origin::Created }
    }
}
