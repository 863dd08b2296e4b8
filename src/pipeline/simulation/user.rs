//! One user at Leaf: what it holds, and what is still to come into effect.

use std::collections::BTreeMap;
use std::time::Duration;

use super::setting::{SecondAttach, Standing};
use crate::model::simulated::Dice;

/// A credential at Leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) id: u32,
    /// The login that it was got with; `None` where somebody else attached it.
    pub(super) login: Option<String>,
    /// From when on its status is good.
    pub(super) healthy_from: Duration,
}

/// What a request does to a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// Attaches what was got with this login.
    Attach { login: String },
    /// Takes away what is there; this one was meant.
    Remove { meant: Option<String> },
}

#[derive(Debug)]
pub(super) struct User {
    pub(super) standing: Standing,
    /// Whether what somebody else attached may be deleted.
    pub(super) may_make_way: bool,
    /// Effects under way, in the order in which they will come.
    pending: BTreeMap<(Duration, u32), Change>,
    /// What the user held from when on.
    history: Vec<(Duration, Option<Held>)>,
    /// The moment that the last look showed.
    sampled: Duration,
    /// Whether somebody else has put another credential there.
    pub(super) is_exchanged: bool,
    /// Whether its grower has signed in by themselves.
    pub(super) has_signed_in: bool,
    /// What must never happen, and did.
    pub(super) wrongs: Vec<String>,
}

impl User {
    pub(super) fn new(standing: Standing, id: u32, may_make_way: bool) -> Self {
        let held = match standing {
            Standing::Held { healthy } => {
                let healthy_from = if healthy { Duration::ZERO } else { Duration::MAX };
                Some(Held { id, login: None, healthy_from })
            }
            _ => None,
        };
        Self {
            standing,
            may_make_way,
            pending: BTreeMap::new(),
            history: vec![(Duration::ZERO, held)],
            sampled: Duration::ZERO,
            is_exchanged: false,
            has_signed_in: false,
            wrongs: Vec::new(),
        }
    }

    /// Somebody else puts a credential of their own in the place of the one that was there before us, if it is.
    pub(super) fn exchange(&mut self, id: u32, now: Duration) {
        if matches!(self.current(), Some(Held { login: None, .. })) {
            let held = Held { id, login: None, healthy_from: Duration::ZERO };
            self.history.push((now, Some(held)));
            self.is_exchanged = true;
        }
    }

    /// Its grower signs in by themselves, if it holds nothing and nothing is on its way; tells whether they did.
    pub(super) fn sign_in(&mut self, id: u32, now: Duration) -> bool {
        let may = self.is_open() && self.pending.is_empty() && self.current().is_none();
        if may {
            self.history.push((now, Some(Held { id, login: None, healthy_from: now })));
            self.has_signed_in = true;
        }
        may
    }

    /// Whether requests for it have any effect.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.standing, Standing::Bare | Standing::Held { .. })
    }

    /// What the user holds once everything up to `now` has come into effect.
    pub(super) fn held(&mut self, now: Duration, second: SecondAttach, dice: &mut Dice) -> Option<Held> {
        while let Some(entry) = self.pending.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((at, number), change) = entry.remove_entry();
            self.apply(&change, number, at, second, dice);
        }
        self.current()
    }

    fn current(&self) -> Option<Held> {
        self.history.last().and_then(|(_, held)| held.clone())
    }

    /// Whether an attach is still on its way.
    pub(super) fn has_attach_under_way(&self) -> bool {
        self.pending.values().any(|change| matches!(change, Change::Attach { .. }))
    }

    /// Applies a change of request `number`, and tells whether it took effect.
    pub(super) fn apply(
        &mut self,
        change: &Change,
        number: u32,
        at: Duration,
        second: SecondAttach,
        dice: &mut Dice,
    ) -> bool {
        let held = match (change, self.current()) {
            (Change::Attach { .. }, Some(_)) if second != SecondAttach::Replaces => return false,
            (Change::Attach { login }, held) => {
                match held {
                    Some(Held { login: Some(_), .. }) => self.wrongs.push("attached twice".to_owned()),
                    Some(_) => self.wrongs.push("took the place of somebody else's credential".to_owned()),
                    None => {}
                }
                let recovers = if dice.chance(10) { Duration::from_secs(10) } else { Duration::ZERO };
                Some(Held { id: number, login: Some(login.clone()), healthy_from: at + recovers })
            }
            (Change::Remove { .. }, None) => return false,
            (Change::Remove { meant }, Some(held)) => {
                if meant.as_deref() != Some(name(held.id).as_str()) {
                    self.wrongs.push(format!("deleted {} instead of {meant:?}", name(held.id)));
                }
                if held.login.is_none() && !self.may_make_way {
                    self.wrongs.push("robbed of somebody else's credential".to_owned());
                }
                None
            }
        };
        self.history.push((at, held));
        true
    }

    pub(super) fn apply_later(&mut self, change: Change, number: u32, at: Duration) {
        self.pending.insert((at, number), change);
    }

    /// What a look shows that lags behind by `lag`. What was seen once is not unseen: it lags behind the world, but not
    /// behind the look before it.
    pub(super) fn look(&mut self, now: Duration, lag: Duration) -> Option<(Held, bool)> {
        let sampled = now.saturating_sub(lag).max(self.sampled);
        self.sampled = sampled;
        let entry = self.history.iter().rev().find(|(from, _)| *from <= sampled);
        let held = entry.and_then(|(_, held)| held.clone())?;
        let is_healthy = held.healthy_from <= sampled;
        Some((held, is_healthy))
    }
}

/// A credential's id at Leaf.
pub(super) fn name(id: u32) -> String {
    format!("c{id}")
}
