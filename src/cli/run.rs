//! `run`: onboards a manifest.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;

use super::arguments::RunArguments;
use super::check::LintNotice;
use super::conclusion::{Aloud, Ended, Telling};
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::links::LinkFile;
use super::prepared::{Onboarding, Prepared, tell_of_lost_key};
use super::scheduler::{HeldLock, Job};
use super::signals::TimeLimits;
use super::stores::Stores;
use super::{logging, output, reports, signals, unopened};
use crate::checkpoint::{self, Ledger, LedgerAccess, RunKind};
use crate::onboarding::{Carrying, carry};
use crate::pipeline::{Stop, lane_runtime};
use crate::ui::{LogWriter, ProgressDisplay};

/// Onboards a manifest, and says with which code to exit.
pub(super) fn run(arguments: &RunArguments) -> Result<ExitCode, Failure> {
    let RunArguments { manifest, flags, .. } = arguments;
    let asked = Onboarding { manifest, rehearsal: arguments.rehearsal.rehearsal(), flags };
    if arguments.dry_run {
        return super::plan::foresee(asked, arguments.plan, &arguments.scheduler.exit);
    }
    let ledger = flags.state.path(asked.is_rehearsal());
    let rehearsal = asked.rehearsal.map(|rehearsal| rehearsal.after_runs_in(&ledger));
    let asked = Onboarding { rehearsal, ..asked };
    let job = Job::begin("run", manifest.display().to_string(), ledger, &arguments.scheduler, &flags.output)
        .of_shard(flags.state.shard())
        .rehearsing(asked.is_rehearsal());
    job.end(onboard(arguments, asked, &job))
}

fn onboard(arguments: &RunArguments, asked: Onboarding<'_>, job: &Job<'_>) -> Result<ExitCode, Failure> {
    let RunArguments { manifest, flags, .. } = arguments;
    let files = job
        .files(&flags.target)
        .needing("the manifest", Some(manifest))
        .needing_to_decrypt(&flags.reading.decryption);
    job.check(&files)?;
    if arguments.plan.are_given() {
        let error = anyhow::anyhow!("--json, --refresh and --detailed-exitcode are about a plan");
        return Err(Failure::new(
            ExitCode::Usage,
            error,
            "nothing was sent; add --dry-run, or leave them out",
        ));
    }
    let limits = TimeLimits { began: job.began(), longest: arguments.max_duration, grace: arguments.grace };
    let logs = LogWriter::default();
    let manifest_name = manifest.display().to_string();
    let targets = reports::targets(
        &arguments.report,
        &manifest_name,
        &flags.lines.keep_column,
        flags.state.shard(),
        &Stores::from(&flags.target),
    )?;
    let links = arguments.links.file(&flags.lines.keep_column, flags.state.shard())?;
    let links_path = links.as_ref().map(|links| &links.path);
    files.writing("--report", reports::paths(&targets)).writing("--magic-links", links_path).check()?;
    logging::start(&flags.output, &logs)?;
    runtime()?.block_on(async {
        signals::outlive_file_limit()?;
        let mut held = Held::new(asked, job).await?;
        held.prepared.options.links = arguments.links.rules();
        reports::prepare(&targets)?;
        links.as_ref().map_or(Ok(()), LinkFile::prepare)?;
        let display = output::display(flags.output.progress(), &logs)?;
        let ended = held.carry_out(asked, limits, Arc::clone(&display), &logs).await;
        let totals = display.finish();
        let (ended, refusals) = ended?;
        let telling = Telling {
            kind: RunKind::Run,
            aloud: Aloud::unless(flags.output.quiet),
            state: &flags.state,
            is_rehearsal: asked.is_rehearsal(),
            job,
            rehearsed: asked.rehearsal.map(|rehearsal| rehearsal.told(flags, totals, refusals)),
            links: links.as_ref(),
        };
        ended.conclude(&telling, targets.into()).await
    })
}

/// The runtime on which a verb speaks to the services: the first lane of its rows.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    lane_runtime().context("the runtime can't be started").map_err(|error| {
        Failure::new(ExitCode::Internal, error, "check the limits on threads and open files")
    })
}

/// Everything checked that can be checked before anything is sent, and the ledger held.
struct Held {
    prepared: Prepared,
    ledger: Ledger,
    lock: HeldLock,
}

impl Held {
    async fn new(asked: Onboarding<'_>, job: &Job<'_>) -> Result<Self, Failure> {
        let prepared = Prepared::new(asked).await?;
        job.watch(&prepared.options.services);
        let path = asked.flags.state.path(asked.is_rehearsal());
        make_state_folder(&path)?;
        Ledger::check_file(&path)?;
        if !path.exists() {
            // Before the lock, whose file would stay where nothing was run.
            Ledger::check_division(&path, asked.flags.state.shard())?;
        }
        let lock = job.acquire_lock().await?;
        let ledger =
            Ledger::open(&path, LedgerAccess::of_run(&prepared.target(), asked.flags.state.shard()))?;
        tell_of_lost_key(&ledger);
        Ok(Self { prepared, ledger, lock })
    }

    /// Stages and carries out. The number is the largest of refusals that one login got in a rehearsal.
    async fn carry_out(
        self,
        asked: Onboarding<'_>,
        limits: TimeLimits,
        display: Arc<ProgressDisplay>,
        logs: &LogWriter,
    ) -> Result<(Ended, u32), Failure> {
        let Self { prepared, ledger, lock } = self;
        let output = &asked.flags.output;
        let observer = LintNotice::around(display, asked.manifest, logs, output.quiet);
        let stop = Stop::default();
        let signalled = signals::watch(stop.clone(), limits, Arc::clone(&observer))?;
        let lock = lock.into_lock();
        let began = Instant::now();
        let (start, staging) = prepared.staging(asked);
        let Prepared { manifest, options, sandbox, .. } = prepared;
        let origins = [options.services.stara.http.origin(), options.services.leaf.http.origin()];
        let carrying = Carrying { start, staging, options, stop: stop.clone(), observer };
        let (staged, result) = carry(ledger, manifest, carrying).await?;
        let mut most_refusals = 0;
        if let Some(sandbox) = sandbox {
            most_refusals = sandbox.world().most_refusals();
            sandbox.stop().await;
        }
        let ended = Ended {
            result,
            run: staged.run,
            lines: staged.lines,
            vanished: staged.vanished,
            origins,
            duration: began.elapsed(),
            stop,
            signalled,
            lock,
        };
        Ok((ended, most_refusals))
    }
}

pub(super) fn make_state_folder(ledger: &Path) -> Result<(), Failure> {
    Ledger::check_place(ledger)?;
    let Some(folder) = ledger.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    checkpoint::make_durable_folder(folder).map_err(|source| {
        let why = unopened::unwritable(folder, &source).map_or_else(String::new, |why| format!("{why}; "));
        let error =
            anyhow::Error::new(source).context(format!("the folder {} can't be made", folder.display()));
        let hint = format!("nothing was sent; {why}or name another place with --state FILE");
        Failure::new(ExitCode::StateUnwritable, error, hint)
    })
}

/// A defect of this program that nobody can mend by another command line.
pub(super) fn internal(what: &'static str) -> Failure {
    Failure::new(
        ExitCode::Internal,
        anyhow::anyhow!(what),
        "report it; the ledger is true, and the same command resumes",
    )
}

/// Writes for people. Where stderr is gone, nobody is there to be told.
pub(super) fn tell(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
