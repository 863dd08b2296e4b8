//! What is foreseen for one row after another, and what they come to together.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use super::imagined::{Calls, Imagined, LoginFate, Played};
use crate::checkpoint::{Fingerprint, Foreseen, KeyStanding, LineDecision, RowInSight};
use crate::model::{Health, OutcomeCode, Sight, Sign};
use crate::pipeline::budget::FailureBudget;
use crate::pipeline::journey::{JourneyRules, OnExisting};
use crate::pipeline::known::start_of;
use crate::pipeline::listed::is_ended_by_list;
use crate::pipeline::recording::repeats;

/// A row's sign and why; without a sign where Leaf couldn't be asked.
type Verdict = (Option<Sign>, Cow<'static, str>);

/// Foresees row after row of a run with these rules.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) rules: JourneyRules,
    pub(super) key: KeyStanding,
    pub(super) retry_rejected: bool,
    /// Whether a row that the list shows to be attached would end with that.
    pub(super) is_list_proof: bool,
    /// Whether done rows were looked at, too.
    pub(super) is_refreshed: bool,
    /// How many more credentials may be replaced.
    pub(super) changes_left: u32,
    /// The logins and passwords that several rows share, where they do.
    pub(super) shared: HashSet<Fingerprint>,
    /// Those of them that have been put to Stara.
    pub(super) authenticated: HashSet<Fingerprint>,
    pub(super) counts: BTreeMap<Sign, u64>,
    pub(super) unseen: u64,
    /// Rows for which something was sent that isn't settled.
    pub(super) open_intents: u64,
    /// Rows whose credential would be replaced if `--max-changes` or the key allowed it.
    pub(super) not_replaced: u64,
    /// Rows for which Leaf would be changed.
    pub(super) changes: u64,
    pub(super) calls: Calls,
    pub(super) budget: FailureBudget,
    /// Why the run would probably stop before its end.
    pub(super) would_stop: Option<String>,
}

impl Rows {
    /// Foresees a row; `None` for one that is done or healthy, of which there is nothing to say.
    pub(super) fn foresee(&mut self, row: &RowInSight) -> Option<Foreseen> {
        let (sign, why) = match row.decision {
            LineDecision::Refused => (Some(Sign::Refused), said(row.message.as_deref())),
            LineDecision::Keep => self.of_kept(row),
            _ => self.of_work(row),
        };
        match sign {
            Some(sign) => *self.counts.entry(sign).or_default() += 1,
            None => self.unseen += 1,
        }
        let (line, user) = (row.line, row.user);
        (sign != Some(Sign::Healthy)).then_some(Foreseen { line, user, sign, why })
    }

    /// A row that the run leaves alone: done, or waiting for somebody to act.
    fn of_kept(&self, row: &RowInSight) -> Verdict {
        let Some(last) = row.record.outcome.as_ref().map(|record| &record.outcome) else {
            return (Some(Sign::Refused), Cow::Borrowed(""));
        };
        if !last.code.is_done() {
            return (Some(Sign::Refused), told(last.code, &last.message));
        }
        if !self.is_refreshed {
            return (Some(Sign::Healthy), Cow::Borrowed(""));
        }
        match &row.sight {
            None => (None, UNSEEN.into()),
            Some(Sight::Credential(credential)) if credential.health() == Health::Unhealthy => {
                let status = credential.status.as_deref().unwrap_or_default();
                let why =
                    format!("it was done, and Leaf shows status {status} now; audit tells, run leaves it");
                (Some(Sign::Unhealthy), why.into())
            }
            Some(Sight::Credential(_)) => (Some(Sign::Healthy), Cow::Borrowed("")),
            Some(Sight::NoCredential) => {
                let why =
                    "it was done, and Leaf shows no credential now; after an audit the next run attaches it";
                (Some(Sign::Attach), why.into())
            }
            Some(Sight::UnknownUser) => {
                (Some(Sign::Unknown), "it was done, and Leaf knows no such user now".into())
            }
            Some(Sight::Forbidden) => (
                Some(Sign::Refused),
                "it was done, and Leaf doesn't show the user to this account now".into(),
            ),
        }
    }

