//! What the simulated services saw, call by call: kept for tests to assert on, and written to a file as it happens.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;

use crate::model::{LeafUserId, Login, Service, UnixMillis};

use super::arrived::Arrived;
use super::call::CallKind;
use super::issued::LoginKey;
use super::list_page::ListPage;

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
    /// The page that it asked for, if it was for the list of users.
    pub page: Option<ListPage>,
    /// The login it was about: given by an authentication, or told by the apiKey of a token call or an attach.
    pub login: Option<Login>,
    /// The status it was answered with; `None` when no status was ever sent.
    pub status: Option<u16>,
    /// Whether it changed what the services hold: it issued a token, or attached or removed a credential.
    pub effect: bool,
}

/// The calls seen so far, in the order of their receipt. It keeps and writes nothing unless it is told to.
pub(super) struct Record {
    calls: Option<Mutex<Calls>>,
}

struct Calls {
    seen: Option<Vec<SeenCall>>,
    file: Option<Arc<File>>,
    failure: Option<io::Error>,
    count: usize,
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

/// A line of the file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    /// The call it is about, counted from 1.
    call: usize,
    at: String,
    #[serde(flatten)]
    happening: Happening<'a>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase", rename_all_fields = "camelCase")]
enum Happening<'a> {
    Received {
        service: String,
        kind: &'a str,
        leaf_user_id: Option<String>,
        login: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        page: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        size: Option<u64>,
    },
    Fault {
        fault: &'a str,
    },
    Effect,
    Answered {
        status: u16,
    },
}

impl Record {
    pub(super) fn new(keep: bool, file: Option<Arc<File>>) -> Self {
        let is_on = keep || file.is_some();
        let calls = || {
            let seen = keep.then(Vec::new);
            Mutex::new(Calls { seen, file, failure: None, count: 0, logins: HashMap::new() })
        };
        Self { calls: is_on.then(calls) }
    }

    pub(super) fn is_on(&self) -> bool {
        self.calls.is_some()
    }

    /// Notes the receipt of a call, with neither status nor effect yet.
    pub(super) fn receive(&self, service: Service, arrived: &Arrived, login: Option<&CallLogin>) -> Place {
        let (call, leaf_user_id) = (arrived.call, arrived.user);
        let Some(mut calls) = self.locked() else {
            return Place(None);
        };
        let page = arrived.page();
        let login = login.and_then(|login| match &login.text {
            Some(text) => Some(calls.logins.entry(login.key.0).or_insert_with(|| Login::new(text)).clone()),
            None => calls.logins.get(&login.key.0).cloned(),
        });
        let index = calls.count;
        calls.count += 1;
        calls.write(
            index,
            Happening::Received {
                service: service.as_str().to_ascii_lowercase(),
                kind: call.as_str(),
                leaf_user_id: leaf_user_id.map(|id| id.to_string()),
                login: login.as_ref().map(Login::as_str),
                page: page.map(|page| page.number),
                size: page.map(|page| page.size),
            },
        );
        if let Some(seen) = &mut calls.seen {
            let at = Instant::now();
            seen.push(SeenCall { at, service, call, leaf_user_id, page, login, status: None, effect: false });
        }
        Place(Some(index))
    }

    pub(super) fn note_fault(&self, place: Place, fault: &str) {
        self.update(place, Happening::Fault { fault }, |_| {});
    }

    pub(super) fn note_effect(&self, place: Place) {
        self.update(place, Happening::Effect, |call| call.effect = true);
    }

    pub(super) fn note_status(&self, place: Place, status: u16) {
        self.update(place, Happening::Answered { status }, |call| call.status = Some(status));
    }

    pub(super) fn seen(&self) -> Vec<SeenCall> {
        self.locked().and_then(|calls| calls.seen.clone()).unwrap_or_default()
    }

    /// Takes the error that ended the writing of the file.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.locked().and_then(|mut calls| calls.failure.take())
    }

    fn update(&self, place: Place, happening: Happening<'_>, change: impl FnOnce(&mut SeenCall)) {
        let (Some(index), Some(mut calls)) = (place.0, self.locked()) else { return };
        calls.write(index, happening);
        if let Some(call) = calls.seen.as_mut().and_then(|seen| seen.get_mut(index)) {
            change(call);
        }
    }

    fn locked(&self) -> Option<MutexGuard<'_, Calls>> {
        let calls = self.calls.as_ref()?;
        Some(calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Calls {
    /// Writes one whole line at once, so that a reader who follows the file sees what has happened, and never a part.
    fn write(&mut self, index: usize, happening: Happening<'_>) {
        let Some(file) = &self.file else { return };
        let line = Line { call: index + 1, at: UnixMillis::now().to_rfc3339(), happening };
        // Only a map with keys that are no strings can fail here, and there is none.
        let mut text = serde_json::to_string(&line).unwrap_or_default();
        text.push('\n');
        if let Err(error) = file.as_ref().write_all(text.as_bytes()) {
            // A record with a gap would lie; one that ends early can be told from a whole one.
            (self.file, self.failure) = (None, Some(error));
        }
    }
}
