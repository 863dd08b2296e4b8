//! What the server knows: who holds a credential, and how often it was asked.
//!
//! It issues nothing at random: each answer follows from what is asked, so that a row costs it little, and yet it notices
//! whether the client passes on what it was given.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Into how many parts the users are divided, so that seldom one connection waits for another.
const PARTS: usize = 64;

/// What the server saw.
#[derive(Debug)]
pub(crate) struct World {
    /// The apiKey of each user's credential.
    credentials: [Mutex<HashMap<Uuid, Box<str>>>; PARTS],
    calls: AtomicU64,
    bad_calls: AtomicU64,
    second_attaches: AtomicU64,
    first_call: OnceLock<SystemTime>,
}

/// What is told at the end.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Calls of any kind.
    pub(crate) calls: u64,
    /// Calls that were not as they should be.
    pub(crate) bad_calls: u64,
    /// Users that hold a credential.
    pub(crate) attached: u64,
    /// Attaches to a user that held one.
    pub(crate) second_attaches: u64,
    /// When the first call came.
    pub(crate) first_call: Option<SystemTime>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            credentials: std::array::from_fn(|_| Mutex::default()),
            calls: AtomicU64::new(0),
            bad_calls: AtomicU64::new(0),
            second_attaches: AtomicU64::new(0),
            first_call: OnceLock::new(),
        }
    }

    pub(crate) fn count_call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.first_call.get_or_init(SystemTime::now);
    }

    pub(crate) fn count_bad_call(&self) {
        self.bad_calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether it is the user's first credential.
    pub(crate) fn attach(&self, user: Uuid, api_key: &str) -> bool {
        let mut part = self.part(user).lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = part.insert(user, api_key.into()).is_none();
        if !is_first {
            self.second_attaches.fetch_add(1, Ordering::Relaxed);
        }
        is_first
    }

    /// The apiKey of a user's credential.
    pub(crate) fn api_key(&self, user: Uuid) -> Option<Box<str>> {
        self.part(user).lock().unwrap_or_else(PoisonError::into_inner).get(&user).cloned()
    }

    pub(crate) fn counts(&self) -> Counts {
        let held = |part: &Mutex<HashMap<_, _>>| part.lock().unwrap_or_else(PoisonError::into_inner).len();
        Counts {
            calls: self.calls.load(Ordering::Relaxed),
            bad_calls: self.bad_calls.load(Ordering::Relaxed),
            attached: self.credentials.iter().map(held).sum::<usize>() as u64,
            second_attaches: self.second_attaches.load(Ordering::Relaxed),
            first_call: self.first_call.get().copied(),
        }
    }

    fn part(&self, user: Uuid) -> &Mutex<HashMap<Uuid, Box<str>>> {
        &self.credentials[usize::from(user.as_bytes()[15]) % PARTS]
    }
}
