//! `report --magic-links`: the links of the latest run, made after it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ended::LinksEnded;
use super::file::LinkFile;
use crate::checkpoint::{Ledger, LedgerAccess, LedgerError, Rejected, RunLock, RunRecord, Target};
use crate::cli::arguments::ReportArguments;
use crate::cli::conclusion::code_of_stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::prepared::tell_of_lost_key;
use crate::cli::reports::{prepared_targets, write_again};
use crate::cli::run::{runtime, tell};
use crate::cli::services::ServiceSettings;
use crate::cli::signals::{self, TimeLimits};
use crate::cli::status::print;
use crate::model::{OutcomeCode, Shard};
use crate::pipeline::{Event, LinkRules, LinksResult, Observe, Services, Stop, make_links};

/// How long what is under way may go on after a signal.
const GRACE: Duration = Duration::from_secs(20);

/// Makes the links of the latest run that are missing, and writes them and its results.
pub(in crate::cli) fn report(
    arguments: &ReportArguments,
    path: &Path,
    rules: LinkRules,
) -> Result<ExitCode, Failure> {
    if arguments.sandbox.is_on() {
        let error = anyhow::anyhow!("the simulated services of a rehearsal are gone with its run");
        let hint = "nothing was sent; rehearse with run --sandbox --magic-links FILE";
        return Err(Failure::new(ExitCode::Usage, error, hint));
    }
    let services =
        ServiceSettings::read(&arguments.target, &arguments.rates, arguments.state.shard(), false)?
            .services()?;
    let (_lock, ledger) = hold(path, &services, arguments.state.shard())?;
    tell_of_lost_key(&ledger);
    let run = ledger.latest_run()?.ok_or_else(|| LedgerError::Missing { path: path.to_owned() })?;
    let targets = prepared_targets(arguments, &run, ledger.shard())?;
    let Some(file) = arguments.links.file(&run.kept_columns)? else { return Ok(ExitCode::Done) };
    file.prepare()?;
    let (linked, stopped) = make(services, &ledger, &run, rules, &file)?;
    write_again(&ledger, &run, &targets)?;
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

/// Opens a ledger of these hosts that no run holds.
fn hold(path: &Path, services: &Services, shard: Option<Shard>) -> Result<(RunLock, Ledger), Failure> {
    Ledger::check_file(path)?;
    if !path.exists() {
        return Err(LedgerError::Missing { path: path.to_owned() }.into());
    }
    let lock = RunLock::acquire(path)?;
    let hosts = Target::new(&services.stara.http.origin(), &services.leaf.http.origin());
    Ok((lock, Ledger::open(path, LedgerAccess::of_run(&hosts, shard))?))
}

/// Makes the links, and tells with which code that was stopped, if it was.
fn make(
    services: Services,
    ledger: &Ledger,
    run: &RunRecord,
    rules: LinkRules,
    file: &LinkFile,
) -> Result<(LinksEnded, Option<ExitCode>), Failure> {
    let observer: Arc<dyn Observe> = Arc::new(Unwatched);
    let whose = Rejected::InRun(run.run);
    let LinksResult { made, stopped, .. } = runtime()?.block_on(async {
        signals::outlive_file_limit()?;
        let stop = Stop::default();
        let limits = TimeLimits { began: Instant::now(), longest: None, grace: GRACE };
        signals::watch(stop.clone(), limits, Arc::clone(&observer))?;
        make_links(services, ledger, whose, rules, stop, observer).await.map_err(Failure::from)
    })?;
    if let Some(cause) = &stopped {
        tell(&format!(
            "stopped: {cause}\nhint: links that were made are kept. {}\n",
            code_of_stop(cause).advice()
        ));
    }
    let ended = LinksEnded::new(file, ledger, whose, Some(&made), stopped.as_ref())?;
    Ok((ended, stopped.as_ref().map(code_of_stop)))
}

/// Nobody watches: what there is to tell is told at the end.
struct Unwatched;

impl Observe for Unwatched {
    fn observe(&self, _event: &Event) {}
}
