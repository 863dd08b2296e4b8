//! What the ledger knows of a row, in the words of its journey.

use super::decide::is_login_changed;
use super::journey::{JourneyStart, KnownCredential, PriorIntent};
use crate::checkpoint::{KeyStanding, RowFingerprints, UserRecord};
use crate::model::{Login, OutcomeCode, UnixMillis};

/// With what a row's journey begins.
pub(super) fn start_of(
    record: &UserRecord,
    login: &Login,
    fingerprints: RowFingerprints,
    key: KeyStanding,
) -> JourneyStart {
    let now = UnixMillis::now();
    let last = record.outcome.as_ref().map(|record| record.outcome.code);
    let is_comparable = key == KeyStanding::Own;
    let is_changed = is_comparable && record.row.is_some_and(|print| print != fingerprints.row);
    JourneyStart {
        intent: record.intent.clone().map(|intent| PriorIntent {
            age: now.elapsed_since(intent.at),
            attaches: intent.attaches,
            acknowledged: intent.acknowledged,
            over_nothing: intent.over_nothing,
            replacing: intent.replacing,
            removing: intent.removing,
            other_login: intent.login.is_some_and(|intended| intended != *login),
        }),
        known: record.held.clone().map(|held| KnownCredential {
            id: held.id,
            origin: held.origin,
            ours: held.ours,
        }),
        login_changed: is_comparable && is_login_changed(login, record),
        password_changed: is_changed && last.is_some_and(OutcomeCode::is_done),
        look_first: last.is_some_and(OutcomeCode::asks_for_look),
    }
}
