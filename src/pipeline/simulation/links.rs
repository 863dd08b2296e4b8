//! The rules about magic links: who is given one, when, and how often.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::arrived::{Arrived, Asked};
use super::manifest::{Line, rows};
use super::stara::Stara;
use crate::checkpoint::{LinkNote, UserRecord};
use crate::model::{LeafUserId, OutcomeCode, UnixMillis};
use crate::pipeline::LinkRules;

/// After so many users without a link nobody else need be asked for.
const MANY_IN_VAIN: usize = 20;

/// How a run makes links.
#[derive(Debug, Clone, Copy)]
pub(super) struct LinkNight {
    /// How, where they are asked for.
    pub(super) rules: Option<LinkRules>,
    /// Whether a row whose refused login is remembered may be looked at once its user has a link.
    pub(super) may_look: bool,
    /// Whether the ledger's key is where it belongs.
    pub(super) has_key: bool,
}

/// A link that the client was given.
#[derive(Debug, Clone, Copy)]
struct Given {
    made_at: UnixMillis,
    expires_at: UnixMillis,
}

/// Who was given a link, over all runs.
#[derive(Debug)]
pub(super) struct Links {
    night: LinkNight,
    given: BTreeMap<LeafUserId, Given>,
    /// The users whose refusal was remembered when this run began, with or without a link.
    remembered: BTreeMap<LeafUserId, bool>,
    /// The users whose rows ended as refused, from the first call for a link on.
    told: Option<BTreeSet<LeafUserId>>,
    /// When it was chosen who is to be given one: afterwards links grow old, and a clock that went back catches up.
    chosen_at: Option<UnixMillis>,
    /// Those whose rows ended as done in this run.
    done: BTreeSet<LeafUserId>,
    /// Those who were given one in this run, and what they had before.
    answered: BTreeMap<LeafUserId, Option<Given>>,
    /// What the ledger held of those who have one when the last run was over.
    kept: BTreeMap<LeafUserId, LinkNote>,
    /// Those for whom a call went wrong in this run.
    troubled: BTreeSet<LeafUserId>,
    /// How many the client was given in all.
    pub(super) made: u32,
}

impl Links {
    pub(super) fn new() -> Self {
        Self {
            night: LinkNight { rules: None, may_look: false, has_key: true },
            given: BTreeMap::new(),
            remembered: BTreeMap::new(),
            told: None,
            chosen_at: None,
            done: BTreeSet::new(),
            answered: BTreeMap::new(),
            kept: BTreeMap::new(),
            troubled: BTreeSet::new(),
            made: 0,
        }
    }

    /// A run begins that finds this in the ledger; these are the rows that are as they were when Stara refused them.
    pub(super) fn begin(
        &mut self,
        night: LinkNight,
        rows: &[(LeafUserId, &Line, Option<UserRecord>)],
        is_refused: impl Fn(LeafUserId, &Line) -> bool,
    ) {
        self.night = night;
        (self.told, self.chosen_at, self.done) = (None, None, BTreeSet::new());
        (self.answered, self.troubled) = (BTreeMap::new(), BTreeSet::new());
        let is_remembered = |(user, line, record): &&(LeafUserId, &Line, Option<UserRecord>)| {
            record.as_ref().is_some_and(|record| record.intent.is_none() && is_rejected(record))
                && is_refused(*user, line)
        };
        let has_link = |user| (user, self.given.contains_key(&user));
        self.remembered = rows.iter().filter(is_remembered).map(|(user, ..)| has_link(*user)).collect();
    }

    /// Whether the ledger's key is where it belongs.
    pub(super) fn has_key(&self) -> bool {
        self.night.has_key
    }

    /// Whether this user's refusal was remembered when the run began.
    pub(super) fn remembers(&self, user: LeafUserId) -> bool {
        self.remembered.contains_key(&user)
    }

    /// The users whom a letter may have reached.
    pub(super) fn holders(&self) -> Vec<LeafUserId> {
        self.given.keys().copied().collect()
    }

    pub(super) fn has_told(&self) -> bool {
        self.told.is_some()
    }

    /// The rows of these users ended as refused: from here on links are asked for, and nothing else.
    pub(super) fn begin_asking(&mut self, told: BTreeSet<LeafUserId>) {
        self.told = Some(told);
    }

    /// It is chosen who is to be given a link.
    pub(super) fn on_chosen(&mut self, wall: UnixMillis) {
        self.chosen_at = Some(wall);
    }

