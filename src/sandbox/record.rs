//! What the simulated services saw, call by call, for tests to assert on.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::model::{LeafUserId, Login, Service};

use super::call::CallKind;
use super::issued::LoginKey;

/// A call that one of the simulated services received.
#[derive(Debug, Clone)]
pub struct SeenCall {
    /// When it was received: its head and its whole body.
    pub at: Instant,
    /// The service that received it.
    pub service: Service,
    /// Which call it was.
    pub call: CallKind,
    /// The Leaf user that its path names.
    pub leaf_user_id: Option<LeafUserId>,
    /// The login it was about: given by an authentication, or told by the apiKey of a token call or an attach.
    pub login: Option<Login>,
    /// The status it was answered with; `None` when no status was ever sent.
    pub status: Option<u16>,
    /// Whether it changed what the services hold: it issued a token, or attached or removed a credential.
    pub effect: bool,
}

/// The calls seen so far, in the order of their receipt. It keeps nothing unless it is switched on.
pub(super) struct Record {
    calls: Option<Mutex<Calls>>,
}

#[derive(Default)]
struct Calls {
    seen: Vec<SeenCall>,
    logins: HashMap<[u8; 16], Login>,
}

/// A call's place in the record, to note there what became of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place(Option<usize>);

/// Who a call's login is: its digest, and its text where the call carries it.
pub(super) struct CallLogin {
    pub(super) key: LoginKey,
    pub(super) text: Option<String>,
}

impl Record {
    pub(super) fn new(on: bool) -> Self {
        Self { calls: on.then(Mutex::default) }
    }

    pub(super) fn is_on(&self) -> bool {
        self.calls.is_some()
    }

    /// Notes the receipt of a call, with neither status nor effect yet.
    pub(super) fn receive(
        &self,
        service: Service,
        call: CallKind,
        leaf_user_id: Option<LeafUserId>,
        login: Option<&CallLogin>,
    ) -> Place {
        let Some(mut calls) = self.locked() else {
            return Place(None);
        };
        let login = login.and_then(|login| match &login.text {
            Some(text) => Some(calls.logins.entry(login.key.0).or_insert_with(|| Login::new(text)).clone()),
            None => calls.logins.get(&login.key.0).cloned(),
        });
        calls.seen.push(SeenCall {
            at: Instant::now(),
            service,
            call,
            leaf_user_id,
            login,
            status: None,
            effect: false,
        });
        Place(Some(calls.seen.len() - 1))
    }

    pub(super) fn note_effect(&self, place: Place) {
        self.update(place, |call| call.effect = true);
    }

    pub(super) fn note_status(&self, place: Place, status: u16) {
        self.update(place, |call| call.status = Some(status));
    }

    pub(super) fn seen(&self) -> Vec<SeenCall> {
        self.locked().map(|calls| calls.seen.clone()).unwrap_or_default()
    }

    fn update(&self, place: Place, change: impl FnOnce(&mut SeenCall)) {
        let Some(index) = place.0 else { return };
        if let Some(call) = self.locked().as_mut().and_then(|calls| calls.seen.get_mut(index)) {
            change(call);
        }
    }

    fn locked(&self) -> Option<MutexGuard<'_, Calls>> {
        let calls = self.calls.as_ref()?;
        Some(calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
