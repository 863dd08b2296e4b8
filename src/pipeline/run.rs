//! One run: from the staged manifest to the last row's end.

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};

use super::budget::{FailureBudget, FailureLimit};
use super::context::{Opening, RunContext};
use super::event::{Event, HostPlan, Observe, Plan};
use super::hosts::Hosts;
use super::journey::JourneyRules;
use super::listed::end_listed;
use super::reading::{Reading, ReadingError};
use super::refusals::Refusals;
use super::services::{Host, Services};
use super::shared_logins::SharedLogins;
use super::stop::{Stop, StopCause};
use super::stream::carry_all;
use super::truth::ListUse;
use crate::checkpoint::{Approach, HostTotals, Ledger, LedgerError, LedgerWriter, StagingTotals};
use crate::manifest::Manifest;
use crate::model::{Secret, Service};

/// How many rows may be parked for each row in flight before no new one starts.
const PARKED_PER_SLOT: usize = 10;

/// Everything a run needs besides the manifest and the ledger.
#[derive(Debug)]
pub struct RunOptions {
    /// The services, and how they may be asked.
    pub services: Services,
    /// The accessTokenClient of rows that have none of their own.
    pub default_client: Option<Secret>,
    /// Whether Leaf's list of users is read before rows are looked at.
    pub list_use: ListUse,
    /// What is allowed to every row.
    pub rules: JourneyRules,
    /// The most credentials replaced in this run.
    pub most_changes: u32,
    /// How many rows may fail before the run stops.
    pub failure_limit: FailureLimit,
    /// Whether refused logins are tried again.
    pub retry_rejected: bool,
    /// Whether rows with one login and password are authenticated once and run side by side.
    pub share_logins: bool,
}

impl RunOptions {
    /// How logins from this manifest are put to Stara.
    #[must_use]
    pub fn approach(&self, manifest: &Manifest) -> Approach {
        let stara = &self.services.stara.http;
        Approach::new(self.services.dialect, &stara.origin(), stara.base_path(), manifest.login_headers())
    }
}

/// How a run's rows went.
#[derive(Debug)]
pub struct RunResult {
    /// The ledger, with everything written.
    pub ledger: Ledger,
    /// Why the run stopped before its end; `None` when it came to it.
    pub stopped: Option<StopCause>,
    /// What each host was asked.
    pub hosts: std::collections::BTreeMap<String, HostTotals>,
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

/// Carries out the rows that staging left to do.
///
/// # Errors
///
/// When the ledger can't be used. A run that is stopped is no error: why it was is in the result.
pub async fn run(
    ledger: Ledger,
    manifest: Manifest,
    staged: StagingTotals,
    options: RunOptions,
    stop: Stop,
    observer: Arc<dyn Observe>,
) -> Result<RunResult, RunError> {
    if options.services.relearn {
        ledger.forget_learned_rates()?;
    }
    let first_rates = {
        let learned = ledger.learned_rates()?;
        Service::ALL.map(|service| options.services.first_rate(service, &learned))
    };
    observer.observe(&Event::Started(plan(&options, staged, first_rates)));
    let (dialect, concurrency) = (options.services.dialect, options.services.concurrency);
    let path = ledger.path().to_owned();
    let approach = options.approach(&manifest);
    let reading = Reading {
        run: staged.run,
        approach,
        manifest: Arc::new(manifest),
        key: ledger.key().clone(),
        default_client: options.default_client.clone(),
        open_removals: staged.open_removals,
    };
    let is_believed = ledger.has_login_succeeded(dialect)?;
    let is_warned = !is_believed && ledger.has_refusals_in_doubt(approach)?;
    let refusals = Refusals::new(is_believed);
    let shared_logins =
        if options.share_logins { Some(SharedLogins::new(ledger.logins_of_several_rows()?)) } else { None };
    let key = ledger.key_standing();
    let hosts = Hosts::new(options.services, &ledger, stop.clone(), Arc::clone(&observer))?;
    end_listed(&hosts, &ledger, options.list_use, options.rules, staged.run).await?;
    let (writer, handle) = LedgerWriter::start(ledger)?;
    hosts.learn_into(handle.clone());
    let context = Arc::new(RunContext {
        run: staged.run,
        rules: options.rules,
        hosts,
        ledger: handle.clone(),
        key,
        approach,
        retry_rejected: options.retry_rejected,
        refusals,
        shared_logins,
        changes_left: AtomicU32::new(options.most_changes),
        budget: Mutex::new(FailureBudget::new(options.failure_limit, staged.to_do, is_warned)),
        opening: Opening::default(),
        slots: Arc::new(Semaphore::new(concurrency)),
        parking: Semaphore::new(concurrency.saturating_mul(PARKED_PER_SLOT)),
    });
    if staged.to_do > 0 {
        let (sender, rows) = mpsc::channel(concurrency);
        let reader = reading.start(path, sender);
        carry_all(&context, rows).await;
        match reader.await.map_err(|_| RunError::ReaderGone)? {
            Ok(()) => {}
            Err(ReadingError::Changed { line }) => {
                context.hosts.drain(StopCause::ManifestChanged { line });
            }
            Err(ReadingError::Manifest(error)) => {
                context.hosts.drain(StopCause::ManifestUnreadable { reason: error.to_string() });
            }
            Err(ReadingError::Ledger(error)) => {
                context.hosts.drain(StopCause::LedgerUnwritable { reason: error.to_string() });
            }
        }
    }
    if let Err(error) = context.record_doubt().await {
        context.stop_for_ledger(&error);
    }
    observer.observe(&Event::Ended);
    let (hosts, newly_learned) = (context.hosts.totals.by_host(), context.hosts.newly_learned());
    drop(context);
    let ledger = writer.finish(handle).await?;
    for (service, per_second) in newly_learned {
        if let Some(per_second) = per_second {
            ledger.keep_learned_rate(service, per_second)?;
        }
    }
    Ok(RunResult { ledger, stopped: stop.cause(), hosts })
}

fn plan(options: &RunOptions, staged: StagingTotals, first_rates: [Option<f64>; 2]) -> Plan {
    let host = |host: &Host, per_second| HostPlan {
        origin: host.http.origin(),
        rate: host.rate.to_string(),
        per_second,
    };
    let (stara, leaf) =
        (host(&options.services.stara, first_rates[0]), host(&options.services.leaf, first_rates[1]));
    let leaf_calls = if options.rules.precheck { 3.0 } else { 2.0 };
    #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
    let seconds =
        |calls: f64, host: &HostPlan| host.per_second.map(|rate| staged.to_do as f64 * calls / rate);
    let slowest = seconds(2.0, &stara).into_iter().chain(seconds(leaf_calls, &leaf)).reduce(f64::max);
    Plan {
        expected: slowest.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        stara,
        leaf,
        account: options.services.account.clone(),
        lines: staged.lines,
        to_do: staged.to_do,
        done_before: staged.done,
        invalid: staged.invalid,
        duplicate: staged.duplicate,
        conflict: staged.conflict,
        concurrency: options.services.concurrency,
    }
}
