//! Which logins and passwords Stara refused in this run, and whether its doubtful answers can be believed.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::checkpoint::Fingerprint;

/// The refusal memory of a run. Those of earlier runs come with the rows.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    refused: Mutex<HashSet<Fingerprint>>,
    /// Whether any login has succeeded on this target in this dialect, so that a 400 is about the login and not about
    /// the way it was asked.
    believed: AtomicBool,
}

impl Refusals {
    pub(super) fn new(believed: bool) -> Self {
        Self { believed: AtomicBool::new(believed), ..Self::default() }
    }

    pub(super) fn add(&self, login: Fingerprint) {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(login);
    }

    pub(super) fn contains(&self, login: Fingerprint) -> bool {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).contains(&login)
    }

    pub(super) fn are_believed(&self) -> bool {
        self.believed.load(Ordering::Relaxed)
    }

    /// Believes from here on; tells whether this is news.
    pub(super) fn believe(&self) -> bool {
        !self.believed.load(Ordering::Relaxed) && !self.believed.swap(true, Ordering::Relaxed)
    }
}
