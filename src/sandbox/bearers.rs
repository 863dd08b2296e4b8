//! The bearer tokens that the simulated Leaf issued or has seen.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Every bearer token, with how often it was used.
pub(super) struct Bearers {
    tokens: Mutex<Tokens>,
}

#[derive(Default)]
struct Tokens {
    uses: HashMap<Box<str>, Uses>,
    issued: u64,
}

#[derive(Default)]
struct Uses {
    requests: u64,
    revoked: bool,
}

impl Bearers {
    pub(super) fn new() -> Self {
        Self { tokens: Mutex::default() }
    }

    /// Issues a token that nobody has seen before.
    pub(super) fn issue(&self) -> String {
        let mut tokens = self.locked();
        tokens.issued += 1;
        let text = bearer_text(tokens.issued);
        tokens.uses.insert(text.as_str().into(), Uses::default());
        text
    }

    /// Whether a request with this token is let in; it counts as a use.
    ///
    /// Beside the issued tokens `only` is let in, or any that isn't empty when there is no `only`. A token is good for
    /// `lifetime` requests.
    pub(super) fn admit(&self, bearer: &str, only: Option<&str>, lifetime: Option<u64>) -> bool {
        if bearer.is_empty() {
            return false;
        }
        let mut tokens = self.locked();
        let uses = match tokens.uses.get_mut(bearer) {
            Some(uses) => uses,
            None if only.is_none_or(|only| only == bearer) => tokens.uses.entry(bearer.into()).or_default(),
            None => return false,
        };
        uses.requests += 1;
        !uses.revoked && lifetime.is_none_or(|lifetime| uses.requests <= lifetime)
    }

    /// Refuses this token from now on.
    pub(super) fn revoke(&self, bearer: &str) {
        self.locked().uses.entry(bearer.into()).or_default().revoked = true;
    }

    /// Refuses every token that was issued or seen so far.
    pub(super) fn revoke_all(&self) {
        for uses in self.locked().uses.values_mut() {
            uses.revoked = true;
        }
    }

    /// Every token ever issued.
    pub(super) fn issued(&self) -> Vec<String> {
        (1..=self.locked().issued).map(bearer_text).collect()
    }

    fn locked(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bearer_text(serial: u64) -> String {
    format!("sandbox-leaf-token-{serial}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_lifetime_and_not_after_it() {
        let bearers = Bearers::new();
        let token = bearers.issue();
        assert!(bearers.admit(&token, None, Some(2)));
        assert!(bearers.admit(&token, None, Some(2)));
        assert!(!bearers.admit(&token, None, Some(2)));
        assert!(bearers.admit(&bearers.issue(), None, Some(2)));
    }

    #[test]
    fn only_the_named_token_and_issued_ones_are_let_in_when_one_is_named() {
        let bearers = Bearers::new();
        assert!(bearers.admit("mine", Some("mine"), None));
        assert!(!bearers.admit("yours", Some("mine"), None));
        assert!(!bearers.admit("", None, None));
        assert!(bearers.admit("yours", None, None));
        assert!(bearers.admit(&bearers.issue(), Some("mine"), None));
    }

    #[test]
    fn revoking_refuses_what_was_seen_and_lets_in_what_is_new() {
        let bearers = Bearers::new();
        assert!(bearers.admit("old", None, None));
        let issued = bearers.issue();
        bearers.revoke_all();
        assert!(!bearers.admit("old", None, None));
        assert!(!bearers.admit(&issued, None, None));
        assert!(bearers.admit("new", None, None));
        assert!(bearers.admit(&bearers.issue(), None, None));
    }
}
