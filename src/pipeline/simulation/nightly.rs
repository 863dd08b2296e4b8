//! What one run may touch: the rows of its manifest that have work left, and of credentials no more than was allowed.

use std::collections::{BTreeMap, BTreeSet};

use super::arrived::{Arrived, Asked};
use super::manifest::Line;
use crate::checkpoint::UserRecord;
use crate::model::{LeafUserId, OutcomeCode};

/// One night's work, as far as the ledger and the manifest say what it is.
#[derive(Debug)]
pub(super) struct Nightly {
    /// The most credentials that may be replaced.
    most_changes: usize,
    /// Whether whatever is there is replaced.
    replaces_all: bool,
    /// The rows that may have work left.
    rows: BTreeMap<LeafUserId, Line>,
    /// The rows as they were when they ended last.
    ended: BTreeMap<LeafUserId, Line>,
    /// Those that were done before.
    done: BTreeMap<LeafUserId, Done>,
    /// Those whose replacement an earlier run left open.
    resumed: BTreeSet<LeafUserId>,
    /// Those whose credential was deleted in this run.
    removed: BTreeSet<LeafUserId>,
    /// The logins whose tokens this run has got.
    pub(super) in_hand: BTreeSet<String>,
}

/// How a row that was done differs from what it was then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    /// Not at all.
    Unchanged,
    /// It has another password, so that it may be looked at.
    OtherPassword,
}

impl Nightly {
    pub(super) fn new(most_changes: u32, replaces_all: bool) -> Self {
        Self {
            most_changes: usize::try_from(most_changes).unwrap(),
            replaces_all,
            rows: BTreeMap::new(),
            ended: BTreeMap::new(),
            done: BTreeMap::new(),
            resumed: BTreeSet::new(),
            removed: BTreeSet::new(),
            in_hand: BTreeSet::new(),
        }
    }

    /// A run begins that finds this in the ledger.
    pub(super) fn begin(&mut self, rows: &[(LeafUserId, &Line, Option<UserRecord>)]) {
        (self.rows, self.done) = (BTreeMap::new(), BTreeMap::new());
        (self.resumed, self.removed, self.in_hand) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (user, line, record) in rows {
            self.rows.insert(*user, (*line).clone());
            let Some(record) = record else { continue };
            match &record.intent {
                Some(intent) if intent.replacing => {
                    self.resumed.insert(*user);
                }
                Some(_) => {}
                None => self.done.extend(self.done_before(*user, line, record).map(|done| (*user, done))),
            }
        }
    }

    fn done_before(&self, user: LeafUserId, line: &Line, record: &UserRecord) -> Option<Done> {
        let last = record.outcome.as_ref().map(|record| record.outcome.code);
        let has_same_login = record.login.as_ref().is_some_and(|login| login.as_str() == line.login);
        if !has_same_login || !last.is_some_and(OutcomeCode::is_done) {
            return None;
        }
        match self.ended.get(&user) == Some(line) {
            true => Some(Done::Unchanged),
            false if self.replaces_all => None,
            false => Some(Done::OtherPassword),
        }
    }

    /// A row ended.
    pub(super) fn on_finished(&mut self, user: LeafUserId) {
        if let Some(line) = self.rows.get(&user) {
            self.ended.insert(user, line.clone());
        }
    }

    /// Whether a row is as it was when it ended last.
    pub(super) fn is_unchanged(&self, user: LeafUserId, line: &Line) -> bool {
        self.ended.get(&user) == Some(line)
    }

    /// Whether this login and password may be put to Stara.
    pub(super) fn may_ask_with(&self, login: &str, password: &str) -> bool {
        let is_meant = |line: &Line| line.login == login && line.password == password;
        self.rows.iter().any(|(user, line)| is_meant(line) && !self.done.contains_key(user))
    }

    /// The login of a user's row.
    pub(super) fn login_of(&self, user: LeafUserId) -> Option<String> {
        self.rows.get(&user).map(|row| row.login.clone())
    }

    /// What is wrong with a request that leaves.
    pub(super) fn check(&mut self, arrived: &Arrived) -> Vec<(&'static str, String)> {
        let mut wrongs = Vec::new();
        let Some(user) = arrived.user else { return wrongs };
        let Some(row) = self.rows.get(&user) else {
            wrongs.push(("only rows of the manifest", format!("{user} isn't one")));
            return wrongs;
        };
        let is_look = matches!(arrived.asked, Asked::User | Asked::Credential);
        if self.done.get(&user).is_some_and(|done| *done == Done::Unchanged || !is_look) {
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
