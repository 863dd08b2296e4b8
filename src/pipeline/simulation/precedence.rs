//! The rule that replacements which an earlier run left open come before all other rows.

use std::collections::{BTreeMap, BTreeSet};

use super::manifest::Line;
use super::setting::SETTLE;
use crate::checkpoint::{Intent, UserRecord};
use crate::model::{LeafUserId, UnixMillis};

/// How far a run's open replacements have got, seen from outside.
#[derive(Debug, Default)]
pub(super) struct Precedence {
    /// The users with an open replacement, and their rows' logins.
    open: BTreeMap<LeafUserId, String>,
    /// The logins for none of whose open replacements anything was asked yet.
    unbegun: BTreeSet<String>,
    /// Those that nobody waits for: what they announced has to settle, something went wrong with a request, or they ended.
    resting: BTreeSet<LeafUserId>,
    /// Those that were begun, don't rest, and haven't ended.
    getting_on: BTreeSet<LeafUserId>,
    /// Whether another row was begun.
    are_others_begun: bool,
}

impl Precedence {
    /// For a run that finds this in the ledger.
    pub(super) fn new(rows: &[(LeafUserId, &Line, Option<UserRecord>)], wall: UnixMillis) -> Self {
        let mut precedence = Self::default();
        let mut logins_at_rest = BTreeSet::new();
        for (user, line, record) in rows {
            let intent = record.as_ref().and_then(|record| record.intent.as_ref());
            let Some(intent) = intent.filter(|intent| intent.replacing) else { continue };
            precedence.open.insert(*user, line.login.clone());
            if may_have_to_settle(intent, wall) {
                precedence.resting.insert(*user);
                logins_at_rest.insert(line.login.clone());
            }
        }
        // One that waits for its turn behind another rests as that one does.
        let logins = precedence.open.values().filter(|login| !logins_at_rest.contains(*login));
        precedence.unbegun = logins.cloned().collect();
        precedence
    }

    /// A request about this user or login leaves.
    pub(super) fn on_leaving(
        &mut self,
        user: Option<LeafUserId>,
        login: Option<&str>,
    ) -> Option<(&'static str, String)> {
        let open: Vec<_> = self.open_of(user, login);
        if !open.is_empty() {
            // All begin with a look at Leaf, and only there it is plain which of several with one login it is.
            for user in open.into_iter().filter(|_| user.is_some()) {
                self.unbegun.remove(&self.open[&user]);
                if !self.resting.contains(&user) {
                    self.getting_on.insert(user);
                }
            }
            return None;
        }
        if self.are_others_begun || (user.is_none() && login.is_none()) {
            return None;
        }
        self.are_others_begun = true;
        let is_early = !self.unbegun.is_empty() || !self.getting_on.is_empty();
        let what = format!("{user:?} {login:?} before {:?} and {:?}", self.unbegun, self.getting_on);
        is_early.then_some(("open replacements first", what))
    }

    /// Something goes wrong with a request about this user or login.
    pub(super) fn on_trouble(&mut self, user: Option<LeafUserId>, login: Option<&str>) {
        for user in self.open_of(user, login) {
            self.getting_on.remove(&user);
            self.resting.insert(user);
        }
    }

    /// A row ended.
    pub(super) fn on_finished(&mut self, user: LeafUserId) {
        self.getting_on.remove(&user);
        self.resting.insert(user);
    }

    fn open_of(&self, user: Option<LeafUserId>, login: Option<&str>) -> Vec<LeafUserId> {
        let is_meant = |(id, own): &(&LeafUserId, &String)| user == Some(**id) || login == Some(own.as_str());
        self.open.iter().filter(is_meant).map(|(id, _)| *id).collect()
    }
}

fn may_have_to_settle(intent: &Intent, wall: UnixMillis) -> bool {
    wall.elapsed_since(intent.at).is_none_or(|age| age < SETTLE)
}
