//! A run that takes credentials away: from the staged users to the last one's end.

use std::sync::Arc;

use super::budget::{Extent, FailureBudget, FailureLimit};
use super::event::{Event, Observe};
use super::hosts::Hosts;
use super::journey::{Goal, JourneyRules};
use super::leavers::Leavers;
use super::refusals::Refusals;
use super::run::{first_rates, plan_of};
use super::services::Services;
use super::stop::Stop;
use super::work::{RowSource, RunError, RunResult, Work, carry_out};
use crate::checkpoint::{Approach, Ledger, StagingTotals};

/// How many calls to Leaf it takes to take a credential away: look, events, look, deletion, look.
const CALLS: [f64; 2] = [0.0, 5.0];

/// Everything a run that takes credentials away needs besides the ledger.
#[derive(Debug)]
pub struct DetachOptions {
    /// The services, and how they may be asked.
    pub services: Services,
    /// What is allowed to every row.
    pub rules: JourneyRules,
    /// Whether credentials that aren't ours go, too.
    pub include_foreign: bool,
    /// Whether the users are offboarded: then no change of their rows brings them back. A run that is taken back is to be
    /// mended and carried out again, so there a changed row does.
    pub is_for_good: bool,
    /// The most credentials deleted in this run.
    pub most_changes: u32,
    /// How many rows may fail before the run stops.
    pub failure_limit: FailureLimit,
}

impl DetachOptions {
    /// How the lines are staged. Stara isn't asked.
    #[must_use]
    pub fn approach(&self) -> Approach {
        let stara = &self.services.stara.http;
        Approach::new(self.services.dialect, &stara.origin(), stara.base_path(), ["", ""])
    }
}

/// Takes the credentials of the staged users away.
///
/// # Errors
///
/// When the ledger can't be used. A run that is stopped is no error: why it was is in the result.
pub async fn detach(
    ledger: Ledger,
    staged: StagingTotals,
    options: DetachOptions,
    stop: Stop,
    observer: Arc<dyn Observe>,
) -> Result<RunResult, RunError> {
    let first_rates = first_rates(&options.services, &ledger)?;
    observer.observe(&Event::Started(Box::new(plan_of(&options.services, staged, first_rates, CALLS))));
    let approach = options.approach();
    let concurrency = options.services.concurrency;
    let work = Work {
        run: staged.run,
        to_do: staged.to_do,
        goal: Goal::Detached { include_foreign: options.include_foreign },
        rules: options.rules,
        key: ledger.key_standing(),
        approach,
        retry_rejected: false,
        refusals: Refusals::default(),
        shared_logins: None,
        forgets_rows: options.is_for_good,
        most_changes: options.most_changes,
        budget: FailureBudget::new(options.failure_limit, Extent::of(&staged, options.services.shard), false),
        concurrency,
        source: RowSource::Ledger(Leavers { run: staged.run, approach }),
        links: None,
    };
    let hosts = Hosts::new(options.services, &ledger, stop, observer)?;
    Box::pin(carry_out(ledger, hosts, work)).await
}
