//! What must be true when nothing has gone wrong for long enough: one working credential a user, the right one.

use std::collections::BTreeMap;

use super::manifest::{Line, rows};
use super::setting::{Setting, Standing};
use super::world::World;
use crate::model::{LeafUserId, OutcomeCode};
use crate::pipeline::OnExisting;

/// Holds what is at Leaf in the end against the last manifest, and the outcomes (by line) against what is at Leaf.
pub(super) fn check_ending(world: &mut World, setting: &Setting, outcomes: &BTreeMap<u64, OutcomeCode>) {
    let rows: Vec<(LeafUserId, Line)> =
        rows(setting.last_manifest()).map(|(user, line)| (user, line.clone())).collect();
    for (user, line) in rows {
        let Some((held, is_foreign_there)) = world.holds(user) else { continue };
        let standing = setting.users[&user];
        let place = setting.last_manifest().iter().position(|other| *other == line).unwrap_or_default();
        let code = outcomes.get(&(place as u64 + 2)).copied();
        if world.has_signed_in(user) {
            let is_kept = setting.on_existing == OnExisting::Keep;
            check_signed_in(world, user, code.filter(|_| is_kept), is_foreign_there);
            continue;
        }
        let stays = matches!(standing, Standing::Held { .. }) && setting.on_existing != OnExisting::Replace;
        if stays && !is_foreign_there {
            let what = format!("{user} holds {held:?}");
            world.oracle.object("somebody else's credential stays", &what);
        }
        let may_stay_behind = setting.most_changes == 0 && code == Some(OutcomeCode::NotReached);
        let is_ours = standing == Standing::Bare;
        if is_ours && line.is_right() && !may_stay_behind && held.as_deref() != Some(line.login.as_str()) {
            let what = format!("{user} holds {held:?}, its row is {line:?}, {code:?}");
            world.oracle.object("in the end one working credential a user", &what);
        }
        // Whoever had none, and was refused, has none.
        let is_told = code.is_some_and(OutcomeCode::is_done);
        if is_ours && is_told && held.is_none() {
            world
                .oracle
                .object("in the end one working credential a user", &format!("{user} has none, {code:?}"));
        }
    }
}

/// Whoever signed in by themselves keeps what they made, and where what is there is kept (its row has this code) that is told.
fn check_signed_in(world: &mut World, user: LeafUserId, code: Option<OutcomeCode>, is_foreign_there: bool) {
    let may_be_exchanged = world.leaf.users.get(&user).is_some_and(|user| user.may_make_way);
    let rule = "whoever signed in is left alone";
    if !is_foreign_there && !may_be_exchanged {
        world.oracle.object(rule, &format!("{user} has lost what they made"));
    }
    let Some(code) = code else { return };
    let is_ours = world.oracle.recorded(user).and_then(|record| record.held).is_some_and(|held| held.ours);
    if code != OutcomeCode::AlreadyAttached || is_ours {
        world.oracle.object(rule, &format!("{user} signed in and ended as {code}, ours {is_ours}"));
    }
}
