//! Records a row's end: what becomes true with its outcome, in one step, and only then told.

use super::carry::Carrier;
use super::context::Abandoned;
use super::event::Event;
use super::journey::{Finish, Intending};
use crate::checkpoint::{
    HeldCredential, Intent, KeyStanding, OutcomeChange, OutcomeRecord, Refusal, RefusalChange, UserRecord,
};
use crate::model::{CredentialId, Login, NextRun, Origin, OutcomeCode, UnixMillis};

impl Carrier<'_> {
    /// Makes the outcome durable, and only then tells of it.
    pub(super) async fn finish(self, finish: Finish) -> Result<(), Abandoned> {
        let (context, task) = (self.context, self.task);
        let (code, stage, status) = (finish.outcome.code, finish.outcome.stage, finish.outcome.http_status);
        let is_new_answer =
            (!finish.refused || status.is_some()) && !self.is_cut_short && !self.repeats(code);
        let now = UnixMillis::now();
        // Where the clock went back an intent lies in the future, and would never grow old.
        let at = self.intent.as_ref().map_or(now, |intent| intent.at.min(now));
        // What is open was announced for the login of that time.
        let login = self.intent.as_ref().map_or(Some(&task.login), |intent| intent.login.as_ref());
        let open_intent =
            finish.keep_intent.as_ref().map(|kept| intent_of(&kept.intending, at, kept.acknowledged, login));
        let change = OutcomeChange {
            user: task.user,
            login: task.login.clone(),
            fingerprints: (context.key == KeyStanding::Own).then_some(task.fingerprints),
            held: held_after(&finish, &task.record, &task.login, context.run),
            refusal: self.refusal(&finish, now),
            open_intent,
            record: OutcomeRecord { outcome: finish.outcome, finished_at: now, run: context.run },
        };
        context.ledger.finish(change).await.map_err(|error| context.stop_for_ledger(&error))?;
        let (line, leaf_user_id) = (task.line, task.leaf_user_id);
        tracing::debug!(line, user = %leaf_user_id, outcome = %code, %stage, "row ended");
        context.hosts.observer.observe(&Event::RowFinished { line, leaf_user_id, code, stage });
        if is_new_answer && context.count_outcome(code, stage, status) {
            context.record_doubt().await.map_err(|error| context.stop_for_ledger(&error))?;
        }
        Ok(())
    }

    /// Whether an outcome is the one that a look at the unchanged row had last night, and says nothing new.
    fn repeats(&self, code: OutcomeCode) -> bool {
        let record = &self.task.record;
        code.next_run() == NextRun::LooksAgain
            && record.row == Some(self.task.fingerprints.row)
            && record.outcome.as_ref().is_some_and(|last| last.outcome.code == code)
    }

    fn refusal(&self, finish: &Finish, at: UnixMillis) -> RefusalChange {
        let login = self.task.fingerprints.login;
        if self.context.key == KeyStanding::Lost {
            RefusalChange::Leave
        } else if finish.refused && finish.outcome.http_status.is_some() {
            RefusalChange::Add(Refusal { login, http_status: finish.outcome.http_status, at })
        } else if self.withdraws_refusal {
            RefusalChange::Withdraw(login)
        } else {
            RefusalChange::Leave
        }
    }
}

/// The credential that the user of a row is known to hold after this end, where that says so. A credential that was deleted
/// isn't forgotten: if the deletion proves to have had no effect, it is still ours.
pub(super) fn held_after(
    finish: &Finish,
    record: &UserRecord,
    login: &Login,
    run: i64,
) -> Option<HeldCredential> {
    // The run in which it was attached or found: this one, unless it was known before.
    let run_of = |id: &CredentialId| {
        let known = record.held.as_ref().filter(|held| held.id == *id);
        known.map_or(Some(run), |held| held.run)
    };
    let outcome = &finish.outcome;
    let tells = outcome.code.is_done() || outcome.code == OutcomeCode::CredentialUnhealthy;
    if let Some(id) = finish.earlier.clone().filter(|_| !tells) {
        let login = record.intent.as_ref()?.login.clone();
        let (origin, run) = (Some(Origin::Recovered), run_of(&id));
        return Some(HeldCredential { id, ours: true, login, origin, run });
    }
    let id = outcome.credential.as_ref().filter(|_| tells)?.id.clone()?;
    let (login, run) = (Some(login.clone()), run_of(&id));
    Some(HeldCredential { id, ours: finish.ours, login, origin: outcome.origin, run })
}

/// The intent that announces something for a row with this login.
pub(super) fn intent_of(
    intending: &Intending,
    at: UnixMillis,
    acknowledged: bool,
    login: Option<&Login>,
) -> Intent {
    Intent {
        at,
        attaches: intending.attaches,
        acknowledged,
        over_nothing: intending.over_nothing,
        replacing: intending.replacing,
        removing: intending.removing.clone(),
        login: login.cloned(),
    }
}
