//! Services without faults, on which a row's journey is played through.

use std::time::Duration;

use crate::api::{CallError, CallErrorKind, UserLook};
use crate::model::{Credential, Service, Sight};
use crate::pipeline::journey::{Answer, Call, Effect, Event, Finish, Journey, JourneyRules, JourneyStart};

/// The most effects of one journey. None comes near it: it is there so that a defect doesn't play for ever.
const MOST_EFFECTS: u32 = 10_000;

/// What each service would be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Calls {
    /// Requests to Stara.
    pub stara: u64,
    /// Requests to Leaf.
    pub leaf: u64,
    /// Logins and passwords put to Stara, which are among its requests.
    pub stara_logins: u64,
}

impl Calls {
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            stara: self.stara + other.stara,
            leaf: self.leaf + other.leaf,
            stara_logins: self.stara_logins + other.stara_logins,
        }
    }

    /// The requests to a service.
    #[must_use]
    pub const fn of(self, service: Service) -> u64 {
        match service {
            Service::Stara => self.stara,
            Service::Leaf => self.leaf,
        }
    }
}

/// How Stara would take a row's login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoginFate {
    /// It is put to Stara, and accepted.
    Accepted,
    /// Another row's apiKey is shared.
    Shared,
    /// Stara is known to refuse it, so that it isn't put to it.
    Refused,
}

/// What the row's user is taken to hold, and how the run would take the row.
#[derive(Debug, Clone)]
pub(super) struct Imagined {
    /// What Leaf holds.
    pub(super) sight: Sight,
    /// Whether a look at the user leaves something open, so that it takes a second call.
    pub(super) is_incomplete: bool,
    /// How Stara takes the login.
    pub(super) login: LoginFate,
    /// Whether one more credential may be replaced; `None` where the fingerprint key is lost.
    pub(super) may_change: Option<bool>,
}

/// How a journey would go.
#[derive(Debug)]
pub(super) struct Played {
    /// How it would end.
    pub(super) finish: Finish,
    /// What would be asked on the way.
    pub(super) calls: Calls,
    /// Whether it would delete a credential.
    pub(super) removes: bool,
    /// Whether it would attach one.
    pub(super) attaches: bool,
    /// Whether it would replace one if it might.
    pub(super) claims: bool,
}

impl Imagined {
    /// Plays a row's journey to its end; `None` when it comes to none, which is a defect.
    pub(super) fn play(mut self, rules: JourneyRules, start: JourneyStart) -> Option<Played> {
        let mut journey = Journey::new(rules, start);
        let (mut now, mut event) = (Duration::ZERO, Event::Begun);
        let (mut calls, mut removes, mut attaches, mut claims) = (Calls::default(), false, false, false);
        for _ in 0..MOST_EFFECTS {
            event = match journey.on(event, now) {
                Effect::Send(call) | Effect::SendIntended(call, _) => {
                    removes |= call == Call::Remove;
                    attaches |= call == Call::Attach;
                    self.answer(call, &mut calls)
                }
                Effect::ClaimChange => {
                    claims = true;
                    self.may_change.map_or(Event::KeyLost, Event::ChangeClaimed)
                }
                Effect::Backoff(time) | Effect::Wait(time) | Effect::Park(time) => {
                    now += time;
                    Event::Woken
                }
                Effect::Finish(finish) => {
                    return Some(Played { finish: *finish, calls, removes, attaches, claims });
                }
                // No run leaves a row so.
                Effect::Leave(_) => return None,
            };
        }
        None
    }

    /// The answer to a call, which is counted where it would be sent.
    fn answer(&mut self, call: Call, calls: &mut Calls) -> Event {
        match (call, self.login) {
            (Call::Authenticate, LoginFate::Refused) => return failed(CallErrorKind::LoginRejected, None),
            (Call::Authenticate, LoginFate::Shared) => return Event::Answered(Answer::Kept),
            (Call::Authenticate, LoginFate::Accepted) => calls.stara_logins += 1,
            _ => {}
        }
        match call.service() {
            Service::Stara => calls.stara += 1,
            Service::Leaf => calls.leaf += 1,
        }
        match call {
            Call::Authenticate | Call::Token | Call::SaveEvents => Event::Answered(Answer::Kept),
            Call::LookUser => self.user(),
            Call::LookCredential => match &self.sight {
                Sight::Forbidden => failed(CallErrorKind::Forbidden, Some(403)),
                Sight::Credential(credential) => {
                    Event::Answered(Answer::Credential(Some(credential.clone())))
                }
                Sight::NoCredential | Sight::UnknownUser => Event::Answered(Answer::Credential(None)),
            },
            Call::Remove => {
                self.sight = Sight::NoCredential;
                Event::Answered(Answer::Removed(204))
            }
            Call::Attach => self.attach(),
        }
    }

    fn user(&self) -> Event {
        let look = match &self.sight {
            Sight::UnknownUser => return failed(CallErrorKind::NotFound, Some(404)),
            Sight::Forbidden if !self.is_incomplete => return failed(CallErrorKind::Forbidden, Some(403)),
            _ if self.is_incomplete => UserLook::Incomplete,
            Sight::Credential(credential) if credential.id.is_some() && credential.status.is_some() => {
                UserLook::Credential(credential.clone())
            }
            Sight::Credential(_) => UserLook::Incomplete,
            Sight::NoCredential | Sight::Forbidden => UserLook::NoCredential,
        };
        Event::Answered(Answer::User(look))
    }

