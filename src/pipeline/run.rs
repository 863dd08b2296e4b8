//! One run: from the staged manifest to the last row's end.

use std::sync::Arc;
use std::time::Duration;

use super::budget::{Extent, FailureBudget, FailureLimit};
use super::event::{Event, HostPlan, Observe, Plan};
use super::hosts::Hosts;
use super::journey::{Goal, JourneyRules};
use super::links::LinkRules;
use super::listed::end_listed;
use super::measuring::record_directly;
use super::reading::Reading;
use super::refusals::Refusals;
use super::services::{Host, Services};
use super::shared_logins::SharedLogins;
use super::stop::Stop;
use super::truth::ListUse;
use super::work::{RowSource, RunError, RunResult, Work, carry_out};
use crate::checkpoint::{Approach, Ledger, LedgerError, Phase, StagingTotals};
use crate::manifest::Manifest;
use crate::model::{Secret, Service};

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
    /// How magic links are made for rows whose login was refused; `None` where none are.
    pub links: Option<LinkRules>,
}

impl RunOptions {
    /// How logins from this manifest are put to Stara.
    #[must_use]
    pub fn approach(&self, manifest: &Manifest) -> Approach {
        let stara = &self.services.stara.http;
        Approach::new(self.services.dialect, &stara.origin(), stara.base_path(), manifest.login_headers())
    }
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
    let first_rates = first_rates(&options.services, &ledger)?;
    observer.observe(&Event::Started(Box::new(plan(&options, staged, first_rates))));
    let (dialect, concurrency) = (options.services.dialect, options.services.concurrency);
    let shard = options.services.shard;
    let approach = options.approach(&manifest);
    let reading = Reading {
        run: staged.run,
        approach,
        shard: ledger.shard(),
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
    hosts.measuring.enter(Phase::List, staged.to_do);
    tokio::select! {
        biased;
        () = stop.aborting() => {}
        never = record_directly(&hosts.measuring, &stop, &ledger, staged.run) => match never {},
        ended = end_listed(&hosts, &ledger, options.list_use, options.rules, staged.run) => ended?,
    }
    let work = Work {
        run: staged.run,
        to_do: staged.to_do,
        goal: Goal::Attached,
        rules: options.rules,
        key,
        approach,
        retry_rejected: options.retry_rejected,
        refusals,
        shared_logins,
        forgets_rows: false,
        most_changes: options.most_changes,
        budget: FailureBudget::new(options.failure_limit, Extent::of(&staged, shard), is_warned),
        concurrency,
        source: RowSource::Manifest(reading),
        links: options.links,
    };
    Box::pin(carry_out(ledger, hosts, work)).await
}

/// Requests a second that each service is asked at first.
pub(super) fn first_rates(services: &Services, ledger: &Ledger) -> Result<[Option<f64>; 2], LedgerError> {
    if services.relearn {
        ledger.forget_learned_rates()?;
    }
    let learned = ledger.learned_rates()?;
    Ok(Service::ALL.map(|service| services.first_rate(service, &learned)))
}

fn plan(options: &RunOptions, staged: StagingTotals, first_rates: [Option<f64>; 2]) -> Plan {
    let leaf_calls = if options.rules.precheck { 3.0 } else { 2.0 };
    plan_of(&options.services, staged, first_rates, [2.0, leaf_calls])
}

/// What is about to be done for the staged rows, each of which takes so many calls to Stara and to Leaf.
pub(super) fn plan_of(
    services: &Services,
    staged: StagingTotals,
    first_rates: [Option<f64>; 2],
    calls: [f64; 2],
) -> Plan {
    let host = |host: &Host, per_second| HostPlan {
        origin: host.http.origin(),
        rate: host.rate.to_string(),
        per_second,
    };
    let (stara, leaf) = (host(&services.stara, first_rates[0]), host(&services.leaf, first_rates[1]));
    #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
    let seconds =
        |calls: f64, host: &HostPlan| host.per_second.map(|rate| staged.to_do as f64 * calls / rate);
    let slowest = seconds(calls[0], &stara).into_iter().chain(seconds(calls[1], &leaf)).reduce(f64::max);
    Plan {
        asks_stara: calls[0] > 0.0,
        expected: slowest.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        stara,
        leaf,
        account: services.account.clone(),
        shard: services.shard,
        lines: staged.lines,
        to_do: staged.to_do,
        done_before: staged.done,
        invalid: staged.invalid,
        duplicate: staged.duplicate,
        conflict: staged.conflict,
        concurrency: services.concurrency,
    }
}
