//! What others do at Leaf while the program isn't looking: users who come and go, credentials that change.

use crate::model::{LeafUserId, Login};

use super::faults::Asked;
use super::issued::{LoginKey, TokenIssue};
use super::turn::Turn;
use super::users::{Standing, User};
use super::world::World;

impl World {
    /// Adds a user of Leaf who is nobody's grower, behind all others in the list.
    pub fn add_user(&self, id: LeafUserId) {
        let (standing, added) = self.users.change(id, |user| user.standing);
        if added && standing == Standing::Known {
            self.append(id);
        }
    }

    /// Lets Leaf know a user no more, for good: its credentials go with it. `false` when Leaf didn't know it.
    pub fn delete_user(&self, id: LeafUserId) -> bool {
        let (was_known, added) = self.users.change(id, User::leave);
        self.strike(id);
        self.tell_of_change();
        was_known && (self.is_open() || !added)
    }

    /// Gives a user a credential that was there before the run, or that somebody else put in the place of any it has: with
    /// an id of its own, and an apiKey that belongs to no grower's login. It doesn't count as an effect of an attach.
    pub fn seed_credential(&self, id: LeafUserId, status: &str) {
        self.hold_older(id, self.logins().key(&format!("somebody else, for {id}")), status);
    }

    /// Lets somebody else attach a grower's own login, in the place of any credential the user has: healthy, with an id of
    /// its own, and with the very apiKey that Stara gives this login. It doesn't count as an effect of an attach.
    pub fn attach_from_elsewhere(&self, id: LeafUserId, login: &Login) {
        self.hold_older(id, self.logins().key(login.as_str()), "OK");
    }

    /// Lets this happen to a user, now; `false` when there is nothing that it could happen to.
    pub fn turn(&self, id: LeafUserId, turn: Turn) -> bool {
        match turn {
            Turn::Unhealthy => self.set_status(id, "invalid"),
            Turn::Missing => self.remove_credential(id),
            Turn::UnknownUser => self.delete_user(id),
            Turn::Foreign => {
                let is_known = self.standing(id) == Standing::Known;
                if is_known {
                    self.seed_credential(id, "OK");
                }
                is_known
            }
        }
    }

    /// Sets the status of a user's credentials, `invalid` for instance; `false` when it holds none.
    pub fn set_status(&self, id: LeafUserId, status: &str) -> bool {
        let is_set = self.users.change_kept(id, |user| user.set_status(status)) == Some(true);
        self.tell_of_change();
        is_set
    }

    /// Removes a user's credentials, as if somebody else had done it; `false` when there was none.
    pub fn remove_credential(&self, id: LeafUserId) -> bool {
        self.detach(id)
    }

    /// Lets happen to a known user what faults say happens just before this call is carried out.
    pub(super) fn let_turn(&self, id: LeafUserId, asked: &Asked) -> Vec<Turn> {
        if !self.faults.any() || self.standing(id) != Standing::Known {
            return Vec::new();
        }
        let turns = self.faults.turns(asked);
        for &turn in &turns {
            self.turn(id, turn);
        }
        turns
    }

    fn hold_older(&self, id: LeafUserId, login: LoginKey, status: &str) {
        self.logins().note_older_tokens(login);
        let (standing, added) = self.users.change(id, |user| {
            user.hold_older(TokenIssue { login, serial: 0 }, status);
            user.standing
        });
        if added && standing == Standing::Known {
            self.append(id);
        }
        self.tell_of_change();
    }
}
