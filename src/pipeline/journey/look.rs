//! The look at Leaf before anything is spent.

use super::machine::Journey;
use super::types::{Effect, KnownCredential, OnExisting, Step};
use crate::api::{CallErrorKind, UserLook};
use crate::model::{Credential, Health, Origin, OutcomeCode};

impl Journey {
    pub(super) fn on_user(&mut self, look: UserLook) -> Effect {
        self.status = Some(200);
        match look {
            // A user's object that embeds none is no proof that there is none to be taken away, or that it is gone.
            UserLook::NoCredential if self.is_detaching() || self.unjudged.is_some() => {
                self.go(Step::PrecheckCredential)
            }
            UserLook::NoCredential => self.on_looked(None),
            UserLook::Credential(credential) => self.on_looked(Some(credential)),
            UserLook::Incomplete => self.go(Step::PrecheckCredential),
        }
    }

    /// What the first look at the user comes to, by what the row is to come to.
    pub(super) fn on_looked(&mut self, found: Option<Credential>) -> Effect {
        if self.is_detaching() {
            self.on_look_to_detach(found)
        } else if self.unjudged.is_some() {
            self.on_look_at_detachment(found)
        } else {
            self.on_precheck(found)
        }
    }

    pub(super) fn on_precheck(&mut self, found: Option<Credential>) -> Effect {
        if self.rules.on_existing == OnExisting::Repair {
            return self.on_repair(found);
        }
        let Some(credential) = found else {
            self.looked_absent = true;
            return self.go(Step::Authenticate);
        };
        self.status = Some(200);
        self.seen = Some(credential.clone());
        let known = self.known(&credential);
        if self.start.login_changed {
            return match known {
                Some(known) if known.ours => self.claim(&credential),
                _ => self.exists("the login changed, but the credential at Leaf isn't the one we attached"),
            };
        }
        let is_ours = known.as_ref().is_some_and(|known| known.ours);
        match (self.rules.on_existing, credential.health()) {
            (OnExisting::Replace, _) => self.claim(&credential),
            // An earlier run attached ours, and didn't see it become healthy in time.
            (OnExisting::Fail, _) if !is_ours => self.exists("the user holds a Stara credential already"),
            (_, Health::Unhealthy) => self.unhealthy(is_ours),
            (_, Health::Healthy) => match known {
                Some(known) if known.ours => {
                    self.attached(OutcomeCode::Attached, known.origin.unwrap_or(Origin::Created), true)
                }
                _ => self.attached(OutcomeCode::AlreadyAttached, Origin::Found, false),
            },
        }
    }

    /// What an audit found may have changed since: only what is still ours and unhealthy makes way.
    fn on_repair(&mut self, found: Option<Credential>) -> Effect {
        self.status = Some(200);
        let Some(credential) = found else {
            return self.leave("the credential is gone since the audit saw it; a run attaches a new one");
        };
        self.seen = Some(credential.clone());
        let Some(known) = self.known(&credential).filter(|known| known.ours) else {
            const NOT_OURS: &str = "the credential at Leaf isn't the one we attached, and is left alone";
            return if self.start.intent.is_some() { self.exists(NOT_OURS) } else { self.leave(NOT_OURS) };
        };
        match credential.health() {
            Health::Unhealthy => self.claim(&credential),
            Health::Healthy if self.start.login_changed => {
                self.leave("the credential is healthy again, but the login changed; a run replaces it")
            }
            Health::Healthy => {
                self.attached(OutcomeCode::Attached, known.origin.unwrap_or(Origin::Created), true)
            }
        }
    }

    /// Leaves the row to a later run: as it stands, unless something was open that is settled now.
    pub(super) fn leave(&mut self, message: &'static str) -> Effect {
        if self.start.intent.is_none() {
            return Effect::Leave(message.into());
        }
        self.finish(OutcomeCode::NotReached, None, false, None, message.into())
    }

    /// Whether a credential that is found now can only be what was announced when the row had another login.
    pub(super) fn is_of_earlier_login(&self) -> bool {
        !self.has_attached && self.start.intent.as_ref().is_some_and(|prior| prior.other_login)
    }

    /// An attach of an earlier run took effect, with a login that the row has no longer: the row stands where it would if
    /// that run had seen the credential, and the login had changed afterwards.
    pub(super) fn on_earlier_login(&mut self, credential: Credential) -> Effect {
        let ours = self.over_nothing() || self.known(&credential).is_some_and(|known| known.ours);
        (self.open, self.replacing, self.removed, self.is_recovered) = (None, None, false, false);
        self.begin_step(Step::Precheck);
        if let Some(id) = credential.id.clone().filter(|_| ours) {
            self.earlier = Some(id.clone());
            self.start.known = Some(KnownCredential { id, origin: Some(Origin::Recovered), ours });
            self.start.login_changed = true;
        }
        self.on_precheck(Some(credential))
    }

    /// What the ledger knows of this very credential.
    pub(super) fn known(&self, credential: &Credential) -> Option<KnownCredential> {
        self.start.known.clone().filter(|known| credential.id.as_ref() == Some(&known.id))
    }

    pub(super) fn exists(&mut self, message: &'static str) -> Effect {
        self.finish(OutcomeCode::LeafCredentialsExist, None, false, None, message.into())
    }

    /// Ends the row with a credential that Leaf can't use, naming its status.
    pub(super) fn unhealthy(&mut self, ours: bool) -> Effect {
        let status =
            self.seen.as_ref().and_then(|credential| credential.status.as_deref()).unwrap_or("unknown");
        let message = format!("Leaf holds the credential with status {status}").into();
        self.finish(OutcomeCode::CredentialUnhealthy, None, ours, None, message)
    }

    pub(super) fn on_look_refused(&mut self, kind: CallErrorKind) -> Effect {
        let (code, message) = match kind {
            CallErrorKind::NotFound => return self.on_user_unknown(),
            CallErrorKind::Forbidden => {
                (OutcomeCode::LeafUserForbidden, "Leaf doesn't let this account see the user")
            }
            CallErrorKind::Unreachable(why) => return self.on_unreached(why),
            CallErrorKind::NoAnswer => (OutcomeCode::LeafUnavailable, "Leaf gave no answer in time"),
            CallErrorKind::CutOff => (OutcomeCode::LeafUnavailable, "Leaf's answer didn't come to its end"),
            CallErrorKind::ServerError => (OutcomeCode::LeafUnavailable, "Leaf answered with a server error"),
            _ => (OutcomeCode::LeafUnexpectedAnswer, "Leaf answered a look at the user in an unknown way"),
        };
        self.give_up(code, message.into())
    }
}
