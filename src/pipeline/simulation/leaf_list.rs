//! The simulated list of users, with all that a list may get wrong.

use std::time::Duration;

use serde_json::Value;

use super::arrived::Asked;
use super::leaf::{Leaf, look};
use super::setting::Climate;
use super::world::Answer;
use crate::model::LeafUserId;
use crate::model::simulated::Dice;

impl Leaf {
    /// A page of the list. While it is read, users come before others and push them to another page.
    pub(super) fn list(&mut self, page: u64, now: Duration, climate: &Climate, dice: &mut Dice) -> Answer {
        let second = self.second;
        let listed = self.users.iter_mut().filter(|(_, user)| user.is_open());
        let mut entries: Vec<Value> = Vec::new();
        for (id, user) in listed {
            user.held(now, second, dice);
            let seen = user.look(now, dice.time(climate.lag));
            entries.push(entry(*id, look(&Asked::User, Some(*id), seen, dice).body, dice));
        }
        let total = entries.len();
        if climate.most_troubles > 0 && dice.chance(30) {
            let shift = usize::try_from(dice.roll(3)).unwrap();
            entries.rotate_left(shift.min(total));
        }
        let page = usize::try_from(page).unwrap();
        let shown = entries.into_iter().skip(page * climate.page_size).take(climate.page_size);
        let body = Value::Array(shown.collect());
        let total = climate.tells_total.then_some(total);
        Answer { total, ..Answer::json(200, body) }
    }
}

/// A user as the list shows it: sometimes with a credential that lacks its status.
fn entry(id: LeafUserId, mut shown: Value, dice: &mut Dice) -> Value {
    shown["email"] = Value::from(format!("{id}@agro.example"));
    if let Some(credential) = shown["staraCredentials"].as_object_mut().filter(|_| dice.chance(15)) {
        credential.remove("status");
    }
    shown
}