    fn attach(&mut self) -> Event {
        match self.sight {
            Sight::UnknownUser => failed(CallErrorKind::NotFound, Some(404)),
            Sight::Forbidden => failed(CallErrorKind::Forbidden, Some(403)),
            Sight::Credential(_) => failed(CallErrorKind::Refused, Some(409)),
            Sight::NoCredential => {
                let made = Credential::new(Some(NEW), Some("OK"));
                self.sight = Sight::Credential(made.clone());
                Event::Answered(Answer::Attached(201, Some(made)))
            }
        }
    }
}

/// The id of a credential that doesn't exist yet: none that Leaf gives.
const NEW: &str = "to be made";

fn failed(kind: CallErrorKind, status: Option<u16>) -> Event {
    Event::Failed(CallError { kind, status, retry_after: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OutcomeCode;
    use crate::pipeline::journey::{KnownCredential, OnExisting, PriorIntent};

    fn rules(precheck: bool, on_existing: OnExisting) -> JourneyRules {
        let policy = crate::http::RetryPolicy::with_attempts(3);
        let minute = Duration::from_secs(60);
        JourneyRules {
            precheck,
            on_existing,
            verify_wait: minute,
            settle: minute,
            review_after: 15 * minute,
            row_deadline: 15 * minute,
            stara: policy,
            leaf: policy,
        }
    }

    fn imagined(sight: Sight) -> Imagined {
        Imagined { sight, is_incomplete: false, login: LoginFate::Accepted, may_change: Some(true) }
    }

    fn credential(status: &str) -> Sight {
        Sight::Credential(Credential::new(Some("there"), Some(status)))
    }

    fn play(imagined: Imagined, rules: JourneyRules, start: JourneyStart) -> (OutcomeCode, Calls) {
        let played = imagined.play(rules, start).unwrap();
        (played.finish.outcome.code, played.calls)
    }

    fn calls(stara: u64, leaf: u64, stara_logins: u64) -> Calls {
        Calls { stara, leaf, stara_logins }
    }

    #[test]
    fn a_new_row_costs_two_calls_at_stara_and_a_look_an_attach_and_a_look_at_leaf() {
        let keep = rules(true, OnExisting::Keep);
        let played = play(imagined(Sight::NoCredential), keep, JourneyStart::default());
        assert_eq!(played, (OutcomeCode::Attached, calls(2, 3, 1)));
        let blind = rules(false, OnExisting::Keep);
        let played = play(imagined(Sight::NoCredential), blind, JourneyStart::default());
        assert_eq!(played, (OutcomeCode::Attached, calls(2, 2, 1)));
        let shared = Imagined { login: LoginFate::Shared, ..imagined(Sight::NoCredential) };
        assert_eq!(play(shared, keep, JourneyStart::default()).1, calls(1, 3, 0));
    }

    #[test]
    fn what_ends_with_the_look_costs_nothing_else() {
        let keep = rules(true, OnExisting::Keep);
        for (sight, code) in [
            (credential("OK"), OutcomeCode::AlreadyAttached),
            (credential("invalid"), OutcomeCode::CredentialUnhealthy),
            (Sight::UnknownUser, OutcomeCode::LeafUserUnknown),
            (Sight::Forbidden, OutcomeCode::LeafUserForbidden),
        ] {
            assert_eq!(play(imagined(sight), keep, JourneyStart::default()), (code, calls(0, 1, 0)));
        }
        let incomplete = Imagined { is_incomplete: true, ..imagined(credential("OK")) };
        let played = play(incomplete, keep, JourneyStart::default());
        assert_eq!(played, (OutcomeCode::AlreadyAttached, calls(0, 2, 0)));
    }

    #[test]
    fn a_replacement_costs_seven_calls_at_leaf_and_none_but_the_look_where_it_may_not_be() {
        let start = JourneyStart {
            known: Some(KnownCredential {
                id: crate::model::CredentialId::new("there").unwrap(),
                origin: None,
                ours: true,
            }),
            login_changed: true,
            ..JourneyStart::default()
        };
        let keep = rules(true, OnExisting::Keep);
        let played = play(imagined(credential("OK")), keep, start.clone());
        assert_eq!(played, (OutcomeCode::Attached, calls(2, 7, 1)));
        for may_change in [Some(false), None] {
            let bounded = Imagined { may_change, ..imagined(credential("OK")) };
            assert_eq!(play(bounded, keep, start.clone()), (OutcomeCode::NotReached, calls(0, 1, 0)));
        }
        let replace = rules(true, OnExisting::Replace);
        let played = play(imagined(credential("invalid")), replace, JourneyStart::default());
        assert_eq!(played, (OutcomeCode::Attached, calls(2, 7, 1)));
        let refused = Imagined { login: LoginFate::Refused, ..imagined(credential("invalid")) };
        let played = play(refused, replace, JourneyStart::default());
        assert_eq!(played, (OutcomeCode::StaraLoginRejected, calls(0, 1, 0)));
    }

    #[test]
    fn an_open_attach_is_settled_before_it_is_sent_again() {
        let start = JourneyStart {
            intent: Some(PriorIntent {
                age: Some(Duration::from_secs(1)),
                attaches: 1,
                acknowledged: false,
                over_nothing: true,
                replacing: false,
                removing: None,
                other_login: false,
            }),
            ..JourneyStart::default()
        };
        let keep = rules(true, OnExisting::Keep);
        assert_eq!(play(imagined(credential("OK")), keep, start.clone()).1, calls(0, 1, 0));
        assert_eq!(
            play(imagined(Sight::NoCredential), keep, start),
            (OutcomeCode::Attached, calls(2, 4, 1)),
            "two looks, then the attach and its look"
        );
    }
}
