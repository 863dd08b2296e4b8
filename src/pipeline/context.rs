//! What all rows of a run share: the hosts, the ledger, what is known of logins, and how far the run has opened.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, Semaphore};

use super::budget::FailureBudget;
use super::hosts::Hosts;
use super::journey::{Goal, JourneyRules};
use super::lending::Lending;
use super::refusals::{Doubt, Refusals};
use super::shared_logins::SharedLogins;
use super::stop::StopCause;
use crate::checkpoint::{Approach, KeyStanding, LedgerError, LedgerHandle};
use crate::model::{OutcomeCode, Stage};

/// What all rows of a run share.
pub(super) struct RunContext {
    pub(super) run: i64,
    /// What every row is to come to.
    pub(super) goal: Goal,
    pub(super) rules: JourneyRules,
    pub(super) hosts: Hosts,
    pub(super) ledger: LedgerHandle,
    pub(super) key: KeyStanding,
    pub(super) approach: Approach,
    pub(super) retry_rejected: bool,
    pub(super) refusals: Refusals,
    /// What rows share with `--share-logins`; without it they run one after another.
    pub(super) shared_logins: Option<SharedLogins>,
    /// Whether the row of a user who is detached is forgotten, so that nothing counts as its change.
    pub(super) forgets_rows: bool,
    pub(super) changes_left: AtomicU32,
    pub(super) budget: Mutex<FailureBudget>,
    pub(super) opening: Opening,
    pub(super) slots: Arc<Semaphore>,
    pub(super) parking: Semaphore,
    /// How many rows may have given their slots to others while they wait for the disk.
    pub(super) lending: Lending,
}

/// How far the run has opened: how many rows have ended, or rest and keep nobody waiting.
#[derive(Debug, Default)]
pub(super) struct Opening {
    passed: AtomicU64,
    resting: AtomicUsize,
    changed: Notify,
}

impl Opening {
    /// Takes note that a row is parked or throttled for the first time: from here to its end nobody waits for it.
    pub(super) fn rest(&self) {
        self.passed.fetch_add(1, Ordering::Relaxed);
        self.resting.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// Takes note that a row has ended, which was resting or not.
    pub(super) fn end(&self, was_resting: bool) {
        if was_resting {
            self.resting.fetch_sub(1, Ordering::Relaxed);
        } else {
            self.passed.fetch_add(1, Ordering::Relaxed);
        }
        self.changed.notify_one();
    }

    /// How many of the rows that haven't ended nobody waits for.
    pub(super) fn resting(&self) -> usize {
        self.resting.load(Ordering::Relaxed)
    }

    /// Waits until another row rests or has ended.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}

/// The row is left as the ledger has it: the run is being stopped, and no row is to blame.
#[derive(Debug)]
pub(super) struct Abandoned;

impl RunContext {
    /// How many rows may have been started by now.
    pub(super) fn may_start(&self) -> u64 {
        self.budget().may_start(self.opening.passed.load(Ordering::Relaxed))
    }

    /// Counts a row that was decided by a new answer, and stops the run when it goes wrong for everybody; tells whether it
    /// did.
    pub(super) fn count_outcome(&self, code: OutcomeCode, stage: Stage, status: Option<u16>) -> bool {
        if matches!(code, OutcomeCode::Throttled | OutcomeCode::NotReached) {
            // Nobody said anything about this row.
            return false;
        }
        if let Goal::Detached { .. } = self.goal {
            match code {
                OutcomeCode::Detached => {
                    self.budget().note_success();
                    return false;
                }
                // It was left alone on purpose.
                OutcomeCode::LeafCredentialsExist => return false,
                _ => {}
            }
        }
        let Some(overspent) = self.budget().note(code, stage, status) else { return false };
        let diagnosis = overspent.diagnosis();
        let cause = if overspent.is_forbidden() {
            StopCause::Forbidden { diagnosis }
        } else {
            self.refusals.doubt();
            StopCause::TooManyFailures { diagnosis }
        };
        self.hosts.drain(cause);
        true
    }

    /// Writes down what to think of this run's refusals, where it was stopped because it goes wrong for everybody. What
    /// is under way then may still change it, so this is done again at the end.
    pub(super) async fn record_doubt(&self) -> Result<(), LedgerError> {
        match self.refusals.doubted() {
            None => Ok(()),
            Some(Doubt::Standing) => self.ledger.doubt_refusals(self.run, Some(self.approach)).await,
            Some(Doubt::Cleared) => self.ledger.doubt_refusals(self.run, None).await,
        }
    }

    fn budget(&self) -> MutexGuard<'_, FailureBudget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stop_for_ledger(&self, error: &LedgerError) -> Abandoned {
        tracing::error!(%error, "the ledger can't be written");
        self.hosts.drain(StopCause::LedgerUnwritable { reason: error.to_string() });
        // Nothing that is under way can be recorded any more.
        self.hosts.stop.abort();
        Abandoned
    }
}
