//! Replacing a credential: the new tokens in hand first, then the old one deleted, seen gone, and the new one attached.

use std::time::Duration;

use super::machine::{Journey, Replacing};
use super::types::{Effect, Intending, KnownCredential, OnExisting, Step};
use crate::api::CallErrorKind;
use crate::model::{Credential, Health, Origin, OutcomeCode};

/// How often a deletion is sent in one run.
const MOST_REMOVALS: u32 = 2;

impl Journey {
    /// Asks whether this credential may be replaced within the run's bound.
    pub(super) fn claim(&mut self, credential: &Credential) -> Effect {
        self.replacing = Some(Replacing(credential.id.clone()));
        self.step = Step::Claim;
        Effect::ClaimChange
    }

    pub(super) fn on_change_claimed(&mut self) -> Effect {
        self.go(if self.is_detaching() { Step::SaveEvents } else { Step::Authenticate })
    }

    pub(super) fn on_change_refused(&mut self, why: &'static str) -> Effect {
        self.replacing = None;
        if self.is_detaching() {
            return Effect::Leave(format!("the credential is to be taken away, but {why}").into());
        }
        let message = format!("the credential is to be replaced, but {why}").into();
        if self.rules.on_existing == OnExisting::Repair && self.start.intent.is_none() {
            return Effect::Leave(message);
        }
        self.finish(OutcomeCode::NotReached, None, false, None, message)
    }

    /// Goes on with a deletion that an earlier run announced. Its result is unknown until it has settled; the look
    /// comes before the tokens, so that no login is spent on what can't be completed.
    pub(super) fn resume_removal(&mut self, settled_at: Duration, now: Duration) -> Effect {
        match settled_at.checked_sub(now).filter(|rest| !rest.is_zero()) {
            Some(rest) => self.rest_until_look(Step::SettledRemoval, Effect::Park(rest)),
            None => self.go(Step::SettledRemoval),
        }
    }

    pub(super) fn intend_removal(&self) -> Intending {
        Intending {
            attaches: 0,
            over_nothing: self.takes_back || (self.earlier.is_some() && !self.looked_absent),
            replacing: !self.is_detaching(),
            removing: self.removing(),
        }
    }

    pub(super) fn on_before_removal(&mut self, found: Option<Credential>) -> Effect {
        match found {
            None => {
                self.replacing = None;
                self.on_gone()
            }
            Some(credential) if !self.is_to_be_replaced(&credential) => self.on_exchanged(credential),
            Some(credential) if self.is_repaired_by_itself(&credential) => {
                self.replacing = None;
                self.on_precheck(Some(credential))
            }
            Some(_) => self.go(Step::Remove),
        }
    }

    /// Whether a credential that was to be repaired has become healthy meanwhile.
    fn is_repaired_by_itself(&self, credential: &Credential) -> bool {
        self.rules.on_existing == OnExisting::Repair && credential.health() == Health::Healthy
    }

    pub(super) fn on_removed(&mut self, status: u16, now: Duration) -> Effect {
        self.status = Some(status);
        self.removed = true;
        self.seen = None;
        self.go(Step::AfterRemoval(now + self.rules.verify_wait))
    }

    pub(super) fn on_after_removal(
        &mut self,
        found: Option<Credential>,
        deadline: Duration,
        now: Duration,
    ) -> Effect {
        match found {
            None => self.on_gone(),
            Some(credential) if !self.is_to_be_replaced(&credential) => self.on_exchanged(credential),
            Some(_) if now < deadline => self.look_again(deadline, now),
            Some(_) => self.give_up(
                OutcomeCode::LeafUnexpectedAnswer,
                "Leaf confirmed the deletion, but still shows the credential".into(),
            ),
        }
    }

    /// A deletion with an unknown result: nothing is attached before it can no longer take effect.
    pub(super) fn on_removal_unknown(&mut self) -> Effect {
        self.removed = true;
        self.removals += 1;
        self.rest_until_look(Step::SettledRemoval, Effect::Park(self.rules.settle))
    }

    pub(super) fn on_settled_removal(&mut self, found: Option<Credential>) -> Effect {
        let Some(credential) = found else {
            return self.on_gone();
        };
        if !self.is_to_be_replaced(&credential) {
            return self.on_exchanged(credential);
        }
        // It has settled without effect: the old credential is as it was.
        self.removed = false;
        if !self.has_tokens && !self.is_detaching() {
            // An earlier run meant to replace it. Whether it is still to be replaced, this run's row and rules say.
            self.replacing = None;
            self.begin_step(Step::Precheck);
            self.recall_earlier(&credential);
            return self.on_precheck(Some(credential));
        }
        if self.removals < MOST_REMOVALS {
            return self.go(Step::Remove);
        }
        self.seen = Some(credential);
        let message = "the deletion of the credential had no effect; it is still there".into();
        self.finish(OutcomeCode::LeafUnavailable, None, false, None, message)
    }

    /// Takes up what the run that announced the deletion had learned and couldn't record any more: that the credential is
    /// ours, left by an attach with an earlier login. The intent has that attach's login.
    fn recall_earlier(&mut self, credential: &Credential) {
        let Some(prior) = self.start.intent.as_ref().filter(|prior| prior.over_nothing) else { return };
        let Some(id) = credential.id.clone().filter(|_| self.known(credential).is_none()) else { return };
        self.start.login_changed = prior.other_login;
        self.earlier = Some(id.clone());
        self.start.known = Some(KnownCredential { id, origin: Some(Origin::Recovered), ours: true });
    }

    /// The old credential is gone, and nothing stands in its place.
    fn on_gone(&mut self) -> Effect {
        self.looked_absent = true;
        self.seen = None;
        self.status = Some(404);
        if self.is_detaching() { self.detached() } else { self.go_and_attach() }
    }

    /// Somebody else attached a credential in the place of the old one.
    fn on_exchanged(&mut self, credential: Credential) -> Effect {
        self.seen = Some(credential);
        self.exists("another credential was attached while the one that was found was being deleted")
    }

    pub(super) fn on_removal_refused(&mut self, kind: CallErrorKind) -> Effect {
        // Nobody knows what such an answer means, and nothing else would tell that the user is to hold none.
        self.removed |= self.is_detaching() && kind == CallErrorKind::Unexpected;
        // Refused or never processed: the old credential is as it was.
        let (code, message) = match kind {
            CallErrorKind::Forbidden => {
                (OutcomeCode::LeafUserForbidden, "Leaf doesn't let this account delete the credential")
            }
            CallErrorKind::Unreachable(why) => return self.on_unreached(why),
            _ => (OutcomeCode::LeafUnexpectedAnswer, "Leaf answered the deletion in an unknown way"),
        };
        self.give_up(code, message.into())
    }

    /// Whether this is the credential that was deleted, shown by a look that lags behind.
    pub(super) fn was_removed(&self, credential: &Credential) -> bool {
        self.removed && credential.id.is_some() && credential.id == self.removing()
    }

    fn is_to_be_replaced(&self, credential: &Credential) -> bool {
        match &self.replacing {
            Some(Replacing(Some(id))) => credential.id.as_ref() == Some(id),
            // The one that was found had no id to tell it by.
            Some(Replacing(None)) => credential.id.is_none(),
            None => false,
        }
    }
}