    /// What is wrong with a request that leaves, while these are under way.
    pub(super) fn check<'a>(
        &self,
        arrived: &Arrived,
        under_way: impl Iterator<Item = &'a Asked>,
        row: Option<&Line>,
        stara: &Stara,
        wall: UnixMillis,
    ) -> Vec<(&'static str, String)> {
        let mut wrongs = Vec::new();
        let Asked::MagicLink { seconds } = arrived.asked else {
            if self.told.is_some() && arrived.asked != Asked::LeafToken {
                wrongs.push(("links come last", format!("{:?} after the first of them", arrived.asked)));
            }
            wrongs.extend(self.check_remembered(arrived));
            return wrongs;
        };
        let Some(user) = arrived.user else { return wrongs };
        let Some(rules) = self.night.rules.filter(|_| self.night.has_key) else {
            wrongs.push(("links where they are asked for", format!("one for {user}: {:?}", self.night)));
            return wrongs;
        };
        if seconds != rules.lifetime.as_secs() {
            wrongs.push(("links where they are asked for", format!("one for {user} that lives {seconds} s")));
        }
        let others = under_way.filter(|asked| !matches!(asked, Asked::MagicLink { .. } | Asked::LeafToken));
        if let Some(other) = others.into_iter().next() {
            wrongs.push(("links come last", format!("one for {user}, and {other:?} is under way")));
        }
        let was_refused = row.is_some_and(|row| !row.is_right() && stara.has_refused(row));
        let is_told = self.told.as_ref().is_some_and(|told| told.contains(&user));
        if !was_refused || !is_told {
            let what = format!("one for {user}: refused {was_refused}, told so {is_told}");
            wrongs.push(("links for the refused alone", what));
        }
        if self.answered.contains_key(&user) {
            wrongs.push(("one link while it works", format!("{user} was given one a moment ago")));
        }
        // Where the clock went back nobody knows how old it is.
        let wall = self.chosen_at.unwrap_or(wall);
        let given = self.given.get(&user).filter(|given| !rules.anew && given.made_at <= wall);
        if let Some(given) = given.filter(|given| given.works_for_long(wall)) {
            wrongs.push(("one link while it works", format!("{user} has one: {given:?}")));
        }
        wrongs
    }

    /// Whoever was refused costs nothing; who has a link, a look.
    fn check_remembered(&self, arrived: &Arrived) -> Option<(&'static str, String)> {
        let user = arrived.user?;
        let has_link = *self.remembered.get(&user)?;
        let may_look = has_link && self.night.may_look && self.night.has_key;
        let is_look = matches!(arrived.asked, Asked::User | Asked::Credential);
        let what = format!("{:?} for {user}, whose refusal is remembered", arrived.asked);
        (!(may_look && is_look)).then_some(("refused rows cost at most a look", what))
    }

    /// A call for a link goes wrong, or Leaf makes none.
    pub(super) fn on_trouble(&mut self, user: LeafUserId) {
        self.troubled.insert(user);
    }

    /// The client has read a link.
    pub(super) fn on_link(&mut self, user: LeafUserId, made_at: UnixMillis, expires_at: UnixMillis) {
        let before = self.given.insert(user, Given { made_at, expires_at });
        self.answered.insert(user, before);
        self.made += 1;
    }

    /// A row ended.
    pub(super) fn on_finished(&mut self, user: LeafUserId, code: OutcomeCode) {
        if code.is_done() {
            self.given.remove(&user);
            self.done.insert(user);
        }
    }

    /// A run is over; was it whole, and how do ledger and report stand? Tells what is wrong.
    pub(super) fn end(
        &mut self,
        is_whole: bool,
        lines: &[Line],
        codes: &BTreeMap<u64, OutcomeCode>,
        wall: UnixMillis,
        noted: impl Fn(LeafUserId) -> (Option<LinkNote>, Option<UserRecord>),
    ) -> Vec<(&'static str, String)> {
        let mut wrongs = Vec::new();
        for (user, line) in rows(lines) {
            let (note, _) = noted(user);
            if note.is_some() && self.done.contains(&user) {
                wrongs.push(("whoever is done has no link", format!("{user} has {note:?}")));
            }
            let place = lines.iter().position(|other| other == line).unwrap_or_default();
            let is_rejected = codes.get(&(place as u64 + 2)) == Some(&OutcomeCode::StaraLoginRejected);
            let is_excused = self.troubled.contains(&user) || self.troubled.len() >= MANY_IN_VAIN;
            let is_due = is_whole && is_rejected && self.night.rules.is_some() && self.night.has_key;
            if is_due && !is_excused && note.is_none_or(|note| note.expires_at <= wall) {
                wrongs.push(("whoever is refused has a link", format!("{user} has {note:?}")));
            }
        }
        if is_whole {
            let is_lost = |user: LeafUserId| {
                let (note, _) = noted(user);
                note.is_none() || note == self.kept.get(&user).copied()
            };
            let lost = self.answered.keys().filter(|user| is_lost(**user));
            wrongs.extend(lost.map(|user| ("whoever is refused has a link", format!("{user}'s is lost"))));
        }
        // What a crash took away nobody was given: what they had before is what they have. Nor has anybody what a
        // row's end took away, told or not.
        let kept = std::mem::take(&mut self.kept);
        self.given.retain(|user, given| {
            let (note, record) = noted(*user);
            if let Some(before) = self.answered.get(user).filter(|_| note == kept.get(user).copied()) {
                let Some(before) = before else { return false };
                *given = *before;
            }
            self.kept.extend(note.map(|note| (*user, note)));
            note.is_some() || !record.is_some_and(|record| is_done(&record))
        });
        wrongs
    }
}

impl Given {
    /// Whether nobody could want another one yet.
    fn works_for_long(self, wall: UnixMillis) -> bool {
        let life = self.expires_at.elapsed_since(self.made_at).unwrap_or_default();
        let left = self.expires_at.elapsed_since(wall).unwrap_or_default();
        left > Duration::ZERO && left > life / 5
    }
}

fn is_rejected(record: &UserRecord) -> bool {
    record.outcome.as_ref().is_some_and(|last| last.outcome.code == OutcomeCode::StaraLoginRejected)
}

fn is_done(record: &UserRecord) -> bool {
    record.outcome.as_ref().is_some_and(|last| last.outcome.code.is_done())
}
