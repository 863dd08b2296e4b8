//! Carries out staged rows, whatever they are to come to and wherever they come from.

use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::budget::FailureBudget;
use super::context::{Opening, RunContext};
use super::event::Event;
use super::handover::{RowSender, handover};
use super::hosts::Hosts;
use super::journey::{Goal, JourneyRules};
use super::lanes::Lanes;
use super::leavers::Leavers;
use super::lending::Lending;
use super::links::{LinkRules, LinksMade, make};
use super::measuring::{record, record_directly, record_end};
use super::reading::{Reading, ReadingError};
use super::refusals::Refusals;
use super::shared_logins::SharedLogins;
use super::stop::{StopCause, Told};
use super::stream::carry_all;
use crate::checkpoint::{
    Approach, HostTotals, KeyStanding, Ledger, LedgerError, LedgerWriter, Phase, Rejected,
};

/// How many rows may be parked for each row in flight before no new one starts.
pub const PARKED_PER_SLOT: usize = 10;

/// How a run's rows went.
#[derive(Debug)]
pub struct RunResult {
    /// The ledger, with everything written.
    pub ledger: Ledger,
    /// Why the run stopped before its end; `None` when it came to it.
    pub stopped: Option<StopCause>,
    /// What each host was asked.
    pub hosts: std::collections::BTreeMap<String, HostTotals>,
    /// How magic links were made, where they were asked for.
    pub links: Option<LinksMade>,
}

/// Why a run couldn't be carried out.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The ledger can't be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A thread of the program ended unexpectedly.
    #[error("the thread that reads the manifest ended unexpectedly")]
    ReaderGone,
}

/// Where the rows come from.
pub(super) enum RowSource {
    /// The second reading of the manifest, which carries the passwords.
    Manifest(Reading),
    /// The staged lines alone.
    Ledger(Leavers),
}

impl RowSource {
    fn start(self, ledger: PathBuf, rows: RowSender) -> JoinHandle<Result<(), ReadingError>> {
        match self {
            Self::Manifest(reading) => reading.start(ledger, rows),
            Self::Ledger(leavers) => leavers.start(ledger, rows),
        }
    }
}

/// What is to be carried out.
pub(super) struct Work {
    pub(super) run: i64,
    /// How many rows.
    pub(super) to_do: u64,
    pub(super) goal: Goal,
    pub(super) rules: JourneyRules,
    pub(super) key: KeyStanding,
    pub(super) approach: Approach,
    pub(super) retry_rejected: bool,
    pub(super) refusals: Refusals,
    pub(super) shared_logins: Option<SharedLogins>,
    /// Whether the row of a user who is detached is forgotten, so that nothing counts as its change.
    pub(super) forgets_rows: bool,
    /// How many credentials may be deleted.
    pub(super) most_changes: u32,
    pub(super) budget: FailureBudget,
    /// How many rows may be in flight.
    pub(super) concurrency: usize,
    pub(super) source: RowSource,
    /// How magic links are made once the rows have ended; `None` where none are.
    pub(super) links: Option<LinkRules>,
}

/// Carries out the rows, and gives the ledger back when all is written.
///
/// # Errors
///
/// When the ledger can't be used. Work that is stopped is no error: why it was is in the result.
pub(super) async fn carry_out(ledger: Ledger, hosts: Hosts, work: Work) -> Result<RunResult, RunError> {
    let (stop, observer, path) = (hosts.stop.clone(), Arc::clone(&hosts.observer), ledger.path().to_owned());
    let lanes = Lanes::start(work.concurrency);
    let measuring = Arc::clone(&hosts.measuring);
    measuring.enter(Phase::Rows, work.to_do);
    let (writer, handle) = LedgerWriter::start(ledger, lanes.others())?;
    let recorder = tokio::spawn(record(Arc::clone(&measuring), stop.clone(), handle.clone(), work.run));
    hosts.learn_into(handle.clone());
    let context = Arc::new(RunContext {
        run: work.run,
        goal: work.goal,
        rules: work.rules,
        hosts,
        ledger: handle.clone(),
        key: work.key,
        approach: work.approach,
        retry_rejected: work.retry_rejected,
        refusals: work.refusals,
        shared_logins: work.shared_logins,
        forgets_rows: work.forgets_rows,
        changes_left: AtomicU32::new(work.most_changes),
        budget: Mutex::new(work.budget),
        opening: Opening::default(),
        slots: Arc::new(Semaphore::new(work.concurrency)),
        parking: Semaphore::new(work.concurrency.saturating_mul(PARKED_PER_SLOT)),
        lending: Lending::new(work.concurrency),
    });
    if work.to_do > 0 {
        let (sender, rows) = handover(work.concurrency);
        let reader = work.source.start(path, sender);
        carry_all(&context, &lanes, rows).await;
        match reader.await.map_err(|_| RunError::ReaderGone)? {
            Ok(()) => {}
            Err(ReadingError::Changed { line }) => {
                context.hosts.drain(StopCause::ManifestChanged { line });
            }
            Err(ReadingError::Manifest(error)) => {
                let whole = error.whole().cloned().map(Told);
                context.hosts.drain(StopCause::ManifestUnreadable { reason: error.to_string(), whole });
            }
            Err(ReadingError::Ledger(error)) => {
                context.hosts.drain(StopCause::LedgerUnwritable { reason: error.to_string() });
            }
        }
    }
    if let Err(error) = context.record_doubt().await {
        context.stop_for_ledger(&error);
    }
    recorder.abort();
    // It has the ledger's writer at work until it has ended.
    let _ = recorder.await;
    let (mut totals, mut newly_learned) = (context.hosts.totals.by_host(), context.hosts.newly_learned());
    // Of a run that was aborted a row may still hold it.
    let hosts = Arc::into_inner(context).map(|context| context.hosts.without_ledger());
    let ledger = writer.finish(handle).await?;
    let mut links = None;
    if let Some((rules, hosts)) = work.links.zip(hosts) {
        let whose = Rejected::InRun(work.run);
        links = Some(tokio::select! {
            biased;
            never = record_directly(&measuring, &stop, &ledger, work.run) => match never {},
            made = make(&hosts, &ledger, whose, rules, work.concurrency) => made,
        });
        (totals, newly_learned) = (hosts.totals.by_host(), hosts.newly_learned());
    }
    observer.observe(&Event::Ended);
    record_end(&measuring, &stop, &ledger, work.run);
    for (service, per_second) in newly_learned {
        if let Some(per_second) = per_second {
            ledger.keep_learned_rate(service, per_second)?;
        }
    }
    Ok(RunResult { ledger, stopped: stop.cause(), hosts: totals, links })
}
