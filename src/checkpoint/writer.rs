//! The one thread that writes during a run: takes whatever is queued, commits once, wakes every waiter.

#[cfg(test)]
mod simulated;
mod statements;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::approach::Approach;
use super::error::LedgerError;
use super::ledger::Ledger;
use super::measures::{LiveState, RunMeasures};
use super::record::{DecidedRow, HeldChange, Intent, OutcomeRecord, RefusalChange, SavedEvent, UserKey};
use crate::model::{Dialect, Lane, Service};
use statements::Statements;

/// The most writes in one commit, and in the queue. Groups of 256 cost half as much a row as groups of 64; more gain little.
const LARGEST_GROUP: usize = 512;

/// Owns the ledger during a run.
#[derive(Debug)]
pub struct LedgerWriter {
    /// Gives the ledger back when everything is written.
    ended: oneshot::Receiver<Ledger>,
}

/// How long a group waits for more, where many rows are in flight. It makes fewer commits, and so fewer flushes and fewer pages that
/// are written; a row's own calls take longer than this, and other rows use the time.
const LINGER: Duration = Duration::from_millis(3);

/// From how many writes on a group doesn't wait for more.
const LINGERED_FOR: usize = 256;

/// Hands writes to the writer and waits until they are durable. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LedgerHandle {
    queue: mpsc::Sender<Write>,
    path: PathBuf,
    /// Why the writer gave up, once it has.
    failure: Arc<OnceLock<String>>,
}

struct Write {
    change: Change,
    /// Sent when the change is durable, dropped when it never will be.
    done: oneshot::Sender<()>,
    /// Where it is waited for.
    lane: Lane,
}

enum Change {
    Intent(UserKey, Option<Intent>),
    Outcome(Box<OutcomeChange>),
    OutcomeKeepingIntent(Box<OutcomeChange>),
    Events(UserKey, Vec<SavedEvent>),
    LoginSucceeded(Dialect),
    Learned(Service, f64),
    RefusalsInDoubt(i64, Option<Approach>),
    Explained(u64, Cow<'static, str>),
    Measured(i64, Box<LiveState>, Option<Box<RunMeasures>>),
}

/// Everything that becomes true with an outcome, in one step.
#[derive(Debug)]
pub struct OutcomeChange {
    /// The user.
    pub user: UserKey,
    /// The row that was decided; `None` leaves what was known of it.
    pub row: Option<DecidedRow>,
    /// How it ended.
    pub record: OutcomeRecord,
    /// The intent that stays open; `None` closes it.
    pub open_intent: Option<Intent>,
    /// What is now known of the credential that the user holds.
    pub held: HeldChange,
    /// What is now known of the login.
    pub refusal: RefusalChange,
}

impl LedgerWriter {
    /// Gives the ledger to a thread of its own, for waiters here and on these lanes, from the second on.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(ledger: Ledger, lanes: &[Handle]) -> Result<(Self, LedgerHandle), LedgerError> {
        let (queue, receiver) = mpsc::channel(LARGEST_GROUP);
        let path = ledger.path().to_owned();
        let failed = |source| LedgerError::File { path: path.clone(), source };
        let failure = Arc::new(OnceLock::new());
        let told = Arc::clone(&failure);
        let (give_back, ended) = oneshot::channel();
        let started = (Self { ended }, LedgerHandle { queue, path: path.clone(), failure });
        #[cfg(test)]
        if crate::model::simulated::is_on() {
            tokio::spawn(simulated::write_until_closed(ledger, receiver, told, give_back));
            return Ok(started);
        }
        let here = Handle::current();
        let durable: Vec<_> = std::iter::once(&here)
            .chain(lanes)
            .map(|lane| {
                let (durable, groups) = mpsc::unbounded_channel();
                lane.spawn(wake(groups));
                durable
            })
            .collect();
        std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || {
                // Where nobody waits for the ledger any more, it is closed.
                let _ = give_back.send(write_until_closed(ledger, receiver, &durable, &told));
            })
            .map_err(failed)?;
        Ok(started)
    }

    /// Waits until every handle is gone and everything handed over is written, and gives the ledger back.
    ///
    /// # Errors
    ///
    /// When the thread didn't end in order.
    pub async fn finish(self, handle: LedgerHandle) -> Result<Ledger, LedgerError> {
        let path = handle.path.clone();
        drop(handle);
        let reason = "its writer ended unexpectedly".to_owned();
        self.ended.await.map_err(|_| LedgerError::WriterGone { path, reason })
    }
}

