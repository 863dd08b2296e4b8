//! `report --magic-links`: the links of the latest run, made after it.

use std::path::PathBuf;

use super::make::{HeldLedger, make, refuse_rehearsal};
use crate::checkpoint::{LedgerError, Rejected, RunKind, RunRecord};
use crate::cli::arguments::ReportArguments;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::reports::{prepared_targets, write_again};
use crate::cli::run::tell;
use crate::cli::shard::tell_of_part;
use crate::cli::status::print;
use crate::model::OutcomeCode;
use crate::pipeline::LinkRules;

/// Makes the links of the latest run that are missing, and writes them and its results.
pub(in crate::cli) fn report(
    arguments: &ReportArguments,
    path: &PathBuf,
    asked: &[PathBuf],
    rules: LinkRules,
) -> Result<ExitCode, Failure> {
    refuse_rehearsal(arguments)?;
    let (held, services) = HeldLedger::hold(arguments, path, arguments.ledgers.first.shard())?;
    let ledger = &held.ledger;
    let run = ledger.latest_run()?.ok_or_else(|| LedgerError::Missing { path: path.clone() })?;
    refuse_detached(&run)?;
    let targets = prepared_targets(arguments, std::slice::from_ref(path), asked, &run, ledger.shard())?;
    let Some(file) = arguments.links.file(&run.kept_columns, ledger.shard())? else {
        return Ok(ExitCode::Done);
    };
    file.prepare()?;
    let (linked, stopped) = make(vec![(services, ledger, Rejected::InRun(run.run))], rules, &file)?;
    write_again(ledger, &run, &targets)?;
    tell_of_part(ledger, Some(&run));
    if linked.is_written() {
        print(&format!("{}\n", file.path.display()));
    }
    linked.lines().iter().for_each(|line| tell(&format!("{line}\n")));
    let is_stopped = run.exit_code == Some(ExitCode::TooManyFailures.number());
    if is_stopped
        && linked.concerns_nobody()
        && run.outcomes.contains_key(OutcomeCode::StaraLoginRejected.as_str())
    {
        let run = run.run;
        tell(&format!(
            "Run {run} stopped because it went wrong for everybody: whoever was refused in it gets no link before a run has \
             attached somebody.\n"
        ));
    }
    Ok(linked.code(stopped.unwrap_or(ExitCode::Done)))
}

/// Refuses to make links after a run that took credentials away: it refused nobody's login, and a file of nobody's links would
/// take the place of the one of the run before.
///
/// # Errors
///
/// When it was one.
pub(in crate::cli) fn refuse_detached(run: &RunRecord) -> Result<(), Failure> {
    if run.kind != RunKind::Detach {
        return Ok(());
    }
    let error = anyhow::anyhow!(
        "run {} took credentials away, so that there is nobody to be given a magic link",
        run.run
    );
    let hint = "nothing was sent or written; run the manifest with --magic-links, or leave the flag out to write the results alone";
    Err(Failure::new(ExitCode::Usage, error, hint))
}
