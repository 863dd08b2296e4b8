//! `report` of all shards: one report in the manifest's order, and who must act.

use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::behind::behind;
use super::links::HeldShards;
use super::opening::{check_accounts, holder, open};
use super::together::{Together, cut_short};
use crate::checkpoint::{LedgerError, ShardedLedger, Target};
use crate::cli::arguments::ReportArguments;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::reports::{ReportTarget, ResultSource, prepared_targets, tell_paths, write};
use crate::cli::run::tell;
use crate::cli::status::print;
use crate::model::Service;
use crate::pipeline::journey::RowChange;
use crate::ui::{HostUse, Summary, text_columns};

/// How many shards are named that were cut short, or are behind.
const MOST_NAMED: usize = 3;

/// Writes the results of the latest runs of all shards as those of one run.
pub(in crate::cli) fn report(
    arguments: &ReportArguments,
    paths: &[PathBuf],
    asked: &[PathBuf],
) -> Result<ExitCode, Failure> {
    let mut ledger = open(&arguments.ledgers, paths)?;
    ledger.check_runs()?;
    let held = HeldShards::hold(arguments, &ledger)?;
    if held.is_some() {
        // As they stand now that nobody else writes to them.
        ledger = open(&arguments.ledgers, paths)?;
        ledger.check_runs()?;
    }
    let together = Together::of(&ledger)?;
    let targets = prepared_targets(arguments, paths, asked, &together.run, None)?;
    let linked = held.map(|held| held.make(arguments, &ledger, &together.run)).transpose()?.flatten();
    tell_of_unended(&ledger);
    tell_of_behind(&ledger);
    write(&ResultSource::Shards(&ledger, &together.run), &targets, &CancellationToken::new())?;
    tell_paths(&targets);
    let mut summary = summary(&ledger, &together, &targets)?;
    let mut code = ExitCode::Done;
    if let Some((file, ended, stopped)) = linked {
        if ended.is_written() {
            print(&format!("{}\n", file.path.display()));
        }
        summary.links = ended.lines();
        code = ended.code(stopped.unwrap_or(code));
    }
    tell(&summary.render_within(text_columns()));
    check_accounts(&ledger, &together)?;
    Ok(code)
}

/// Tells which shards haven't ended: their report is one of how things stand.
fn tell_of_unended(ledger: &ShardedLedger) {
    for part in ledger.parts().iter().filter(|part| part.run.ended_at.is_none()) {
        let (shard, path) = (part.shard, part.ledger.path().display());
        let how = holder(part)
            .map_or_else(|| "it was killed".to_owned(), |holder| format!("a run is at work ({holder})"));
        tell(&format!(
            "shard {shard} hasn't ended: {how}; rows of {path} without an outcome count as not reached\n"
        ));
    }
}

/// Tells which shards perhaps weren't run tonight.
fn tell_of_behind(ledger: &ShardedLedger) {
    let behind = behind(ledger.parts());
    for shard in behind.iter().take(MOST_NAMED) {
        tell(&format!("warning: {shard}\n"));
    }
    let more = behind.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        tell(&format!("warning: and so did those of {more} more shards (`status` names them)\n"));
    }
}

fn summary(
    ledger: &ShardedLedger,
    together: &Together,
    targets: &[ReportTarget],
) -> Result<Summary, LedgerError> {
    let (run, outcomes) = (&together.run, &together.outcomes);
    let origins = ledger.target().map(Target::origins).unwrap_or_default();
    let host = |(service, origin): (Service, &str)| {
        let totals = run.hosts.get(&service.as_str().to_lowercase()).copied().unwrap_or_default();
        HostUse { service, origin: origin.to_owned(), requests: totals.requests, throttled: totals.throttled }
    };
    let parts = ledger.parts();
    let mut short = cut_short(parts);
    let more = short.len().saturating_sub(MOST_NAMED);
    short.truncate(MOST_NAMED);
    if more > 0 {
        short.push(format!("{more} more"));
    }
    let changed = |change: RowChange| -> Result<u64, LedgerError> {
        parts.iter().map(|part| part.ledger.count_ended(part.run.run, change.note())).sum()
    };
    Ok(Summary {
        run: run.run,
        shards: u32::try_from(parts.len()).ok(),
        kind: run.kind,
        lines: run.lines,
        outcomes: outcomes.iter().collect(),
        done_before: outcomes.earlier,
        changed_passwords: changed(RowChange::Password)?,
        changed_logins: changed(RowChange::Login)?,
        hosts: Service::ALL.into_iter().zip(origins).map(host).collect(),
        duration: together.duration(),
        stopped: (!short.is_empty()).then(|| short.join("; ")),
        reports: targets.iter().map(|target| target.path.clone()).collect(),
        ..Summary::default()
    })
}

/// Whether a word behind `--state` names a report, and no ledger.
pub(in crate::cli) fn is_report(path: &Path) -> bool {
    path.as_os_str() == "none" || crate::report::ReportFormat::of_path(path).is_ok()
}
