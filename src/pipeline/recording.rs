//! Records a row's end: what becomes true with its outcome, in one step, and only then told.

use super::carry::Carrier;
use super::context::Abandoned;
use super::event::Event;
use super::journey::{Finish, Intending, Message};
use crate::checkpoint::{
    DecidedRow, Fingerprint, HeldChange, HeldCredential, Intent, KeyStanding, OutcomeChange, OutcomeRecord,
    Refusal, RefusalChange, UserRecord,
};
use crate::model::{CredentialId, Login, NextRun, Origin, OutcomeCode, Stage, UnixMillis};

/// What a row is told whose grower is waited for as before.
const STILL_REFUSED: &str = "an earlier run heard Stara refuse this login and password";

impl Carrier<'_> {
    /// Makes the outcome durable, and only then tells of it.
    ///
    /// The slot of a row that ended well is free from here on: nothing more is asked for it, and another row needn't wait for the
    /// disk. One that failed keeps it until it is counted, so that no row begins that the failure budget wouldn't let begin.
    pub(super) async fn finish(mut self, mut finish: Finish) -> Result<(), Abandoned> {
        if finish.outcome.code.is_done() {
            self.give_up_slot();
        }
        let (context, task) = (self.context, self.task);
        let (heard, stage, status) = (finish.outcome.code, finish.outcome.stage, finish.outcome.http_status);
        let is_new_answer =
            (!finish.refused || status.is_some()) && !self.is_cut_short && !self.repeats(heard);
        if self.still_waits_for_grower(&finish) {
            finish.outcome.message = format!("{STILL_REFUSED}; {}", finish.outcome.message).into();
            finish.outcome.code = OutcomeCode::StaraLoginRejected;
        }
        let code = finish.outcome.code;
        let now = UnixMillis::now();
        // Where the clock went back an intent lies in the future, and would never grow old.
        let at = self.intent.as_ref().map_or(now, |intent| intent.at.min(now));
        let open_intent = finish.keep_intent.as_ref().map(|kept| {
            let intent = self.intent_of(&kept.intending, at, kept.acknowledged);
            // What is open was announced for the login of that time, and in that run.
            let (login, run) = self
                .intent
                .as_ref()
                .map_or((intent.login.clone(), intent.run), |earlier| (earlier.login.clone(), earlier.run));
            Intent { login, run, ..intent }
        });
        let login = task.grower.as_ref().map(|grower| &grower.login);
        let change = OutcomeChange {
            user: task.user,
            row: self.decided_row(code),
            held: held_after(&finish, &task.record, login, context.run),
            refusal: self.refusal(&finish, now),
            open_intent,
            record: OutcomeRecord { outcome: finish.outcome, finished_at: now, run: context.run },
        };
        context.ledger.finish(change).await.map_err(|error| context.stop_for_ledger(&error))?;
        let (line, leaf_user_id) = (task.line, task.leaf_user_id);
        tracing::debug!(line, user = %leaf_user_id, outcome = %code, %stage, "row ended");
        context.hosts.observer.observe(&Event::RowFinished { line, leaf_user_id, code, stage });
        if is_new_answer && context.count_outcome(heard, stage, status) {
            context.record_doubt().await.map_err(|error| context.stop_for_ledger(&error))?;
        }
        Ok(())
    }

    /// Whether a look that was to show if the grower has signed in by a magic link showed nothing: then the row waits for the
    /// grower as before, and not for Leaf, and the link stays good.
    fn still_waits_for_grower(&self, finish: &Finish) -> bool {
        let last = self.task.record.outcome.as_ref().map(|last| last.outcome.code);
        let heard = finish.outcome.code;
        let showed_nothing = match heard.next_run() {
            NextRun::TriesAgain => heard != OutcomeCode::Internal,
            NextRun::WaitsForRow => heard == OutcomeCode::LeafUserForbidden,
            _ => false,
        };
        showed_nothing
            && last == Some(OutcomeCode::StaraLoginRejected)
            && self.was_refused()
            && finish.keep_intent.is_none()
    }

    /// Leaves the user's record as it stands, and says at the line why nothing became of it.
    pub(super) async fn leave(self, why: Message) -> Result<(), Abandoned> {
        let (context, task) = (self.context, self.task);
        let written = context.ledger.explain(task.line, why).await;
        written.map_err(|error| context.stop_for_ledger(&error))?;
        let open = task.record.intent.as_ref();
        let code = open.map_or(OutcomeCode::NotReached, |intent| {
            OutcomeCode::of_open(intent.attaches, intent.replacing)
        });
        let (line, leaf_user_id, stage) = (task.line, task.leaf_user_id, Stage::Precheck);
        context.hosts.observer.observe(&Event::RowFinished { line, leaf_user_id, code, stage });
        Ok(())
    }

    /// The intent that announces something now.
    pub(super) fn intent_now(&self, intending: &Intending) -> Intent {
        self.intent_of(intending, UnixMillis::now(), false)
    }

    fn intent_of(&self, intending: &Intending, at: UnixMillis, acknowledged: bool) -> Intent {
        // What takes back an attach is about that attach's login, and the run in which it was announced.
        let takes_back = intending.attaches == 0 && intending.over_nothing;
        let announced = self.task.record.intent.as_ref().filter(|_| takes_back);
        Intent {
            at,
            attaches: intending.attaches,
            acknowledged,
            over_nothing: intending.over_nothing,
            replacing: intending.replacing,
            removing: intending.removing.clone(),
            login: announced.map_or_else(|| self.task.login().cloned(), |intent| intent.login.clone()),
            run: announced.map_or(Some(self.context.run), |intent| intent.run),
        }
    }

    fn repeats(&self, code: OutcomeCode) -> bool {
        let row = self.task.grower.as_ref().map(|grower| grower.fingerprints.row);
        repeats(code, &self.task.record, row)
    }

    /// The row by which the outcome was decided; `None` where the row before it stands. Of one whose credential was taken away
    /// it does, so that what changes of it counts, unless it is to be forgotten.
    fn decided_row(&self, code: OutcomeCode) -> Option<DecidedRow> {
        if code != OutcomeCode::Detached {
            return self.task.decided_row(self.context.key);
        }
        let login = self.task.record.login.clone().filter(|_| self.context.forgets_rows)?;
        Some(DecidedRow { login, fingerprints: None })
    }

    fn refusal(&self, finish: &Finish, at: UnixMillis) -> RefusalChange {
        let Some(login) = self.task.login_print() else { return RefusalChange::Leave };
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

/// Whether an outcome is the one that a look at the unchanged row had last night, and says nothing new.
pub(super) fn repeats(code: OutcomeCode, record: &UserRecord, row: Option<Fingerprint>) -> bool {
    code.next_run() == NextRun::LooksAgain
        && row.is_none_or(|row| record.row == Some(row))
        && record.outcome.as_ref().is_some_and(|last| last.outcome.code == code)
}

/// The credential that the user of a row is known to hold after this end, where that says so. A credential that was deleted
/// isn't forgotten: if the deletion proves to have had no effect, it is still ours.
pub(super) fn held_after(
    finish: &Finish,
    record: &UserRecord,
    login: Option<&Login>,
    run: i64,
) -> HeldChange {
    if finish.outcome.code == OutcomeCode::Detached {
        return HeldChange::Nothing;
    }
    held_by(finish, record, login, run).map_or(HeldChange::Leave, HeldChange::Holds)
}

fn held_by(finish: &Finish, record: &UserRecord, login: Option<&Login>, run: i64) -> Option<HeldCredential> {
    // The run in which it was attached or found: this one, unless it was known before.
    let run_of = |id: &CredentialId| {
        let known = record.held.as_ref().filter(|held| held.id == *id);
        known.map_or(Some(run), |held| held.run)
    };
    let outcome = &finish.outcome;
    let tells = outcome.code.is_done() || outcome.code == OutcomeCode::CredentialUnhealthy;
    if let Some(id) = finish.earlier.clone().filter(|_| !tells) {
        let intent = record.intent.as_ref()?;
        let (login, origin, run) = (intent.login.clone(), Some(Origin::Recovered), intent.run);
        return Some(HeldCredential { id, ours: true, login, origin, run });
    }
    let id = outcome.credential.as_ref().filter(|_| tells)?.id.clone()?;
    let (login, run) = (login.cloned(), run_of(&id));
    Some(HeldCredential { id, ours: finish.ours, login, origin: outcome.origin, run })
}
