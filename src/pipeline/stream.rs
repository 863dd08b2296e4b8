//! The stream of rows: as many in flight as there are slots.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

use super::carry::Carrier;
use super::context::{Abandoned, RunContext};
use super::event::Event;
use super::handover::RowReceiver;
use super::lanes::Lanes;
use super::queue::{Next, RowQueue};
use super::task::RowTask;
use crate::checkpoint::{HeldChange, OutcomeChange, OutcomeRecord, RefusalChange};
use crate::model::{Login, Outcome, OutcomeCode, Stage, UnixMillis};

/// Carries every row of `rows` to its end. Returns when all have ended, or when the run is stopped.
///
/// It holds at most one slot of its own, and only while it can give it to a row at once.
pub(super) async fn carry_all(context: &Arc<RunContext>, lanes: &Lanes, rows: RowReceiver) {
    let are_shared = context.shared_logins.is_some();
    let mut queue = RowQueue::new(rows, context.slots.available_permits(), are_shared);
    let mut under_way: FuturesUnordered<JoinHandle<Option<Login>>> = FuturesUnordered::new();
    let mut slot: Option<OwnedSemaphorePermit> = None;
    let mut started = 0;
    loop {
        queue.open_to_all(under_way.len(), context.opening.resting());
        let may_start = !context.hosts.stop.is_draining();
        let is_open = started < context.may_start();
        let can_take = may_start && is_open && queue.has_next();
        let waits_for_others = !is_open || queue.holds_back();
        if under_way.is_empty() && !can_take {
            return;
        }
        if !can_take {
            // A parked row may be waiting for it.
            slot = None;
        } else if slot.is_none() {
            slot = Arc::clone(&context.slots).try_acquire_owned().ok();
        }
        // Mostly both are here already, and waiting for what is here costs more than taking it.
        if let Some(held) = slot.take() {
            let next = queue.try_next();
            if let Some(Next::Row(task)) = next {
                started += 1;
                under_way.push(lanes.spawn(carry_one(Arc::clone(context), *task, held)));
                continue;
            }
            slot = Some(held);
            if next.is_some() {
                continue;
            }
        }
        tokio::select! {
            biased;
            () = context.hosts.stop.aborting() => {
                // They are ended from here: asking each time that a row goes on whether it still may took 1.7 % of the program's time.
                under_way.iter().for_each(JoinHandle::abort);
                return;
            }
            Some(ended) = under_way.next(), if !under_way.is_empty() => {
                // A row's panic is caught inside its task, so joining fails only when the runtime is shutting down.
                if let Ok(Some(login)) = ended {
                    queue.leave(&login);
                }
            }
            () = context.hosts.stop.draining(), if may_start => {}
            () = context.opening.changed(), if waits_for_others => {}
            taken = Arc::clone(&context.slots).acquire_owned(), if can_take && slot.is_none() => slot = taken.ok(),
            next = queue.next(), if can_take && slot.is_some() => if let Next::Row(task) = next
                && let Some(slot) = slot.take()
            {
                started += 1;
                under_way.push(lanes.spawn(carry_one(Arc::clone(context), *task, slot)));
            },
        }
    }
}

/// Carries one row, and gives its login back when it has ended, however it ended.
async fn carry_one(context: Arc<RunContext>, task: RowTask, slot: OwnedSemaphorePermit) -> Option<Login> {
    match AssertUnwindSafe(Carrier::new(&context, &task, slot).carry()).catch_unwind().await {
        Ok(Ok(()) | Err(Abandoned)) => {}
        Err(_panic) => record_panic(&context, &task).await,
    }
    task.grower.map(|grower| grower.login)
}

/// A panic ends its row and no other. What was sent stays announced, so that the next run looks first.
async fn record_panic(context: &RunContext, task: &RowTask) {
    let outcome = Outcome {
        code: OutcomeCode::Internal,
        origin: None,
        stage: Stage::Manifest,
        http_status: None,
        attempts: 0,
        credential: None,
        message: "a defect of this program ended the row; the error output has the place".into(),
    };
    let change = OutcomeChange {
        user: task.user,
        row: task.decided_row(context.key),
        record: OutcomeRecord { outcome, finished_at: UnixMillis::now(), run: context.run },
        open_intent: None,
        held: HeldChange::Leave,
        refusal: RefusalChange::Leave,
    };
    if context.ledger.finish_keeping_intent(change).await.is_ok() {
        let (line, leaf_user_id) = (task.line, task.leaf_user_id);
        let (code, stage) = (OutcomeCode::Internal, Stage::Manifest);
        context.hosts.observer.observe(&Event::RowFinished { line, leaf_user_id, code, stage });
    }
}
