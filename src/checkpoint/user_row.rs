//! Reads a user from a row of SQLite, column after column: finding each by its name took longer than all the rest.

use std::borrow::Cow;

use rusqlite::Row;
use rusqlite::types::{FromSql, ValueRef};

use super::fingerprint::Fingerprint;
use super::record::{HeldCredential, Intent, OutcomeRecord, UserKey, UserRecord};
use crate::model::{Credential, CredentialId, Login, Outcome, OutcomeCode, Stage, UnixMillis};

/// The columns [`read_user`] reads, in its order.
pub(super) const USER_COLUMNS: &str = "users.key, users.login, users.row_print, users.login_print, \
    users.outcome, users.origin, users.stage, users.http_status, users.attempts, users.credential_id, \
    users.credential_status, users.message, users.finished_at, users.run, \
    users.intent_at, users.intent_attaches, users.intent_acknowledged, users.intent_over_nothing, \
    users.intent_replacing, users.intent_removing, users.intent_login, users.intent_run, \
    users.held_id, users.held_ours, users.held_login, users.held_origin, users.held_run";

/// The columns [`read_outcome`] reads, in its order.
pub(super) const OUTCOME_COLUMNS: &str = "users.outcome, users.origin, users.stage, users.http_status, \
    users.attempts, users.credential_id, users.credential_status, users.message, users.finished_at, users.run";

/// A row's cells, one after another.
pub(super) struct Cells<'a, 'statement> {
    row: &'a Row<'statement>,
    next: usize,
}

impl<'a, 'statement> Cells<'a, 'statement> {
    /// The cells of a row, before its first.
    pub(super) fn of(row: &'a Row<'statement>) -> Self {
        Self { row, next: 0 }
    }

    /// The next cell.
    pub(super) fn next<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    /// The next cell as it lies there: most texts are names of something, and needn't be copied.
    pub(super) fn next_ref(&mut self) -> rusqlite::Result<ValueRef<'a>> {
        self.next += 1;
        self.row.get_ref(self.next - 1)
    }

    fn text(&mut self) -> rusqlite::Result<Option<&'a str>> {
        Ok(self.next_ref()?.as_str_or_null()?)
    }
}

/// Reads the columns of [`USER_COLUMNS`]; `None` where an outer join found no user.
pub(super) fn read_user(cells: &mut Cells<'_, '_>) -> rusqlite::Result<Option<(UserKey, UserRecord)>> {
    let Some(key) = cells.next::<Option<i64>>()? else { return Ok(None) };
    let login = cells.text()?.map(Login::new);
    let row = cells.next::<Option<i64>>()?.map(Fingerprint);
    let login_print = cells.next::<Option<i64>>()?.map(Fingerprint);
    let outcome = read_outcome(cells)?;
    let intent = read_intent(cells)?;
    let held = read_held(cells)?;
    Ok(Some((UserKey(key), UserRecord { login, row, login_print, outcome, intent, held })))
}

/// Reads the columns of [`OUTCOME_COLUMNS`]; `None` where there is no outcome.
pub(super) fn read_outcome(cells: &mut Cells<'_, '_>) -> rusqlite::Result<Option<OutcomeRecord>> {
    let code: Option<OutcomeCode> = cells.text()?.and_then(|name| name.parse().ok());
    let origin = cells.text()?.and_then(|name| name.parse().ok());
    let stage = cells.text()?.and_then(|name| name.parse().ok());
    let http_status = cells.next()?;
    let attempts: Option<u32> = cells.next()?;
    let (id, status) = (cells.text()?, cells.text()?);
    let message = cells.text()?;
    let finished_at: Option<i64> = cells.next()?;
    let run: Option<i64> = cells.next()?;
    let has_credential = id.is_some() || status.is_some();
    Ok(code.map(|code| OutcomeRecord {
        outcome: Outcome {
            code,
            origin,
            stage: stage.unwrap_or(Stage::Manifest),
            http_status,
            attempts: attempts.unwrap_or_default(),
            credential: has_credential.then(|| Credential::new(id, status)),
            message: Cow::Owned(message.map(ToOwned::to_owned).unwrap_or_default()),
        },
        finished_at: UnixMillis(finished_at.unwrap_or_default()),
        run: run.unwrap_or_default(),
    }))
}

fn read_intent(cells: &mut Cells<'_, '_>) -> rusqlite::Result<Option<Intent>> {
    let at: Option<i64> = cells.next()?;
    let intent = Intent {
        at: UnixMillis(at.unwrap_or_default()),
        attaches: cells.next()?,
        acknowledged: cells.next()?,
        over_nothing: cells.next()?,
        replacing: cells.next()?,
        removing: cells.text()?.and_then(CredentialId::new),
        login: cells.text()?.map(Login::new),
        run: cells.next()?,
    };
    Ok(at.map(|_| intent))
}

fn read_held(cells: &mut Cells<'_, '_>) -> rusqlite::Result<Option<HeldCredential>> {
    let id = cells.text()?.and_then(CredentialId::new);
    let ours = cells.next()?;
    let login = cells.text()?.map(Login::new);
    let origin = cells.text()?.and_then(|name| name.parse().ok());
    let run = cells.next()?;
    Ok(id.map(|id| HeldCredential { id, ours, login, origin, run }))
}
