//! The attach whose result nobody knows. Good news is fast; only proving a negative waits.

use std::time::Duration;

use super::machine::Journey;
use super::types::{Effect, Step};
use crate::api::CallErrorKind;
use crate::http::Trouble;
use crate::model::{Credential, OutcomeCode};

/// How long after a lost reply Leaf is looked at for the first time.
const FIRST_LOOK_AFTER: Duration = Duration::from_secs(2);

/// How many attaches with unknown results are sent before somebody has to look into it.
pub(super) const MOST_ATTACHES: u32 = 2;

impl Journey {
    pub(super) fn on_attach_unknown(&mut self, now: Duration) -> Effect {
        self.open_attach(false, now);
        // Waiting makes the call of the step when it is over.
        self.rest_until_look(Step::FirstLook, Effect::Wait(FIRST_LOOK_AFTER))
    }

    pub(super) fn on_first_look(&mut self, found: Option<Credential>, now: Duration) -> Effect {
        if let Some(credential) = found.filter(|credential| !self.was_removed(credential)) {
            return self.on_recovered(credential, now);
        }
        match self.unsettled_for(now) {
            Some(rest) => self.rest_until_look(Step::SettledLook, Effect::Park(rest)),
            // It settled while the look was under way: what the look shows may be from before.
            None if self.unsettled_for(self.asked_at).is_some() => self.go(Step::SettledLook),
            // An intent of an earlier run, long settled: this look is the one that counts.
            None => self.on_settled_look(None, now),
        }
    }

    /// A first look that failed proves nothing, and spares nothing: the one that counts is still to come, unless Leaf
    /// would answer it the same way.
    pub(super) fn on_first_look_refused(&mut self, kind: CallErrorKind, now: Duration) -> Effect {
        match self.unsettled_for(now) {
            Some(rest) if kind.trouble() != Trouble::Final => {
                self.rest_until_look(Step::SettledLook, Effect::Park(rest))
            }
            _ => self.on_look_in_vain(),
        }
    }

    /// Ends the row when Leaf can't be asked what became of the attach.
    pub(super) fn on_look_in_vain(&mut self) -> Effect {
        self.unconfirmed("the attach may have taken effect, and Leaf couldn't be asked whether it did".into())
    }

    /// How long the last attach takes to settle at a time; `None` when it had.
    fn unsettled_for(&self, at: Duration) -> Option<Duration> {
        let settled_at = self.open.as_ref()?.settled_at;
        settled_at.checked_sub(at).filter(|rest| !rest.is_zero())
    }

    pub(super) fn on_settled_look(&mut self, found: Option<Credential>, now: Duration) -> Effect {
        match found {
            Some(credential) if self.was_removed(&credential) => {
                self.seen = Some(credential);
                return self.exists("the credential that was deleted is there again");
            }
            Some(credential) => return self.on_recovered(credential, now),
            None => self.status = Some(404),
        }
        let Some(open) = &mut self.open else {
            return self.give_up(OutcomeCode::Internal, "a look without an attach to look for".into());
        };
        // The first absence after a lost reply allows one more attach; after that it takes an age at which nothing can
        // still be under way.
        if open.attaches >= MOST_ATTACHES && !open.reviewable {
            let kept = Some(self.kept_attach());
            let message = "the attach was sent twice, and the credential is not to be seen".into();
            return self.finish(OutcomeCode::NeedsReview, None, false, kept, message);
        }
        (open.is_absent, open.over_nothing, open.reviewable) = (true, true, false);
        self.go_and_attach()
    }

    /// The credential is there after all.
    pub(super) fn on_recovered(&mut self, credential: Credential, now: Duration) -> Effect {
        let deadline = now + self.rules.verify_wait;
        self.step = Step::Verify(deadline);
        self.is_recovered = true;
        if let Some(open) = &mut self.open {
            // What was seen was processed, whatever a later look shows.
            open.acknowledged = true;
        }
        self.on_verify(Some(credential), deadline, now)
    }

    /// Rests before a step's first call.
    pub(super) fn rest_until_look(&mut self, step: Step, rest: Effect) -> Effect {
        self.begin_step(step);
        rest
    }
}
