//! The whole forecast: sees what Leaf holds, foresees every row, and sums up.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::imagined::Calls;
use super::rows::Rows;
use super::see::see;
use crate::checkpoint::{Approach, Ledger, LedgerError, StagingTotals};
use crate::model::{Service, Sign};
use crate::pipeline::budget::{Extent, FailureBudget};
use crate::pipeline::event::Observe;
use crate::pipeline::hosts::Hosts;
use crate::pipeline::run::RunOptions;
use crate::pipeline::stop::{Stop, StopCause};
use crate::pipeline::work::RunError;

/// How many rows are foreseen at a time.
const ROWS_AT_ONCE: usize = 512;

/// What a run would do.
#[derive(Debug)]
pub struct Forecast {
    /// The copy of the ledger, with what is foreseen for every row that isn't done or healthy.
    pub ledger: Ledger,
    /// Rows, and users that the manifest names no longer, by sign.
    pub counts: BTreeMap<Sign, u64>,
    /// Rows of which nothing could be seen.
    pub unseen: u64,
    /// Rows for which something was sent that isn't settled; each has its sign as well.
    pub open_intents: u64,
    /// Rows whose credential would be replaced, but for `--max-changes` or a lost key.
    pub not_replaced: u64,
    /// Rows for which Leaf would be changed.
    pub changes: u64,
    /// What each service would be asked, the pages of the list and the login to Leaf included.
    pub calls: Calls,
    /// Pages of Leaf's list that the run would read; `None` where it wouldn't read it.
    pub list_pages: Option<u64>,
    /// About how long the run would take, where the quotas tell.
    pub expected: Option<Duration>,
    /// Why the run would probably stop before its end: too many rows would fail, and the calls foreseen are those of a run
    /// that goes on all the same.
    pub would_stop: Option<String>,
    /// Why it was stopped before everything was seen; then nothing is foreseen.
    pub stopped: Option<StopCause>,
}

/// Foresees what a run over the staged manifest would do. `ledger` is a copy, into which it may write; `refresh` looks at
/// done rows, too.
///
/// # Errors
///
/// When the copy can't be used. A forecast that is stopped is no error: why it was is in the result.
pub async fn forecast(
    ledger: Ledger,
    approach: Approach,
    options: RunOptions,
    staged: StagingTotals,
    refresh: bool,
    stop: Stop,
    observer: Arc<dyn Observe>,
) -> Result<Forecast, RunError> {
    let learned = ledger.learned_rates()?;
    let rates = Service::ALL.map(|service| options.services.first_rate(service, &learned));
    let (at_once, logs_in) = (options.services.concurrency, options.services.token.begins_with_login());
    let extent = Extent::of(&staged, options.services.shard);
    let is_believed = ledger.has_login_succeeded(options.services.dialect)?;
    let is_warned = !is_believed && ledger.has_refusals_in_doubt(approach)?;
    let hosts = Hosts::new(options.services, &ledger, stop.clone(), observer)?;
    let seen = see(&hosts, &ledger, options.rules, options.list_use, at_once, refresh).await?;
    let stopped = stop.cause();
    let shared = if options.share_logins {
        ledger.logins_of_several_rows()?.into_keys().collect()
    } else {
        HashSet::new()
    };
    let rows = Rows {
        rules: options.rules,
        key: ledger.key_standing(),
        retry_rejected: options.retry_rejected,
        is_list_proof: seen.is_list_proof,
        is_refreshed: refresh,
        changes_left: options.most_changes,
        shared,
        authenticated: HashSet::new(),
        counts: BTreeMap::new(),
        unseen: 0,
        open_intents: 0,
        not_replaced: 0,
        changes: 0,
        calls: Calls { leaf: seen.pages_of_run.unwrap_or(0), ..Calls::default() },
        budget: FailureBudget::new(options.failure_limit, extent, is_warned),
        would_stop: None,
    };
    let counting = tokio::task::spawn_blocking(move || {
        let rows = if stopped.is_some() { rows } else { foresee_all(&ledger, rows, approach)? };
        Ok::<_, LedgerError>((ledger, rows, stopped))
    });
    let (ledger, rows, stopped) = counting.await.map_err(|_| RunError::ReaderGone)??;
    let mut calls = rows.calls;
    calls.leaf += u64::from(logs_in && calls.leaf > 0);
    Ok(Forecast {
        ledger,
        counts: rows.counts,
        unseen: rows.unseen,
        open_intents: rows.open_intents,
        not_replaced: rows.not_replaced,
        changes: rows.changes,
        calls,
        list_pages: seen.pages_of_run,
        expected: expected(calls, rates),
        would_stop: rows.would_stop,
        stopped,
    })
}

fn foresee_all(ledger: &Ledger, mut rows: Rows, approach: Approach) -> Result<Rows, LedgerError> {
    let gone = ledger.begin_foreseeing()?;
    rows.counts.insert(Sign::Gone, gone);
    let mut after = 0;
    loop {
        let next = ledger.rows_in_sight(approach, after, ROWS_AT_ONCE)?;
        let Some(last) = next.last() else { return Ok(rows) };
        after = last.line;
        let foreseen: Vec<_> = next.iter().filter_map(|row| rows.foresee(row)).collect();
        ledger.foresee(&foreseen)?;
    }
}

impl Forecast {
    /// How many have this sign.
    #[must_use]
    pub fn count(&self, sign: Sign) -> u64 {
        self.counts.get(&sign).copied().unwrap_or_default()
    }

    /// Lines that are accounted for, each once: to be equal to those of the manifest.
    #[must_use]
    pub fn lines(&self, staged: &StagingTotals) -> u64 {
        let rows: u64 =
            Sign::ALL.into_iter().filter(|sign| *sign != Sign::Gone).map(|sign| self.count(sign)).sum();
        rows + self.unseen + staged.invalid + staged.duplicate + staged.conflict + staged.not_selected
    }

    /// Whether the run would do something: attach, replace, or settle what is open.
    #[must_use]
    pub fn has_work(&self) -> bool {
        let is_listed = |sign| self.count(sign) > 0;
        is_listed(Sign::Attach) || is_listed(Sign::Replace) || self.changes > 0 || self.open_intents > 0
    }
}

/// About how long so many calls take; the slower host decides.
fn expected(calls: Calls, rates: [Option<f64>; 2]) -> Option<Duration> {
    #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
    let seconds = |(service, rate): (Service, Option<f64>)| Some(calls.of(service) as f64 / rate?);
    let slowest = Service::ALL.into_iter().zip(rates).filter_map(seconds).reduce(f64::max)?;
    Duration::try_from_secs_f64(slowest).ok()
}
