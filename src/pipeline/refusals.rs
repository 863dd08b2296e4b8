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
    /// Whether Stara accepted a login in this run.
    any_accepted: AtomicBool,
    /// Whether the run was stopped because it goes wrong for everybody.
    in_doubt: AtomicBool,
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

    /// Takes note that Stara accepted a login, and believes from here on; tells whether this is news.
    pub(super) fn accepted(&self) -> bool {
        self.any_accepted.store(true, Ordering::Relaxed);
        !self.believed.load(Ordering::Relaxed) && !self.believed.swap(true, Ordering::Relaxed)
    }

    /// Takes note that the run is stopped because it goes wrong for everybody.
    pub(super) fn doubt(&self) {
        self.in_doubt.store(true, Ordering::Relaxed);
    }

    /// Whether the run was stopped so. Its refusals then say something of the growers only where a login was accepted.
    pub(super) fn doubted(&self) -> Option<Doubt> {
        let any_accepted = self.any_accepted.load(Ordering::Relaxed);
        let doubt = if any_accepted { Doubt::Cleared } else { Doubt::Standing };
        self.in_doubt.load(Ordering::Relaxed).then_some(doubt)
    }
}

/// What to think of the refusals of a run that was stopped because it goes wrong for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// No login was accepted: the way in which Stara was asked may be wrong, and no password.
    Standing,
    /// One was: the growers' passwords are wrong.
    Cleared,
}
