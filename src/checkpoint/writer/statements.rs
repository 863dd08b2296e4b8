//! What the writer writes, in SQL.

use rusqlite::{CachedStatement, Connection, params};

use super::super::findings::CLEAR;
use super::super::ledger::{REMEMBER, login_succeeded};
use super::super::links::DROP_LINK;
use super::super::measures::write as keep_measures;
use super::super::rates::learn;
use super::super::record::{HeldChange, Intent, OutcomeRecord, RefusalChange, UserKey};
use super::super::saved_events::save_events;
use super::{Change, OutcomeChange};
use crate::model::{CredentialId, Login, Origin, OutcomeCode};

/// What a group is written with. Looking the two long statements up for each row took as long as carrying them out.
pub(super) struct Statements<'a> {
    connection: &'a Connection,
    intend: CachedStatement<'a>,
    finish: CachedStatement<'a>,
    /// Whether any user has a finding or a link, once the group has written something.
    asides: Option<Asides>,
}

/// What users seldom have beside their record.
#[derive(Clone, Copy)]
struct Asides {
    findings: bool,
    links: bool,
}

const ASIDES: &str = "SELECT EXISTS (SELECT 1 FROM findings), EXISTS (SELECT 1 FROM links)";

const INTEND: &str = "UPDATE users SET intent_at = ?2, intent_attaches = ?3, intent_acknowledged = ?4, \
    intent_over_nothing = ?5, intent_replacing = ?6, intent_removing = ?7, intent_login = ?8, \
    intent_run = ?9 WHERE key = ?1";

/// The outcome, the intent and the credential in one statement: it is the write every row waits for. `?21` says whether
/// the intent stays as it is, `?22` whether what is known of the credential does, `?30` whether what is known of the row
/// does.
const FINISH: &str = "UPDATE users SET login = iif(?30, login, ?2), row_print = iif(?30, row_print, ?3), \
    login_print = iif(?30, login_print, ?4), run = ?5, outcome = ?6, \
    origin = ?7, stage = ?8, http_status = ?9, attempts = ?10, credential_id = ?11, credential_status = ?12, \
    finished_at = ?13, message = ?14, \
    intent_at = iif(?21, intent_at, ?15), intent_attaches = iif(?21, intent_attaches, ?16), \
    intent_acknowledged = iif(?21, intent_acknowledged, ?17), \
    intent_over_nothing = iif(?21, intent_over_nothing, ?18), \
    intent_replacing = iif(?21, intent_replacing, ?19), intent_removing = iif(?21, intent_removing, ?20), \
    held_id = iif(?22, held_id, ?23), held_ours = iif(?22, held_ours, ?24), \
    held_login = iif(?22, held_login, ?25), held_origin = iif(?22, held_origin, ?26), \
    intent_login = iif(?21, intent_login, ?27), \
    held_run = iif(?22, held_run, ?28), intent_run = iif(?21, intent_run, ?29) WHERE key = ?1";

/// The cells of an intent, or of none.
#[derive(Default)]
struct IntentCells<'a> {
    at: Option<i64>,
    attaches: u32,
    acknowledged: bool,
    over_nothing: bool,
    replacing: bool,
    removing: Option<&'a str>,
    login: Option<&'a str>,
    run: Option<i64>,
}

impl<'a> IntentCells<'a> {
    fn of(intent: Option<&'a Intent>) -> Self {
        intent.map_or_else(Self::default, |intent| Self {
            at: Some(intent.at.0),
            attaches: intent.attaches,
            acknowledged: intent.acknowledged,
            over_nothing: intent.over_nothing,
            replacing: intent.replacing,
            removing: intent.removing.as_ref().map(CredentialId::as_str),
            login: intent.login.as_ref().map(Login::as_str),
            run: intent.run,
        })
    }
}

impl<'a> Statements<'a> {
    /// The statements, ready to be carried out.
    pub(super) fn new(connection: &'a Connection) -> rusqlite::Result<Self> {
        let (intend, finish) = (connection.prepare_cached(INTEND)?, connection.prepare_cached(FINISH)?);
        Ok(Self { connection, intend, finish, asides: None })
    }