impl LedgerHandle {
    /// Makes it durable that something is about to be sent. To be waited for before it is sent.
    ///
    /// # Errors
    ///
    /// When it couldn't be written; then nothing may be sent.
    pub async fn intend(&self, user: UserKey, intent: Intent) -> Result<(), LedgerError> {
        self.write(Change::Intent(user, Some(intent))).await
    }

    /// Takes back an intent whose request surely wasn't processed, leaving the one before it, if there was one.
    ///
    /// # Errors
    ///
    /// When it couldn't be written.
    pub async fn withdraw(&self, user: UserKey, earlier: Option<Intent>) -> Result<(), LedgerError> {
        self.write(Change::Intent(user, earlier)).await
    }

    /// Makes an outcome durable with all that comes with it. To be waited for before it is counted, shown or reported.
    ///
    /// # Errors
    ///
    /// When it couldn't be written.
    pub async fn finish(&self, change: OutcomeChange) -> Result<(), LedgerError> {
        self.write(Change::Outcome(Box::new(change))).await
    }

    /// As [`LedgerHandle::finish`], but the intent stays as it is, because nobody knows what became of it.
    ///
    /// # Errors
    ///
    /// When it couldn't be written.
    pub async fn finish_keeping_intent(&self, change: OutcomeChange) -> Result<(), LedgerError> {
        self.write(Change::OutcomeKeepingIntent(Box::new(change))).await
    }

    /// Says at a line of the latest run why nothing became of it; its user's record stays as it is.
    ///
    /// # Errors
    ///
    /// When it couldn't be written.
    pub async fn explain(&self, line: u64, why: Cow<'static, str>) -> Result<(), LedgerError> {
        self.write(Change::Explained(line, why)).await
    }

    /// Saves Leaf's log of a credential that is about to be deleted.
    ///
    /// # Errors
    ///
    /// When it couldn't be written.
    pub async fn save_events(&self, user: UserKey, events: Vec<SavedEvent>) -> Result<(), LedgerError> {
        self.write(Change::Events(user, events)).await
    }

    /// Records that a login succeeded in this dialect.
    ///
    /// # Errors
    ///
    /// When it couldn't be written.
    pub async fn login_succeeded(&self, dialect: Dialect) -> Result<(), LedgerError> {
        self.write(Change::LoginSucceeded(dialect)).await
    }

    /// Keeps what was learned of a host's quota, in requests a second. Nobody waits for it, and where the queue is full
    /// it is left out: it is written again when the run ends.
    pub fn learn(&self, service: Service, per_second: f64) {
        let (done, _) = oneshot::channel();
        let _ = self.queue.try_send(Write {
            change: Change::Learned(service, per_second),
            done,
            lane: Lane::current(),
        });
    }

    /// Keeps how a run stands and, where it is given, what it has measured. Nobody waits for it, and where the queue is full it is
    /// left out: the next one says all that it would have said.
    pub fn measure(&self, run: i64, live: LiveState, measures: Option<RunMeasures>) {
        let (done, _) = oneshot::channel();
        let change = Change::Measured(run, Box::new(live), measures.map(Box::new));
        let _ = self.queue.try_send(Write { change, done, lane: Lane::current() });
    }

    /// Records how Stara was asked where it refused everybody in this run, so that its refusals are open again to a run that
    /// asks otherwise; `None` makes ordinary refusals of them.
    ///
    /// # Errors
    ///
    /// When it couldn't be written.
    pub async fn doubt_refusals(&self, run: i64, asked: Option<Approach>) -> Result<(), LedgerError> {
        self.write(Change::RefusalsInDoubt(run, asked)).await
    }

