//! A map whose lock is split, so that thousands of requests a second don't queue for it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A user's UUID, a login's digest, or a digest of a login and its password.
pub(super) type Key = [u8; 16];

const SHARDS: usize = 16;

/// A map from [`Key`] to `V` in shards with a lock each. Two shards are never locked at once.
pub(super) struct Sharded<V> {
    shards: [Mutex<HashMap<Key, V>>; SHARDS],
}

impl<V> Sharded<V> {
    pub(super) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::new(HashMap::new())) }
    }

    /// Locks the shard that holds `key`.
    pub(super) fn shard(&self, key: &Key) -> MutexGuard<'_, HashMap<Key, V>> {
        // The last byte is random in digests and in UUIDs of every version, and counts up in made-up ones.
        let shard = usize::from(key[15]) % SHARDS;
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Visits every entry, a shard at a time.
    pub(super) fn for_each(&self, mut visit: impl FnMut(&Key, &V)) {
        for shard in &self.shards {
            for (key, value) in shard.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                visit(key, value);
            }
        }
    }
}
