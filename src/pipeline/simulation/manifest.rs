//! The manifests of a seed: rows that appear, change, vanish and come back from night to night.

use std::collections::BTreeSet;

use super::setting::{Setting, Standing};
use crate::model::LeafUserId;
use crate::model::simulated::Dice;

/// One line of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The user; `None` where the line is no row.
    pub(super) user: Option<LeafUserId>,
    pub(super) login: String,
    pub(super) password: String,
}

impl Line {
    /// Whether Stara accepts login and password.
    pub(super) fn is_right(&self) -> bool {
        is_right(&self.login, &self.password)
    }
}

/// Whether Stara accepts a password of a login: the one that it had from the beginning, or the one that it got later.
pub(super) fn is_right(login: &str, password: &str) -> bool {
    password == right_password(login) || password == renewed_password(login)
}

fn right_password(login: &str) -> String {
    format!("hush-right-{login}")
}

fn renewed_password(login: &str) -> String {
    format!("hush-renewed-{login}")
}

fn login(number: u64) -> String {
    format!("grower{number}")
}

/// The users that are rows to be carried out, each with its line: those whose lines are all the same.
pub(super) fn rows(lines: &[Line]) -> impl Iterator<Item = (LeafUserId, &Line)> {
    let differs = |line: &Line| lines.iter().any(|other| other.user == line.user && other != line);
    let mut met = BTreeSet::new();
    let own = lines.iter().filter(move |line| !differs(line));
    own.filter_map(|line| Some((line.user?, line))).filter(move |(user, _)| met.insert(*user))
}

impl Setting {
    pub(super) fn fill(&mut self, dice: &mut Dice) {
        // Few rows, so that a seed is fast; now and then enough for canaries and the failure budget.
        let rows = if dice.chance(2) { 32 + dice.roll(16) } else { 1 + dice.roll(12) };
        let logins = 1 + dice.roll(rows);
        self.logins = (0..logins).map(login).collect();
        let versions = if self.is_changing { 2 + dice.roll(3) } else { 2 };
        self.manifests = (0..versions).map(|_| Vec::new()).collect();
        for number in 0..rows {
            self.add_row(number, logins, rows, dice);
        }
    }

    fn add_row(&mut self, number: u64, logins: u64, rows: u64, dice: &mut Dice) {
        // What ends badly in the end has to stay below the failure budget.
        let may_fail = rows < 31 || number.is_multiple_of(4);
        let login = login(if dice.chance(70) { number % logins } else { dice.roll(logins) });
        let user = LeafUserId::from_bytes(u128::to_be_bytes((0x40_u128 << 120) | u128::from(number)));
        let standing = match dice.roll(20) {
            // Without a look nobody can tell whose credential it is that a lost reply leaves behind.
            0 | 1 if self.precheck => Standing::Held { healthy: dice.chance(75) },
            2 if may_fail => Standing::Unknown,
            // Nor what became of one for a user that we may not see.
            3 if may_fail && self.precheck => Standing::Forbidden,
            _ => Standing::Bare,
        };
        self.users.insert(user, standing);
        // A refusal answers other rows with the same login, too, so that their order would decide how they end.
        let may_be_wrong = may_fail && standing == Standing::Bare;
        let password = if may_be_wrong && dice.chance(18) { wrong(dice) } else { right_password(&login) };
        let mut line = Line { user: Some(user), login, password };
        let extra = match dice.roll(40) {
            0 => Extra::Duplicate,
            1 => Extra::Conflict,
            2 => Extra::Invalid,
            _ => Extra::None,
        };
        let mut before = line.clone();
        for version in 0..self.manifests.len() {
            let last = line.clone();
            if version > 0 {
                self.change(&mut line, &before, logins, may_be_wrong, dice);
            }
            before = last;
            let is_there = number == 0 || !(self.is_changing && dice.chance(12));
            if is_there {
                self.manifests[version].extend(extra.of(&line));
                self.manifests[version].push(line.clone());
            }
        }
    }

    /// What becomes of a row until the next night; `before` is what it was a night ago.
    fn change(&self, line: &mut Line, before: &Line, logins: u64, may_be_wrong: bool, dice: &mut Dice) {
        let (other_login, other_password) = match (self.is_changing, self.precheck) {
            (true, _) => (35, 15),
            (false, true) => (8, 0),
            (false, false) => (0, 0),
        };
        if self.is_changing && dice.chance(30) {
            line.clone_from(before);
        } else if !line.is_right() && dice.chance(50) {
            line.password = right_password(&line.login);
        } else if dice.chance(other_login) {
            line.login = login(dice.roll(logins));
            let is_wrong = self.is_changing && may_be_wrong && dice.chance(25);
            line.password = if is_wrong { wrong(dice) } else { right_password(&line.login) };
        } else if dice.chance(other_password) {
            let is_wrong = may_be_wrong && dice.chance(40);
            line.password = if is_wrong { wrong(dice) } else { renewed_password(&line.login) };
        }
    }
}

fn wrong(dice: &mut Dice) -> String {
    format!("hush-wrong-{}", dice.roll(2))
}

/// What stands before a row's own line.
#[derive(Debug, Clone, Copy)]
enum Extra {
    None,
    /// The same line.
    Duplicate,
    /// One with another password.
    Conflict,
    /// One that is no row.
    Invalid,
}

impl Extra {
    fn of(self, line: &Line) -> Option<Line> {
        match self {
            Self::None => None,
            Self::Duplicate => Some(line.clone()),
            Self::Conflict => Some(Line { password: "hush-other".to_owned(), ..line.clone() }),
            Self::Invalid => Some(Line { user: None, ..line.clone() }),
        }
    }
}