    /// A row that the run carries out.
    fn of_work(&mut self, row: &RowInSight) -> Verdict {
        let is_open = row.record.intent.is_some();
        self.open_intents += u64::from(is_open);
        let start = start_of(&row.record, &row.login, row.fingerprints, self.key);
        let sight = match &row.sight {
            Some(sight) => sight.clone(),
            None if self.rules.precheck => return (None, UNSEEN.into()),
            None => expected(row),
        };
        if self.is_list_proof
            && row.looks == 0
            && row.decision == LineDecision::ToDo
            && !is_open
            && let Sight::Credential(credential) = &sight
            && is_ended_by_list(credential, self.rules, start.clone())
        {
            return (Some(Sign::Healthy), Cow::Borrowed(""));
        }
        let was_unhealthy = matches!(&sight, Sight::Credential(found) if found.health() == Health::Unhealthy);
        let imagined = Imagined {
            sight,
            is_incomplete: row.looks > 1,
            login: self.fate_of_login(row),
            may_change: (self.key == KeyStanding::Own).then_some(self.changes_left > 0),
        };
        let login_changed = start.login_changed;
        let Some(played) = imagined.play(self.rules, start) else {
            return (None, "a defect of this program: its journey comes to no end".into());
        };
        self.calls = self.calls.and(played.calls);
        self.spend(row, &played);
        if played.calls.stara > 0 && self.shared.contains(&row.fingerprints.login) {
            self.authenticated.insert(row.fingerprints.login);
        }
        self.changes_left -= u32::from(played.removes).min(self.changes_left);
        self.changes += u64::from(played.removes || played.attaches);
        self.not_replaced += u64::from(played.claims && !played.removes);
        let (sign, why) = self.verdict(&played, was_unhealthy, login_changed, is_open);
        (Some(sign), why)
    }

    /// Lets the end of a row count against the failure budget, as the run does.
    fn spend(&mut self, row: &RowInSight, played: &Played) {
        let (code, stage) = (played.finish.outcome.code, played.finish.outcome.stage);
        let status = played.finish.outcome.http_status;
        let is_said = !played.finish.refused || status.is_some();
        let is_new = !repeats(code, &row.record, Some(row.fingerprints.row));
        if is_said && is_new && code != OutcomeCode::NotReached && self.would_stop.is_none() {
            let overspent = self.budget.note(code, stage, status);
            self.would_stop = overspent.map(|overspent| overspent.diagnosis());
        }
    }

    fn fate_of_login(&self, row: &RowInSight) -> LoginFate {
        if row.is_refused && !self.retry_rejected {
            LoginFate::Refused
        } else if self.authenticated.contains(&row.fingerprints.login) {
            LoginFate::Shared
        } else {
            LoginFate::Accepted
        }
    }

    fn verdict(
        &self,
        played: &Played,
        was_unhealthy: bool,
        login_changed: bool,
        is_open: bool,
    ) -> (Sign, Cow<'static, str>) {
        let outcome = &played.finish.outcome;
        let to_replace = if was_unhealthy { Sign::Unhealthy } else { Sign::Replace };
        match outcome.code {
            code if code.is_done() && played.removes => {
                let why = match (login_changed, was_unhealthy) {
                    (true, _) => "the login changed: the credential is replaced",
                    (false, true) => "the credential is unhealthy, and is replaced",
                    (false, false) => "the credential is replaced, as --on-existing says",
                };
                (to_replace, why.into())
            }
            code if code.is_done() && played.attaches => {
                let why = if is_open {
                    "what an earlier run sent isn't settled; Leaf shows no credential"
                } else if self.rules.precheck {
                    "Leaf shows no credential"
                } else {
                    "nothing is known of a credential (--precheck off)"
                };
                (Sign::Attach, why.into())
            }
            code if code.is_done() => (Sign::Healthy, Cow::Borrowed("")),
            OutcomeCode::NotReached if played.claims => (to_replace, outcome.message.clone()),
            OutcomeCode::CredentialUnhealthy => {
                let why = match self.rules.on_existing {
                    OnExisting::Replace => outcome.message.clone(),
                    _ => format!("{}; run leaves it, --on-existing replace replaces it", outcome.message)
                        .into(),
                };
                (Sign::Unhealthy, why)
            }
            OutcomeCode::LeafUserUnknown => (Sign::Unknown, outcome.message.clone()),
            code => (Sign::Refused, told(code, &outcome.message)),
        }
    }
}

const UNSEEN: &str = "Leaf couldn't be asked; nothing is known";

/// An outcome with what is said of it, where something is.
fn told(code: OutcomeCode, message: &str) -> Cow<'static, str> {
    if message.is_empty() { code.as_str().into() } else { format!("{code}: {message}").into() }
}

fn said(message: Option<&str>) -> Cow<'static, str> {
    message.map_or(Cow::Borrowed(""), |message| Cow::Owned(message.to_owned()))
}

/// What the ledger lets expect of a user that nobody looks at.
fn expected(row: &RowInSight) -> Sight {
    let last = row.record.outcome.as_ref().map(|record| record.outcome.code);
    match &row.record.held {
        _ if last == Some(OutcomeCode::LeafUserUnknown) => Sight::UnknownUser,
        Some(held) => Sight::Credential(crate::model::Credential {
            id: Some(held.id.clone()),
            status: Some("OK".to_owned()),
        }),
        None => Sight::NoCredential,
    }
}
