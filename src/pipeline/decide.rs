//! What is left to do for a row: a pure function of the row, the ledger, and what the user asked for.

use std::collections::HashSet;

use crate::checkpoint::{
    Fingerprint, KeyStanding, LineDecision, OutcomeRecord, StagedRow, StagedUser, StandingFinding, UserRecord,
};
use crate::model::{Finding, LeafUserId, Login, NextRun, OutcomeCode};

/// What the user asked for, as far as it decides which rows are carried out.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Rows that Leaf refused are tried again (`--retry-failed`).
    pub retry_failed: bool,
    /// Refused logins are tried again (`--retry-rejected`).
    pub retry_rejected: bool,
    /// Only these users (`--only`); all when empty.
    pub only: HashSet<LeafUserId>,
    /// Users with a magic link, whose refused login is remembered, are looked at: they may have signed in by themselves.
    pub looks_after_links: bool,
}

/// Decides row after row. `--limit` is no matter of one row: it is applied when all are decided.
#[derive(Debug)]
pub(super) struct Decider<'a> {
    selection: &'a Selection,
    key: KeyStanding,
}

impl<'a> Decider<'a> {
    pub(super) fn new(selection: &'a Selection, key: KeyStanding) -> Self {
        Self { selection, key }
    }

    /// The decision for one row.
    pub(super) fn decide(&self, row: &StagedRow, user: &StagedUser) -> LineDecision {
        let is_selected = self.selection.only.is_empty() || self.selection.only.contains(&row.leaf_user_id);
        if !is_selected {
            return LineDecision::NotSelected;
        }
        let decision = self.what_is_left(row, user);
        if self.waits_for_grower(decision, user) { LineDecision::ToDo } else { decision }
    }

    /// Whether nothing would be done for a row because its login was refused, though the grower may have signed in by the link
    /// that they were given. Stara isn't asked for it either way: the refusal is remembered.
    fn waits_for_grower(&self, decision: LineDecision, user: &StagedUser) -> bool {
        let last = || user.record.as_ref().and_then(|record| record.outcome.as_ref());
        let is_remembered = match decision {
            LineDecision::Refused => true,
            LineDecision::Keep => {
                last().is_some_and(|last| last.outcome.code == OutcomeCode::StaraLoginRejected)
            }
            _ => false,
        };
        // Beside a credential of ours a look would lead to its replacement, and so to Stara.
        let holds_ours =
            user.record.as_ref().and_then(|record| record.held.as_ref()).is_some_and(|held| held.ours);
        is_remembered
            && !holds_ours
            && self.selection.looks_after_links
            && user.has_link
            // What is kept for its refusal is remembered by its own record, if by nothing else.
            && (user.refusal.is_some() || decision == LineDecision::Keep)
            && self.key == KeyStanding::Own
    }

    fn what_is_left(&self, row: &StagedRow, user: &StagedUser) -> LineDecision {
        let is_refused = user.refusal.is_some() && !self.selection.retry_rejected;
        let unless_refused = if is_refused { LineDecision::Refused } else { LineDecision::ToDo };
        let Some(record) = &user.record else {
            return unless_refused;
        };
        if record.intent.is_some() {
            // Whatever else is known: something that was sent isn't settled.
            return LineDecision::ToDo;
        }
        let Some(outcome) = &record.outcome else {
            return unless_refused;
        };
        let changed = self.changed(row, record);
        match outcome.outcome.code {
            code if code.is_done() => match of_a_done_row(row, record, changed, is_refused) {
                // The look comes first, and tells whether the audit was right.
                LineDecision::Keep if user.finding.is_some_and(asks_for_look) => LineDecision::ToDo,
                decision => decision,
            },
            OutcomeCode::StaraLoginRejected => {
                let same_login = is_refused_by_record(record, &row.login, row.fingerprints.login);
                let waits = (same_login && !user.is_reopened) || self.key == KeyStanding::Lost;
                if waits && !self.selection.retry_rejected { LineDecision::Keep } else { unless_refused }
            }
            // Offboarded for good: it takes the user's name to bring it back.
            OutcomeCode::Detached if record.row.is_none() => {
                let is_named = self.selection.retry_failed && self.selection.only.contains(&row.leaf_user_id);
                if is_named { unless_refused } else { LineDecision::Keep }
            }
            code if matches!(code.next_run(), NextRun::WaitsForRow | NextRun::WaitsForName) => {
                if changed || self.selection.retry_failed { unless_refused } else { LineDecision::Keep }
            }
            // Whether the look leads to Stara or not: without the key nobody would know the refused password there.
            code if code.next_run() == NextRun::LooksAgain && is_refused && self.key == KeyStanding::Lost => {
                LineDecision::Refused
            }
            // These look at Leaf first; only if that leads to Stara is the refusal remembered there.
            code if code.next_run() == NextRun::LooksAgain => LineDecision::ToDo,
            _ => unless_refused,
        }
    }

    /// Whether the row differs from the one that was decided last, as far as that can be told.
    fn changed(&self, row: &StagedRow, record: &UserRecord) -> bool {
        self.key == KeyStanding::Own && record.row.is_some_and(|print| print != row.fingerprints.row)
    }
}

/// Whether a user's own record says that Stara refused this login and password. Without a fingerprint of the ledger's own
/// key only the login can be compared.
pub(super) fn is_refused_by_record(record: &UserRecord, login: &Login, print: Fingerprint) -> bool {
    let is_rejected = |last: &OutcomeRecord| last.outcome.code == OutcomeCode::StaraLoginRejected;
    record.outcome.as_ref().is_some_and(is_rejected)
        && match record.login_print {
            Some(refused) => refused == print,
            None => record.login.as_ref() == Some(login),
        }
}

/// Whether an audit found that a row isn't done after all. A credential that isn't ours stays as it is.
fn asks_for_look(found: StandingFinding) -> bool {
    match found.finding {
        Finding::Missing | Finding::Unhealthy | Finding::UnknownUser => true,
        Finding::Foreign => false,
    }
}

/// A changed login replaces a credential of ours. A changed password leaves a healthy credential as it is, which takes a
/// look to know.
fn of_a_done_row(row: &StagedRow, record: &UserRecord, changed: bool, is_refused: bool) -> LineDecision {
    let login_changed = record.login.as_ref() != Some(&row.login);
    match &record.held {
        _ if !changed => LineDecision::Keep,
        _ if !login_changed => LineDecision::ToDo,
        _ if is_refused => LineDecision::Refused,
        Some(held) if held.ours => LineDecision::Replace,
        _ => LineDecision::ToDo,
    }
}

/// What is left to do for a user that is to lose its credential: nothing, where an earlier run saw it gone, and neither a
/// run nor an audit has seen anything of one since.
pub(super) fn decide_leaver(user: &StagedUser) -> LineDecision {
    let is_detached = |record: &UserRecord| {
        let last = record.outcome.as_ref().map(|record| record.outcome.code);
        last == Some(OutcomeCode::Detached) && record.held.is_none() && record.intent.is_none()
    };
    let is_over = user.finding.is_none() && user.record.as_ref().is_some_and(is_detached);
    if is_over { LineDecision::Keep } else { LineDecision::ToDo }
}

/// Whether the row's login isn't the one its credential was attached with, so that the credential is to be replaced.
pub(super) fn is_login_changed(row: &Login, record: &UserRecord) -> bool {
    record
        .held
        .as_ref()
        .is_some_and(|held| held.ours && held.login.as_ref().is_some_and(|login| login != row))
}

#[cfg(test)]
mod tests;
