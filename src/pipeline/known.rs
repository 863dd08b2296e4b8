//! What the ledger knows of a row, in the words of its journey.

use super::decide::is_login_changed;
use super::journey::{Goal, JourneyStart, KnownCredential, PriorIntent, RowChange};
use crate::checkpoint::{KeyStanding, RowFingerprints, UserRecord};
use crate::model::{Login, OutcomeCode, Stage, UnixMillis};

/// With what a row's journey begins.
pub(super) fn start_of(
    record: &UserRecord,
    login: &Login,
    fingerprints: RowFingerprints,
    key: KeyStanding,
) -> JourneyStart {
    let last = record.outcome.as_ref().map(|record| record.outcome.code);
    let ended_at = record.outcome.as_ref().map(|record| record.outcome.stage);
    let is_comparable = key == KeyStanding::Own;
    let is_changed = is_comparable && record.row.is_some_and(|print| print != fingerprints.row);
    JourneyStart {
        login_changed: is_comparable && is_login_changed(login, record),
        changed: match is_changed && last.is_some_and(OutcomeCode::is_done) {
            false => RowChange::Nothing,
            true if record.login.as_ref() == Some(login) => RowChange::Password,
            true => RowChange::Login,
        },
        look_first: last.is_some_and(OutcomeCode::asks_for_look) || ended_at.is_some_and(was_looked_at),
        ..start_with(record, Goal::Attached, Some(login))
    }
}

/// With what the journey of a user begins that is to lose what it holds.
pub(super) fn start_of_leaver(record: &UserRecord, goal: Goal) -> JourneyStart {
    start_with(record, goal, None)
}

fn start_with(record: &UserRecord, goal: Goal, login: Option<&Login>) -> JourneyStart {
    let now = UnixMillis::now();
    let is_other = |intended: Login| login.is_some_and(|login| *login != intended);
    JourneyStart {
        goal,
        intent: record.intent.clone().map(|intent| PriorIntent {
            age: now.elapsed_since(intent.at),
            attaches: intent.attaches,
            acknowledged: intent.acknowledged,
            over_nothing: intent.over_nothing,
            replacing: intent.replacing,
            removing: intent.removing,
            other_login: intent.login.is_some_and(is_other),
        }),
        known: record.held.clone().map(|held| KnownCredential {
            id: held.id,
            origin: held.origin,
            ours: held.ours,
        }),
        ..JourneyStart::default()
    }
}

/// Whether a row that ended there was looked at or changed at Leaf, so that the next attach isn't the first thing that Leaf
/// hears of it. What was to be seen then is still to be seen.
pub(super) const fn was_looked_at(stage: Stage) -> bool {
    matches!(stage, Stage::Precheck | Stage::Remove)
}