    /// Carries one change out, within whatever transaction there is.
    pub(super) fn apply(&mut self, change: &Change) -> rusqlite::Result<()> {
        match change {
            Change::Intent(user, intent) => self.intend(*user, intent.as_ref())?,
            Change::Outcome(change) => self.finish(change, false)?,
            Change::OutcomeKeepingIntent(change) => self.finish(change, true)?,
            Change::Events(user, events) => save_events(self.connection, *user, events)?,
            Change::Explained(line, why) => {
                self.connection
                    .prepare_cached("UPDATE lines SET message = ?2 WHERE line = ?1")?
                    .execute(params![line, why.as_ref()])?;
            }
            Change::Learned(service, per_second) => learn(self.connection, *service, *per_second)?,
            Change::Measured(run, live, measures) => {
                keep_measures(self.connection, *run, live, measures.as_deref())?;
            }
            Change::LoginSucceeded(dialect) => {
                self.connection
                    .prepare_cached(REMEMBER)?
                    .execute([login_succeeded(*dialect).as_str(), "1"])?;
            }
            Change::RefusalsInDoubt(run, asked) => {
                self.connection
                    .prepare_cached("UPDATE refusals SET asked = ?2 WHERE run = ?1 AND NOT is_settled")?
                    .execute(params![run, asked.map(|asked| asked.0)])?;
            }
        }
        Ok(())
    }

    /// Which asides there are. Asked after the group's first write, when nobody else can add any: a transaction that reads
    /// before it writes can be refused the write. In a run there mostly are none, and deleting what isn't there took as long
    /// as a fifth of the outcome.
    fn asides(&mut self) -> rusqlite::Result<Asides> {
        if let Some(asides) = self.asides {
            return Ok(asides);
        }
        let read = |row: &rusqlite::Row<'_>| Ok(Asides { findings: row.get(0)?, links: row.get(1)? });
        let asides = self.connection.prepare_cached(ASIDES)?.query_row([], read)?;
        Ok(*self.asides.insert(asides))
    }

    /// Opens an intent, or closes it.
    fn intend(&mut self, user: UserKey, intent: Option<&Intent>) -> rusqlite::Result<()> {
        let intent = IntentCells::of(intent);
        self.intend.execute(params![
            user.0,
            intent.at,
            intent.attaches,
            intent.acknowledged,
            intent.over_nothing,
            intent.replacing,
            intent.removing,
            intent.login,
            intent.run,
        ])?;
        Ok(())
    }

    fn finish(&mut self, change: &OutcomeChange, keep_intent: bool) -> rusqlite::Result<()> {
        let OutcomeRecord { outcome, finished_at, run } = &change.record;
        let intent = IntentCells::of(change.open_intent.as_ref());
        let prints = change.row.as_ref().and_then(|row| row.fingerprints);
        let credential = outcome.credential.as_ref();
        let held = match &change.held {
            HeldChange::Holds(held) => Some(held),
            HeldChange::Leave | HeldChange::Nothing => None,
        };
        self.finish.execute(params![
            change.user.0,
            change.row.as_ref().map(|row| row.login.as_str()),
            prints.map(|prints| prints.row.0),
            prints.map(|prints| prints.login.0),
            run,
            outcome.code.as_str(),
            outcome.origin.map(Origin::as_str),
            outcome.stage.as_str(),
            outcome.http_status,
            outcome.attempts,
            credential.and_then(|credential| credential.id.as_ref()).map(CredentialId::as_str),
            credential.and_then(|credential| credential.status.as_deref()),
            finished_at.0,
            (!outcome.message.is_empty()).then_some(outcome.message.as_ref()),
            intent.at,
            intent.attaches,
            intent.acknowledged,
            intent.over_nothing,
            intent.replacing,
            intent.removing,
            keep_intent,
            change.held == HeldChange::Leave,
            held.map(|held| held.id.as_str()),
            held.is_some_and(|held| held.ours),
            held.and_then(|held| held.login.as_ref()).map(Login::as_str),
            held.and_then(|held| held.origin).map(Origin::as_str),
            intent.login,
            held.and_then(|held| held.run),
            intent.run,
            change.row.is_none(),
        ])?;
        if outcome.code.is_done() || outcome.code == OutcomeCode::Detached {
            let asides = self.asides()?;
            if asides.findings {
                // What an audit found before doesn't count any more.
                self.connection.prepare_cached(CLEAR)?.execute([change.user.0])?;
            }
            if asides.links {
                // Whoever is attached, or was offboarded, has no use for a page to sign in on.
                self.connection.prepare_cached(DROP_LINK)?.execute([change.user.0])?;
            }
        }
        match change.refusal {
            RefusalChange::Leave => {}
            RefusalChange::Add(refusal) => {
                self.connection
                    .prepare_cached(
                        "INSERT INTO refusals (login_print, http_status, at, run) VALUES (?1, ?2, ?3, ?4)
                         ON CONFLICT DO UPDATE SET http_status = ?2, at = ?3, run = ?4, asked = NULL, is_settled = 1",
                    )?
                    .execute(params![refusal.login.0, refusal.http_status, refusal.at.0, run])?;
            }
            RefusalChange::Withdraw(login) => {
                self.connection
                    .prepare_cached("DELETE FROM refusals WHERE login_print = ?1")?
                    .execute([login.0])?;
            }
        }
        Ok(())
    }
}
