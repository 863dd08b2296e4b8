//! The stream of rows: as many in flight as there are slots, one at a time for each login unless logins are shared.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinHandle;

use super::carry::Carrier;
use super::context::{Abandoned, RunContext};
use super::event::Event;
use super::reading::RowTask;
use crate::checkpoint::{KeyStanding, OutcomeChange, OutcomeRecord, RefusalChange};
use crate::model::{Login, Outcome, OutcomeCode, Stage, UnixMillis};

/// How many rows may wait for another row with the same login, for each row in flight. They hold their passwords in
/// memory; beyond that the manifest isn't read further.
const WAITING_PER_SLOT: usize = 32;

/// Rows that wait until the row before them with the same login has ended: a second `/token` may void the first
/// one's tokens, and a wrong password must be tried once, not thirty times side by side.
#[derive(Default)]
struct Logins {
    /// Whether rows with one login run side by side all the same (`--share-logins`).
    are_shared: bool,
    /// Every login under way, and the rows that wait for it.
    busy: HashMap<Login, VecDeque<RowTask>>,
    waiting: usize,
    /// Rows whose turn has come.
    ready: VecDeque<RowTask>,
}

impl Logins {
    /// Takes a row in: it is given back if its login is free, else it waits.
    fn enter(&mut self, task: RowTask) -> Option<RowTask> {
        if self.are_shared {
            return Some(task);
        }
        if let Some(waiting) = self.busy.get_mut(&task.login) {
            waiting.push_back(task);
            self.waiting += 1;
            return None;
        }
        self.busy.insert(task.login.clone(), VecDeque::new());
        Some(task)
    }

    /// Takes note that a row with this login ended; the next one becomes ready.
    fn leave(&mut self, login: &Login) {
        let Some(waiting) = self.busy.get_mut(login) else {
            return;
        };
        match waiting.pop_front() {
            Some(next) => {
                self.waiting -= 1;
                self.ready.push_back(next);
            }
            None => {
                self.busy.remove(login);
            }
        }
    }
}

/// Carries every row of `rows` to its end. Returns when all have ended, or when the run is stopped.
///
/// It holds at most one slot of its own, and only while it can give it to a row at once.
pub(super) async fn carry_all(context: &Arc<RunContext>, mut rows: mpsc::Receiver<RowTask>) {
    let most_waiting = context.slots.available_permits().saturating_mul(WAITING_PER_SLOT);
    let mut logins = Logins { are_shared: context.shared_logins.is_some(), ..Logins::default() };
    let mut under_way: FuturesUnordered<JoinHandle<Login>> = FuturesUnordered::new();
    let mut slot: Option<OwnedSemaphorePermit> = None;
    let mut more = true;
    let mut started = 0;
    loop {
        let may_start = !context.hosts.stop.is_draining();
        let is_open = started < context.may_start();
        let can_take =
            may_start && is_open && (!logins.ready.is_empty() || (more && logins.waiting < most_waiting));
        if under_way.is_empty() && !can_take {
            return;
        }
        if !can_take {
            // A parked row may be waiting for it.
            slot = None;
        }
        tokio::select! {
            biased;
            () = context.hosts.stop.aborting() => return,
            Some(ended) = under_way.next(), if !under_way.is_empty() => {
                // A row's panic is caught inside its task, so joining fails only when the runtime is shutting down.
                if let Ok(login) = ended {
                    logins.leave(&login);
                }
            }
            () = context.hosts.stop.draining(), if may_start => {}
            () = context.opening.changed(), if !is_open => {}
            taken = Arc::clone(&context.slots).acquire_owned(), if can_take && slot.is_none() => slot = taken.ok(),
            next = next_row(&mut logins, &mut rows), if can_take && slot.is_some() => match next {
                Next::Row(task) => if let Some(slot) = slot.take() {
                    started += 1;
                    under_way.push(tokio::spawn(carry_one(Arc::clone(context), *task, slot)));
                },
                Next::Waits => {}
                Next::End => more = false,
            },
        }
    }
}

/// What comes next out of the manifest.
enum Next {
    /// A row whose login is free.
    Row(Box<RowTask>),
    /// A row that waits for another one with its login.
    Waits,
    /// Nothing any more.
    End,
}

/// The next row: one whose turn has come, or the next of the manifest. Losing the future loses no row.
async fn next_row(logins: &mut Logins, rows: &mut mpsc::Receiver<RowTask>) -> Next {
    if let Some(ready) = logins.ready.pop_front() {
        return Next::Row(Box::new(ready));
    }
    match rows.recv().await.map(|task| logins.enter(task)) {
        Some(Some(task)) => Next::Row(Box::new(task)),
        Some(None) => Next::Waits,
        None => Next::End,
    }
}

/// Carries one row, and gives its login back when it has ended, however it ended.
async fn carry_one(context: Arc<RunContext>, task: RowTask, slot: OwnedSemaphorePermit) -> Login {
    let carried = AssertUnwindSafe(Carrier::new(&context, &task, slot).carry()).catch_unwind();
    tokio::select! {
        biased;
        () = context.hosts.stop.aborting() => {}
        ended = carried => match ended {
            Ok(Ok(()) | Err(Abandoned)) => {}
            Err(_panic) => record_panic(&context, &task).await,
        },
    }
    task.login
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
        login: task.login.clone(),
        fingerprints: (context.key == KeyStanding::Own).then_some(task.fingerprints),
        record: OutcomeRecord { outcome, finished_at: UnixMillis::now(), run: context.run },
        open_intent: None,
        held: None,
        refusal: RefusalChange::Leave,
    };
    if context.ledger.finish_keeping_intent(change).await.is_ok() {
        let (line, leaf_user_id) = (task.line, task.leaf_user_id);
        let (code, stage) = (OutcomeCode::Internal, Stage::Manifest);
        context.hosts.observer.observe(&Event::RowFinished { line, leaf_user_id, code, stage });
    }
}
