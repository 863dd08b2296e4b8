//! The magic links that the simulated Leaf has given out.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::LeafUserId;

use super::issued::spread;

/// Every magic link, by its user.
pub(super) struct Links {
    seed: u64,
    issued: Mutex<Issued>,
}

#[derive(Default)]
struct Issued {
    of_users: HashMap<LeafUserId, Vec<u64>>,
    count: u64,
}

impl Links {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, issued: Mutex::default() }
    }

    /// Gives out a link that nobody has seen before.
    pub(super) fn issue(&self, user: LeafUserId) -> String {
        let mut issued = self.locked();
        issued.count += 1;
        let serial = issued.count;
        issued.of_users.entry(user).or_default().push(serial);
        self.text(serial)
    }

    /// Every link given out for this user, the oldest first.
    pub(super) fn of(&self, user: LeafUserId) -> Vec<String> {
        let issued = self.locked();
        let serials = issued.of_users.get(&user).map_or(&[][..], Vec::as_slice);
        serials.iter().map(|serial| self.text(*serial)).collect()
    }

    /// Every link ever given out.
    pub(super) fn all(&self) -> Vec<String> {
        (1..=self.locked().count).map(|serial| self.text(serial)).collect()
    }

    fn text(&self, serial: u64) -> String {
        format!("https://sandbox.invalid/magic-link/{:016x}-{serial}", spread(self.seed ^ spread(serial)))
    }

    fn locked(&self) -> MutexGuard<'_, Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
