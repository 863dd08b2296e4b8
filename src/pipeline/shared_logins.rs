//! `--share-logins`: one apiKey for all rows with the same login and password, and one authentication in flight a login.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::task::Grower;
use crate::checkpoint::Fingerprint;
use crate::model::{Login, Secret};

/// The apiKeys that rows share, in memory only, each for as long as rows of this run may need it.
#[derive(Default)]
pub(super) struct SharedLogins {
    /// The logins of the rows under way, each with its turn at authenticating.
    turns: Mutex<HashMap<Login, Arc<Turn>>>,
    /// Logins with passwords that several rows have.
    keys: Mutex<HashMap<Fingerprint, Shared>>,
}

/// Whose turn it is to authenticate a login.
type Turn = tokio::sync::Mutex<()>;

struct Shared {
    /// Rows that haven't ended.
    rows_left: u64,
    current: Option<SharedKey>,
}

/// An apiKey that rows share.
#[derive(Clone)]
struct SharedKey {
    /// Counts the authentications of this login and password, from 1.
    generation: u64,
    api_key: Secret,
}

impl SharedLogins {
    /// For a run in which so many rows have each of these logins and passwords; those of one row needn't be among them.
    pub(super) fn new(rows: HashMap<Fingerprint, u64>) -> Self {
        let shared = |(login, rows_left)| (login, Shared { rows_left, current: None });
        Self { turns: Mutex::default(), keys: Mutex::new(rows.into_iter().map(shared).collect()) }
    }

    /// Takes a row in.
    fn enter(&self, login: &Login) -> Arc<Turn> {
        Arc::clone(self.turns().entry(login.clone()).or_default())
    }

    /// Takes note that a row has ended, however it ended.
    fn leave(&self, login: &Login, print: Fingerprint, turn: &Arc<Turn>) {
        let mut turns = self.turns();
        // The row's own and the map's. No other can come to be, because the map is locked.
        if Arc::strong_count(turn) == 2 {
            turns.remove(login);
        }
        drop(turns);
        let mut keys = self.keys();
        if let Some(shared) = keys.get_mut(&print) {
            shared.rows_left = shared.rows_left.saturating_sub(1);
            if shared.rows_left == 0 {
                keys.remove(&print);
            }
        }
    }

    /// The key of a login and password, if it is newer than the one of the generation `used`, which Stara refused.
    fn newer(&self, print: Fingerprint, used: Option<u64>) -> Option<SharedKey> {
        let current = self.keys().get(&print)?.current.clone()?;
        (Some(current.generation) > used).then_some(current)
    }

    /// Shares a new key, and gives its generation. A key that no other row needs isn't kept.
    fn share(&self, print: Fingerprint, api_key: Secret) -> u64 {
        let mut keys = self.keys();
        let Some(shared) = keys.get_mut(&print) else { return 1 };
        let generation = shared.current.as_ref().map_or(1, |earlier| earlier.generation + 1);
        shared.current = Some(SharedKey { generation, api_key });
        generation
    }

    fn turns(&self) -> MutexGuard<'_, HashMap<Login, Arc<Turn>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<Fingerprint, Shared>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A row's place among those with its login. Dropped, it is given back.
pub(super) struct Sharing<'a> {
    logins: &'a SharedLogins,
    grower: &'a Grower,
    turn: Arc<Turn>,
    /// The generation of the key that the row uses.
    used: Option<u64>,
}

impl<'a> Sharing<'a> {
    pub(super) fn new(logins: &'a SharedLogins, grower: &'a Grower) -> Self {
        Self { logins, grower, turn: logins.enter(&grower.login), used: None }
    }

    /// Whoever locks it is the only one that authenticates the login.
    pub(super) fn turn(&self) -> Arc<Turn> {
        Arc::clone(&self.turn)
    }

    /// The apiKey that another row got, unless it is the one that this row has used already: then Stara refused it.
    pub(super) fn of_another_row(&mut self) -> Option<Secret> {
        let SharedKey { generation, api_key } = self.logins.newer(self.print(), self.used)?;
        self.used = Some(generation);
        Some(api_key)
    }

    /// Lets the other rows use an apiKey.
    pub(super) fn share(&mut self, api_key: Secret) {
        self.used = Some(self.logins.share(self.print(), api_key));
    }

    fn print(&self) -> Fingerprint {
        self.grower.fingerprints.login
    }
}

impl Drop for Sharing<'_> {
    fn drop(&mut self) {
        self.logins.leave(&self.grower.login, self.print(), &self.turn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINT: Fingerprint = Fingerprint(7);

    fn two_rows() -> SharedLogins {
        SharedLogins::new(HashMap::from([(PRINT, 2)]))
    }

    fn key(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn newer(shared: &SharedLogins, used: Option<u64>) -> Option<(u64, String)> {
        let newer = shared.newer(PRINT, used);
        newer.map(|key| (key.generation, key.api_key.expose_secret().to_owned()))
    }

    #[test]
    fn a_key_is_used_until_it_is_refused_and_renewed_once_for_all_who_had_it() {
        let shared = two_rows();
        assert_eq!(newer(&shared, None), None);
        assert_eq!(shared.share(PRINT, key("first")), 1);
        assert_eq!(newer(&shared, None), Some((1, "first".to_owned())));
        assert_eq!(newer(&shared, Some(1)), None, "whoever was refused with it must renew it");
        shared.share(PRINT, key("second"));
        assert_eq!(newer(&shared, Some(1)), Some((2, "second".to_owned())), "and the next one needn't");
        assert_eq!(newer(&shared, Some(2)), None);
    }

    #[test]
    fn nothing_is_kept_longer_than_rows_may_need_it() {
        let shared = two_rows();
        let login = Login::new("ana");
        for rows_left in [1, 0] {
            let turn = shared.enter(&login);
            shared.share(PRINT, key("first"));
            shared.leave(&login, PRINT, &turn);
            assert_eq!(shared.keys().len(), rows_left);
            assert!(shared.turns().is_empty());
        }
        shared.share(PRINT, key("of one row alone"));
        assert!(shared.keys().is_empty());
    }

    #[test]
    fn rows_with_one_login_have_one_turn() {
        let shared = two_rows();
        let (ana, bea) = (Login::new("ana"), Login::new("bea"));
        let (first, second, other) = (shared.enter(&ana), shared.enter(&ana), shared.enter(&bea));
        let held = first.try_lock().unwrap();
        assert!(second.try_lock().is_err());
        assert!(other.try_lock().is_ok());
        drop(held);
        shared.leave(&ana, PRINT, &first);
        drop(first);
        assert!(Arc::ptr_eq(&second, &shared.enter(&ana)), "as long as any of them is under way");
    }
}
