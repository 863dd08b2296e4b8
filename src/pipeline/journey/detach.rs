//! Taking a credential away (`detach`): only what is ours, seen first, deleted, and seen gone. And what such a deletion
//! means to any later run when it was left open: nothing is decided before it has settled.

use std::time::Duration;

use super::machine::Journey;
use super::types::{Effect, Goal, Intending, KeptIntent, KnownCredential, PriorIntent, Step};
use crate::model::{Credential, Origin, OutcomeCode};

impl PriorIntent {
    /// Whether it announces a deletion after which nothing is to take the credential's place.
    pub(super) const fn is_detachment(&self) -> bool {
        self.attaches == 0 && !self.replacing
    }

    /// Whether a credential that is found now can only be one that was announced to be attached, so that it is ours.
    fn proves_ours(&self, credential: &Credential) -> bool {
        let is_the_one = credential.id == self.removing;
        // A deletion says of what it deletes whether that is ours, and an attach of whatever wasn't deleted before it.
        let is_meant = if self.attaches == 0 { is_the_one } else { !self.replacing || !is_the_one };
        self.over_nothing && is_meant
    }
}

impl Journey {
    /// Whether the user is to lose its credential.
    pub(super) const fn is_detaching(&self) -> bool {
        matches!(self.start.goal, Goal::Detached { .. })
    }

    /// Lets what an earlier run announced settle first, and then a look decide.
    pub(super) fn resume_unjudged(
        &mut self,
        prior: &PriorIntent,
        settled_at: Duration,
        now: Duration,
    ) -> Effect {
        let intending = Intending {
            attaches: prior.attaches,
            over_nothing: prior.over_nothing,
            replacing: prior.replacing,
            removing: prior.removing.clone(),
        };
        self.unjudged = Some(KeptIntent { intending, acknowledged: prior.acknowledged });
        match settled_at.checked_sub(now).filter(|rest| !rest.is_zero()) {
            Some(rest) => self.rest_until_look(Step::Precheck, Effect::Park(rest)),
            None => self.go(Step::Precheck),
        }
    }

    /// What the look before a deletion shows.
    pub(super) fn on_look_to_detach(&mut self, found: Option<Credential>) -> Effect {
        self.unjudged = None;
        let Some(credential) = found else { return self.detached() };
        self.status = Some(200);
        self.seen = Some(credential.clone());
        let is_known = self.known(&credential).is_some_and(|known| known.ours);
        self.takes_back = !is_known && self.is_proved_ours(&credential);
        if self.takes_back {
            self.earlier.clone_from(&credential.id);
        }
        if is_known || self.takes_back || self.start.goal == (Goal::Detached { include_foreign: true }) {
            return self.claim(&credential);
        }
        self.exists("the user holds a credential that isn't ours; it was left alone")
    }

    /// What the look of a run shows that meets the open deletion of a `detach`: without a credential there is nothing to
    /// go on with, for it was to be taken away.
    pub(super) fn on_look_at_detachment(&mut self, found: Option<Credential>) -> Effect {
        self.unjudged = None;
        let Some(credential) = found else { return self.detached() };
        if let Some(id) = credential.id.clone().filter(|_| self.is_proved_ours(&credential)) {
            // However the row ends, the proof outlives the intent.
            self.earlier = Some(id.clone());
            self.start.known = Some(KnownCredential { id, origin: Some(Origin::Recovered), ours: true });
        }
        self.on_precheck(Some(credential))
    }

    /// Ends the row whose user Leaf doesn't know. In a run an open deletion stays open: should the user come back, nothing
    /// may be attached because of it.
    pub(super) fn on_user_unknown(&mut self) -> Effect {
        let kept = self.unjudged.take().filter(|_| !self.is_detaching());
        let message = "Leaf knows no user with this leafUserId".into();
        self.finish(OutcomeCode::LeafUserUnknown, None, false, kept, message)
    }

    /// Ends the row without a credential.
    pub(super) fn detached(&mut self) -> Effect {
        self.seen = None;
        self.earlier = None;
        let message = if self.removed { "" } else { "the user held no credential any more" };
        self.finish(OutcomeCode::Detached, None, false, None, message.into())
    }

    fn is_proved_ours(&self, credential: &Credential) -> bool {
        self.start.intent.as_ref().is_some_and(|prior| prior.proves_ours(credential))
    }
}
