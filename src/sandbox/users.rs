//! The users that the simulated Leaf knows, and how their credentials come and go.

use crate::model::LeafUserId;

use super::credential::{Held, Hidden, Shown, Status};
use super::issued::TokenIssue;
use super::logins::ClientToken;
use super::options::SecondAttach;
use super::sharded::Sharded;
use super::turn::Turn;

/// How Leaf stands to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It belongs to the account.
    Known,
    /// There is no such user: 404.
    Unknown,
    /// It belongs to somebody else: 403.
    Forbidden,
}

/// One user, small because a million of them are kept.
pub(super) struct User {
    pub(super) standing: Standing,
    pub(super) refuses_attach: bool,
    pub(super) loses_first_reply: bool,
    /// What happens once the user's credential has been seen for the first time.
    pub(super) turns: Option<Turn>,
    attach_effects: u32,
    generation: u32,
    credentials: Vec<Held>,
}

/// What became of an attach.
pub(super) enum AttachResult {
    /// The user holds a credential already, and the set-up says that it stays.
    Exists,
    /// It took effect.
    Attached { shown: Shown, is_first: bool },
}

/// Every user. In an open world a user that isn't kept here is a known one without credentials.
pub(super) struct Users {
    seed: u64,
    open: bool,
    kept: Sharded<User>,
}

impl Users {
    pub(super) fn new(seed: u64, open: bool) -> Self {
        Self { seed, open, kept: Sharded::new() }
    }

    /// Changes a user, which is added if it isn't kept yet; the second value tells whether it was added.
    pub(super) fn change<T>(&self, id: LeafUserId, change: impl FnOnce(&mut User) -> T) -> (T, bool) {
        let mut users = self.kept.shard(id.as_bytes());
        let mut added = false;
        let user = users.entry(*id.as_bytes()).or_insert_with(|| {
            added = true;
            User {
                standing: Standing::Known,
                refuses_attach: false,
                loses_first_reply: false,
                turns: None,
                attach_effects: 0,
                generation: 0,
                credentials: Vec::new(),
            }
        });
        (change(user), added)
    }

    /// Changes a user that is kept.
    pub(super) fn change_kept<T>(&self, id: LeafUserId, change: impl FnOnce(&mut User) -> T) -> Option<T> {
        self.kept.shard(id.as_bytes()).get_mut(id.as_bytes()).map(change)
    }

    /// Looks at a user that is kept.
    pub(super) fn read<T>(&self, id: LeafUserId, read: impl FnOnce(&User) -> T) -> Option<T> {
        self.kept.shard(id.as_bytes()).get(id.as_bytes()).map(read)
    }

    pub(super) fn standing(&self, id: LeafUserId) -> Standing {
        let unkept = if self.open { Standing::Known } else { Standing::Unknown };
        self.read(id, |user| user.standing).unwrap_or(unkept)
    }

    pub(super) fn attach_effects(&self, id: LeafUserId) -> u32 {
        self.read(id, |user| user.attach_effects).unwrap_or(0)
    }

    /// Every credential of a user, the oldest first, those still hidden from GET too.
    pub(super) fn credentials(&self, id: LeafUserId) -> Vec<Shown> {
        self.read(id, |user| {
            let shown = |held: &Held| held.shown(self.seed, id);
            user.credentials.iter().map(shown).collect()
        })
        .unwrap_or_default()
    }

    /// The credential that a GET sees: the newest that isn't hidden. Looking uses up what hides it, and the turn that is
    /// to follow.
    pub(super) fn look(&self, id: LeafUserId) -> Option<(Shown, Option<Turn>)> {
        self.change_kept(id, |user| {
            let mut newest_first = user.credentials.iter_mut().rev();
            let seen = newest_first.find_map(|held| held.is_seen_by_this_look().then_some(&*held));
            let shown = seen.map(|held| held.shown(self.seed, id))?;
            Some((shown, user.turns.take()))
        })?
    }

    /// Attaches tokens to a user; to be called only for one that is known.
    pub(super) fn attach(
        &self,
        id: LeafUserId,
        issue: TokenIssue,
        client: ClientToken,
        second: SecondAttach,
        hidden: Option<Hidden>,
    ) -> (AttachResult, bool) {
        self.change(id, |user| {
            match second {
                _ if user.credentials.is_empty() => {}
                SecondAttach::Conflict409 | SecondAttach::BadRequest400 => return AttachResult::Exists,
                SecondAttach::Replace => user.credentials.clear(),
                SecondAttach::SecondObject => {}
            }
            user.attach_effects = user.attach_effects.saturating_add(1);
            let held = user.hold(issue, client, Status::Ok, hidden);
            AttachResult::Attached { shown: held.shown(self.seed, id), is_first: user.attach_effects == 1 }
        })
    }

    /// Removes every credential of a user; `false` when there was none.
    pub(super) fn detach(&self, id: LeafUserId) -> bool {
        let had_one = self.change_kept(id, |user| {
            let had_one = !user.credentials.is_empty();
            user.credentials = Vec::new();
            had_one
        });
        had_one == Some(true)
    }
}

impl User {
    /// Gives the user a credential that was there before; it doesn't count as an effect of an attach.
    pub(super) fn hold_older(&mut self, issue: TokenIssue, status: &str) {
        self.credentials.clear();
        self.hold(issue, ClientToken::ISSUED, Status::new(status), None);
    }

    /// Sets the status of every credential of the user; `false` when there is none.
    pub(super) fn set_status(&mut self, status: &str) -> bool {
        for held in &mut self.credentials {
            held.set_status(status);
        }
        !self.credentials.is_empty()
    }

    pub(super) fn has_credential(&self) -> bool {
        !self.credentials.is_empty()
    }

    /// Lets Leaf know the user no more; tells whether it did.
    pub(super) fn leave(&mut self) -> bool {
        self.credentials = Vec::new();
        std::mem::replace(&mut self.standing, Standing::Unknown) == Standing::Known
    }

    fn hold(
        &mut self,
        issue: TokenIssue,
        client: ClientToken,
        status: Status,
        hidden: Option<Hidden>,
    ) -> &Held {
        self.generation = self.generation.wrapping_add(1);
        // A vector's first growth makes room for four, and nearly every user holds exactly one.
        self.credentials.reserve_exact(1);
        self.credentials.push(Held::new(issue, client, self.generation, status, hidden));
        &self.credentials[self.credentials.len() - 1]
    }
}