    async fn write(&self, change: Change) -> Result<(), LedgerError> {
        let gone = || LedgerError::WriterGone {
            path: self.path.clone(),
            reason: self.failure.get().map_or("its writer ended unexpectedly", String::as_str).to_owned(),
        };
        let (done, written) = oneshot::channel();
        self.queue.send(Write { change, done, lane: Lane::current() }).await.map_err(|_| gone())?;
        written.await.map_err(|_| gone())
    }
}

impl Ledger {
    /// Makes these outcomes durable at once, before a writer has the ledger.
    ///
    /// # Errors
    ///
    /// When they couldn't be written; then none of them was.
    pub fn finish_all(&self, changes: Vec<OutcomeChange>) -> Result<(), LedgerError> {
        let changes: Vec<Change> =
            changes.into_iter().map(|change| Change::Outcome(Box::new(change))).collect();
        commit(&self.connection, &changes).map_err(|source| self.failed(source))
    }
}

/// Ends with the first failed commit: after that nothing may be claimed, so every later write finds the queue closed.
fn write_until_closed(
    ledger: Ledger,
    mut queue: mpsc::Receiver<Write>,
    durable: &[mpsc::UnboundedSender<Waiters>],
    failure: &OnceLock<String>,
) -> Ledger {
    let mut group = Vec::with_capacity(LARGEST_GROUP);
    while queue.blocking_recv_many(&mut group, LARGEST_GROUP) > 0 {
        // With several lanes many rows are in flight, and more of them are about to come.
        gather(&mut queue, &mut group, durable.len() > 1);
        let Some(waiters) = write_group(&ledger, &mut group, failure) else { break };
        for (waiters, durable) in waiters.into_iter().zip(durable) {
            if !waiters.is_empty() {
                // Where the runtime is gone nobody waits any more.
                let _ = durable.send(waiters);
            }
        }
    }
    ledger
}

/// Whoever waits for one commit.
type Waiters = Vec<oneshot::Sender<()>>;

/// Wakes the waiters of each group whose commit is durable. Woken from the ledger's thread, each of them would cost a
/// system call; so only the first does.
async fn wake(mut groups: mpsc::UnboundedReceiver<Waiters>) {
    while let Some(group) = groups.recv().await {
        for done in group {
            // A waiter that was cancelled doesn't need to know.
            let _ = done.send(());
        }
    }
}

/// Commits a group; gives its waiters to be woken, or `None` when the ledger can't be written any more.
fn write_group(
    ledger: &Ledger,
    group: &mut Vec<Write>,
    failure: &OnceLock<String>,
) -> Option<[Waiters; Lane::MOST]> {
    match commit(&ledger.connection, group.iter().map(|write| &write.change)) {
        Ok(()) => {
            let mut waiters = [const { Waiters::new() }; Lane::MOST];
            for write in group.drain(..) {
                waiters[write.lane.index()].push(write.done);
            }
            Some(waiters)
        }
        Err(source) => {
            tracing::error!(%source, "the ledger can't be written");
            // Said before anybody is woken: whoever comes later finds the queue closed, and asks why.
            let _ = failure.set(source.to_string());
            None
        }
    }
}

/// Lets rows that are just about to hand something over do so, and takes it into the same commit.
///
/// On a fast disk the work around a commit is what costs, and without this a commit holds three rows. Giving way costs
/// nothing on an idle machine; on a busy one it lets the rows run.
fn gather(queue: &mut mpsc::Receiver<Write>, group: &mut Vec<Write>, may_linger: bool) {
    std::thread::yield_now();
    take_queued(queue, group);
    if may_linger && (2..LINGERED_FOR).contains(&group.len()) {
        std::thread::sleep(LINGER);
        take_queued(queue, group);
    }
}

fn take_queued(queue: &mut mpsc::Receiver<Write>, group: &mut Vec<Write>) {
    while group.len() < LARGEST_GROUP {
        let Ok(write) = queue.try_recv() else { return };
        group.push(write);
    }
}

fn commit<'a>(
    connection: &Connection,
    changes: impl IntoIterator<Item = &'a Change>,
) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    {
        let mut statements = Statements::new(connection)?;
        for change in changes {
            statements.apply(change)?;
        }
    }
    transaction.commit()
}
