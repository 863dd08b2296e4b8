//! Carries out an onboarding, from what was asked for to what was reached.

use std::sync::Arc;

use super::carry::{Carrying, carry};
use super::conclusion::{ending_of, exit_code, outlasts};
use super::error::{Error, ErrorKind};
use super::event::Event;
use super::exit_code::ExitCode;
use super::finished::Finished;
use super::onboard::Onboarding;
use super::rehearsal::{REHEARSAL_SETTLE, rehearsal_secret, runs_in, world_of};
use super::results::Results;
use super::services::undeclared;
use super::teller::Teller;
use crate::checkpoint::{
    KeyStanding, Ledger, LedgerAccess, RunEnd, RunKind, RunLock, RunStart, StagingTotals, Target,
    make_durable_folder,
};
use crate::manifest::Manifest;
use crate::pipeline::{InvalidLimit, Observe, RunOptions, RunResult, StagingOptions, StopCause};
use crate::sandbox::{Profile, Sandbox, SandboxOptions};
use crate::settings::{RowFlags, client_column, defaults, resolve_run};

/// Carries it out. What it is stopped by is in the result, unless that was before its first row.
pub(super) async fn conduct(onboarding: Onboarding, teller: &Arc<Teller>) -> Result<Finished, Error> {
    // Resolved once before anything is read or started.
    let options = resolve(&onboarding, None)?;
    let mut read_options = onboarding.manifest.options.clone();
    read_options.access_token_client = client_column(&options);
    let manifest = Manifest::open(onboarding.manifest.source.clone(), &read_options)?;
    for warning in manifest.warnings() {
        teller.tell(Event::Warned { text: warning.clone() });
    }
    let sandbox = match onboarding.services.profile() {
        Some(profile) => Some(rehearse(&onboarding, &manifest, profile).await?),
        None => None,
    };
    let urls = sandbox.as_ref().map(|sandbox| [sandbox.stara_url(), sandbox.leaf_url()]);
    let options = resolve(&onboarding, urls)?;
    let (ledger, lock) = hold(&onboarding, &options)?;
    if ledger.key_standing() == KeyStanding::Lost {
        teller.tell(Event::Warned { text: KEY_LOST.to_owned() });
    }
    let (start, staging) = staging(&onboarding, &options, &manifest, read_options.keep_columns);
    let observer: Arc<dyn Observe> = Arc::clone(teller) as _;
    let carrying = Carrying { start, staging, options, stop: onboarding.stop.inner().clone(), observer };
    let carried = carry(ledger, manifest, carrying).await;
    if let Some(sandbox) = sandbox {
        sandbox.stop().await;
    }
    let (staged, result) = carried?;
    let finished = conclude(staged, result);
    drop(lock);
    if teller.is_broken() {
        return Err(Error::new(ErrorKind::Internal, "the function that is told events panicked"));
    }
    finished
}

/// What is said where the ledger's key is lost.
const KEY_LOST: &str = "the fingerprint key beside the ledger is missing or another one: done stays done, refused stays refused, \
                        but no row counts as changed and nothing is replaced";

fn resolve(onboarding: &Onboarding, sandbox: Option<[&str; 2]>) -> Result<RunOptions, Error> {
    let (services, choices) = (&onboarding.services, &onboarding.choices);
    let mut rows: RowFlags = defaults().map_err(undeclared)?;
    rows.limits.settle = choices.settle;
    let mut options =
        resolve_run(services.resolve(sandbox)?, &rows, &choices.selection(), &services.secrets())?;
    if services.profile().is_some() {
        if choices.settle.is_none() {
            options.rules.settle = REHEARSAL_SETTLE;
            options.rules.review_after = REHEARSAL_SETTLE;
        }
        options.default_client = Some(rehearsal_secret());
    }
    Ok(options)
}

async fn rehearse(onboarding: &Onboarding, manifest: &Manifest, profile: Profile) -> Result<Sandbox, Error> {
    let world = world_of(manifest, runs_in(&onboarding.ledger))?;
    let mut options = SandboxOptions::default();
    profile.apply(&mut options, &world);
    let started = Sandbox::start(options, Arc::new(world)).await;
    started.map_err(|source| {
        Error::new(ErrorKind::Internal, "the simulated services can't be started").caused_by(source)
    })
}

fn hold(onboarding: &Onboarding, options: &RunOptions) -> Result<(Ledger, RunLock), Error> {
    let path = &onboarding.ledger;
    Ledger::check_place(path)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_durable_folder(folder).map_err(|source| {
            let what = format!("the folder {} can't be made", folder.display());
            Error::new(ErrorKind::Ledger, what).caused_by(source)
        })?;
    }
    Ledger::check_file(path)?;
    if !path.exists() {
        // Before the lock, whose file would stay where nothing was run.
        Ledger::check_division(path, None)?;
    }
    let lock = RunLock::acquire(path)?;
    let services = &options.services;
    let target = Target::new(&services.stara.http.origin(), &services.leaf.http.origin());
    Ok((Ledger::open(path, LedgerAccess::of_run(&target, None))?, lock))
}

fn staging(
    onboarding: &Onboarding,
    options: &RunOptions,
    manifest: &Manifest,
    kept_columns: Vec<String>,
) -> (RunStart, StagingOptions) {
    let choices = &onboarding.choices;
    let start = RunStart {
        kind: RunKind::Run,
        manifest: onboarding.manifest.source.name().to_owned(),
        kept_columns,
        limit: choices.limit,
        approach: options.approach(manifest),
        is_of_manifest: true,
    };
    let staging = StagingOptions {
        selection: choices.selection().selection(),
        invalid_limit: if choices.is_strict { InvalidLimit::Lines(0) } else { InvalidLimit::default() },
        default_client: options.default_client.clone(),
        repair: None,
        is_linted: false,
        takes_swapped: onboarding.manifest.names_login_and_password(),
    };
    (start, staging)
}

/// Counts and records how the run ended.
fn conclude(staged: StagingTotals, result: RunResult) -> Result<Finished, Error> {
    let RunResult { ledger, stopped, hosts, .. } = result;
    if let Some(StopCause::LedgerUnwritable { .. }) = &stopped {
        return Err(Error::new(ErrorKind::Ledger, ending_of(stopped.as_ref())));
    }
    let outcomes = ledger.count_outcomes(staged.run)?;
    let stopped = stopped.filter(|cause| outlasts(cause, &outcomes));
    let code = exit_code(RunKind::Run, stopped.as_ref(), &outcomes, staged.lines);
    let end = RunEnd {
        exit_code: code.number(),
        ending: ending_of(stopped.as_ref()),
        outcomes: outcomes.clone(),
        hosts,
    };
    ledger.end_run(staged.run, &end)?;
    tracing::info!(run = staged.run, exit_code = code.number(), ending = end.ending, "run ended");
    if code == ExitCode::Internal {
        let (lines, total) = (staged.lines, outcomes.total());
        let what = format!("the manifest has {lines} lines, but {total} have an outcome");
        return Err(Error::new(ErrorKind::Internal, what));
    }
    let results = Results::of_run(ledger.path(), staged.run, outcomes);
    Ok(Finished::new(code, stopped.map(|cause| cause.to_string()), results))
}
