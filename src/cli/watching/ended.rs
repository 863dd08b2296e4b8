//! What is said of a run that has ended, from what its ledger keeps of it.

use crate::checkpoint::{Ledger, LedgerError, RunRecord};
use crate::model::Service;
use crate::pipeline::journey::RowChange;
use crate::ui::{HostUse, Summary};

/// The summary of a run, as far as the ledger knows: where its reports are isn't kept.
///
/// # Errors
///
/// When the ledger can't be read.
pub(super) fn summary(ledger: &Ledger, run: &RunRecord) -> Result<Summary, LedgerError> {
    let outcomes = ledger.count_outcomes(run.run)?;
    let target = ledger.target()?;
    let origins = target.as_ref().map_or(["", ""], crate::checkpoint::Target::origins);
    let changed = |change: RowChange| ledger.count_ended(run.run, change.note());
    let host = |(service, origin): (Service, &str)| {
        let totals = run.hosts.get(&service.as_str().to_lowercase())?;
        let (requests, throttled) = (totals.requests, totals.throttled);
        Some(HostUse { service, origin: origin.to_owned(), requests, throttled })
    };
    Ok(Summary {
        run: run.run,
        part: ledger.shard().zip(run.manifest_lines),
        kind: run.kind,
        lines: run.lines,
        outcomes: outcomes.iter().collect(),
        done_before: outcomes.earlier,
        changed_passwords: changed(RowChange::Password)?,
        changed_logins: changed(RowChange::Login)?,
        hosts: Service::ALL.into_iter().zip(origins).filter_map(host).collect(),
        duration: run.ended_at.and_then(|ended| ended.elapsed_since(run.started_at)).unwrap_or_default(),
        stopped: run.ending.clone().filter(|ending| ending != "finished"),
        ..Summary::default()
    })
}
