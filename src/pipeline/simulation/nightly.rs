//! What one run may touch: the rows of its manifest that have work left, and of credentials no more than was allowed.

use std::collections::{BTreeMap, BTreeSet};

use super::arrived::{Arrived, Asked};
use super::manifest::Line;
use crate::checkpoint::UserRecord;
use crate::model::LeafUserId;

/// One night's work, as far as the ledger and the manifest say what it is.
#[derive(Debug)]
pub(super) struct Nightly {
    /// The most credentials that may be replaced.
    most_changes: usize,
    /// The rows that may have work left.
    rows: BTreeMap<LeafUserId, Line>,
    /// Those that were done before with the same login.
    done: BTreeSet<LeafUserId>,
    /// Those whose replacement an earlier run left open.
    resumed: BTreeSet<LeafUserId>,
    /// Those whose credential was deleted in this run.
    removed: BTreeSet<LeafUserId>,
    /// The logins whose tokens this run has got.
    pub(super) in_hand: BTreeSet<String>,
}

impl Nightly {
    pub(super) fn new(most_changes: u32) -> Self {
        Self {
            most_changes: usize::try_from(most_changes).unwrap(),
            rows: BTreeMap::new(),
            done: BTreeSet::new(),
            resumed: BTreeSet::new(),
            removed: BTreeSet::new(),
            in_hand: BTreeSet::new(),
        }
    }

    /// A run begins that finds this in the ledger.
    pub(super) fn begin(&mut self, rows: &[(LeafUserId, &Line, Option<UserRecord>)]) {
        *self = Self::new(u32::try_from(self.most_changes).unwrap());
        for (user, line, record) in rows {
            self.rows.insert(*user, (*line).clone());
            let Some(record) = record else { continue };
            match &record.intent {
                Some(intent) if intent.replacing => {
                    self.resumed.insert(*user);
                }
                Some(_) => {}
                None => {
                    let code = record.outcome.as_ref().map(|record| record.outcome.code);
                    let is_same = record.login.as_ref().is_some_and(|login| login.as_str() == line.login);
                    if is_same && code.is_some_and(crate::model::OutcomeCode::is_done) {
                        self.done.insert(*user);
                    }
                }
            }
        }
    }

    /// Whether this login and password may be put to Stara.
    pub(super) fn may_ask_with(&self, login: &str, password: &str) -> bool {
        let is_meant = |line: &Line| line.login == login && line.password == password;
        self.rows.iter().any(|(user, line)| is_meant(line) && !self.done.contains(user))
    }

    /// What is wrong with a request that leaves.
    pub(super) fn check(&mut self, arrived: &Arrived) -> Vec<(&'static str, String)> {
        let mut wrongs = Vec::new();
        let Some(user) = arrived.user else { return wrongs };
        let Some(row) = self.rows.get(&user) else {
            wrongs.push(("only rows of the manifest", format!("{user} isn't one")));
            return wrongs;
        };
        if self.done.contains(&user) {
            wrongs.push(("done rows cost nothing", format!("{user} was done: {:?}", arrived.asked)));
        }
        if arrived.asked != Asked::Remove {
            return wrongs;
        }
        if !self.in_hand.contains(&row.login) {
            let what = format!("{user}'s credential is deleted, and {} has no tokens", row.login);
            wrongs.push(("no DELETE before the tokens are in hand", what));
        }
        if !self.resumed.contains(&user) {
            self.removed.insert(user);
        }
        if self.removed.len() > self.most_changes {
            let what = format!("{} deleted, {} allowed", self.removed.len(), self.most_changes);
            wrongs.push(("--max-changes", what));
        }
        wrongs
    }
}
