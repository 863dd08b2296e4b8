//! How a row ends, and what stays open for the next run.

use super::machine::Journey;
use super::types::{Effect, Finish, Intending, KeptIntent, Message};
use crate::model::{Origin, Outcome, OutcomeCode};

impl Journey {
    /// Ends the row with its credential attached.
    pub(super) fn attached(&mut self, code: OutcomeCode, origin: Origin, ours: bool) -> Effect {
        let origin = if self.removed { Origin::Replaced } else { origin };
        let message = if self.has_attached { "" } else { self.start.changed.note() };
        self.finish(code, Some(origin), ours, None, message.into())
    }

    /// Ends the row with an attach in the open: the next run looks first.
    pub(super) fn unconfirmed(&mut self, message: Message) -> Effect {
        let kept = self.kept_attach();
        self.finish(OutcomeCode::AttachUnconfirmed, None, false, Some(kept), message)
    }

    /// The open attaches as an intent that stays open.
    pub(super) fn kept_attach(&self) -> KeptIntent {
        let intending = Intending {
            attaches: self.open.as_ref().map_or(1, |open| open.attaches),
            over_nothing: self.over_nothing(),
            replacing: self.removed,
            removing: self.removing(),
        };
        KeptIntent { intending, acknowledged: self.open.as_ref().is_some_and(|open| open.acknowledged) }
    }

    /// Ends the row with `code`, unless something is in the open that matters more: an attach or a deletion that may take
    /// effect, or a credential that was deleted to be replaced.
    pub(super) fn give_up(&mut self, code: OutcomeCode, message: Message) -> Effect {
        if self.open.as_ref().is_some_and(|open| !open.is_absent) {
            return self.unconfirmed(message);
        }
        let removal = || KeptIntent { intending: self.intend_removal(), acknowledged: false };
        let in_the_open = self.removed.then(removal).or_else(|| self.unjudged.take());
        if let Some(kept) = in_the_open {
            let code = OutcomeCode::of_open(kept.intending.attaches, kept.intending.replacing);
            return self.finish(code, None, false, Some(kept), message);
        }
        self.finish(code, None, false, None, message)
    }

    /// Ends the row.
    pub(super) fn finish(
        &mut self,
        code: OutcomeCode,
        origin: Option<Origin>,
        ours: bool,
        keep_intent: Option<KeptIntent>,
        message: Message,
    ) -> Effect {
        let outcome = Outcome {
            code,
            origin,
            stage: self.step.stage(),
            http_status: self.status,
            attempts: self.attempts,
            credential: self.seen.take(),
            message,
        };
        Effect::Finish(Box::new(Finish {
            outcome,
            ours,
            keep_intent,
            earlier: self.earlier.take(),
            refused: false,
        }))
    }
}
