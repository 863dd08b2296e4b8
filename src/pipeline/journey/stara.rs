//! Login, password and tokens. They are in memory only: after a crash they are simply got again.

use super::machine::Journey;
use super::types::{Effect, Step};
use crate::api::CallErrorKind;
use crate::model::OutcomeCode;

impl Journey {
    pub(super) fn on_tokens(&mut self) -> Effect {
        self.has_tokens = true;
        let is_in_the_way = self.replacing.is_some() && !self.removed;
        self.go(if is_in_the_way { Step::SaveEvents } else { Step::Attach })
    }

    /// Goes on to the attach, by way of the tokens where there are none yet.
    pub(super) fn go_and_attach(&mut self) -> Effect {
        self.go(if self.has_tokens { Step::Attach } else { Step::Authenticate })
    }

    pub(super) fn on_login_refused(&mut self, kind: CallErrorKind) -> Effect {
        if kind != CallErrorKind::LoginRejected {
            return self.on_stara_failed(kind);
        }
        if self.status.is_none() {
            // It was remembered, and nothing was sent.
            self.forget_attempt();
        }
        let mut effect =
            self.give_up(OutcomeCode::StaraLoginRejected, "Stara refused this login and password".into());
        if let Effect::Finish(finish) = &mut effect {
            finish.refused = true;
        }
        effect
    }

    pub(super) fn on_token_refused(&mut self, kind: CallErrorKind) -> Effect {
        let about_the_key = matches!(kind, CallErrorKind::Unauthorized | CallErrorKind::Forbidden);
        if about_the_key && !self.token_refused {
            // The apiKey may have been renewed between the two calls; it is never the login that is at fault here.
            self.token_refused = true;
            return self.go(Step::Authenticate);
        }
        self.on_stara_failed(kind)
    }

    fn on_stara_failed(&mut self, kind: CallErrorKind) -> Effect {
        let (code, message) = match kind {
            CallErrorKind::Unreachable(why) => return self.on_unreached(why),
            CallErrorKind::NoAnswer => (OutcomeCode::StaraUnavailable, "Stara gave no answer in time"),
            CallErrorKind::CutOff => (OutcomeCode::StaraUnavailable, "Stara's answer didn't come to its end"),
            CallErrorKind::ServerError => {
                (OutcomeCode::StaraUnavailable, "Stara answered with a server error")
            }
            _ if self.step == Step::Token => (
                OutcomeCode::StaraUnexpectedAnswer,
                "Stara took the login, but its answer to /token is no set of tokens",
            ),
            _ => (
                OutcomeCode::StaraUnexpectedAnswer,
                "Stara's answer to /autenticacao is neither an apiKey nor a refusal of this login",
            ),
        };
        self.give_up(code, message.into())
    }
}
