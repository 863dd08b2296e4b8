//! Carries `audit` out: checks, sees, tells, and repairs where that is asked for.

use std::path::Path;
use std::sync::Arc;

use super::arguments::AuditArguments;
use super::exit::Exit;
use super::repair::Repair;
use super::shown::AuditShown;
use super::{line, text};
use crate::checkpoint::{Accepted, KeyStanding, Ledger, LedgerAccess, Rejected, Target};
use crate::cli::conclusion::code_of_stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::links::{LinkFile, LinksEnded};
use crate::cli::logging;
use crate::cli::manifest_source::{self, OpenedManifest, stem};
use crate::cli::output;
use crate::cli::prepared::tell_of_lost_key;
use crate::cli::reports::{self, ReportTarget};
use crate::cli::run::{runtime, tell};
use crate::cli::scheduler::{HeldLock, Job};
use crate::cli::services::ServiceSettings;
use crate::cli::signals::{self, Signalled, TimeLimits};
use crate::cli::status::print;
use crate::cli::stores::Stores;
use crate::manifest::{ClientColumn, Manifest, ReadOptions, Wanted};
use crate::pipeline::{
    self, AuditOptions, AuditResult, AuditScope, LinksResult, Observe, RunOptions, Services, Stop,
};
use crate::settings::{client_column, resolve_repair};
use crate::ui::{LogWriter, ProgressDisplay};

/// Audits, and says with which code to exit.
pub(in crate::cli) fn audit(arguments: &AuditArguments) -> Result<ExitCode, Failure> {
    let subject = arguments.manifest.as_ref().map_or_else(String::new, |path| path.display().to_string());
    let ledger = arguments.state.path(false);
    let job = Job::begin("audit", subject, ledger, &arguments.scheduler, &arguments.output)
        .of_shard(arguments.state.shard());
    job.end(examine(arguments, &job))
}

fn examine(arguments: &AuditArguments, job: &Job<'_>) -> Result<ExitCode, Failure> {
    let files = job
        .files(&arguments.target)
        .needing("the manifest", arguments.manifest.as_deref())
        .needing_to_decrypt(&arguments.reading.decryption);
    job.check(&files)?;
    let limits = TimeLimits { began: job.began(), longest: arguments.max_duration, grace: arguments.grace };
    if arguments.repair && arguments.manifest.is_none() {
        return Err(Failure::new(
            ExitCode::Usage,
            anyhow::anyhow!("--repair needs a manifest: the passwords stand nowhere else"),
            "nothing was sent; name the manifest: audit MANIFEST --repair",
        ));
    }
    let logs = LogWriter::default();
    let targets = report_targets(arguments)?;
    let links = arguments.links.asked();
    files.writing("--report", reports::paths(&targets)).writing("--magic-links", links).check()?;
    reports::prepare(&targets)?;
    logging::start(&arguments.output, &logs)?;
    runtime()?.block_on(async {
        signals::outlive_file_limit()?;
        let prepared = Prepared::new(arguments, targets, job).await?;
        let display = output::display(arguments.progress(), &logs)?;
        let ended = Box::pin(prepared.carry_out(arguments, job, limits, Arc::clone(&display), &logs)).await;
        display.finish();
        ended
    })
}

/// Where the results of a repair go. They don't take the place of a run's.
fn report_targets(arguments: &AuditArguments) -> Result<Vec<ReportTarget>, Failure> {
    let Some(manifest) = arguments.manifest.as_ref().filter(|_| arguments.repair) else {
        return Ok(Vec::new());
    };
    let name = manifest.display().to_string();
    let shard = arguments.state.shard();
    let default = [reports::of_shard(&format!("state/{}.repair.csv", stem(&name)), shard)];
    let asked = if arguments.report.is_empty() { &default[..] } else { &arguments.report };
    let stores = Stores::from(&arguments.target);
    reports::targets(asked, &name, &arguments.lines.keep_column, shard, &stores)
}

/// Everything checked that can be checked before anything is sent.
struct Prepared {
    manifest: Option<(Manifest, String)>,
    services: Services,
    repair: Option<RunOptions>,
    targets: Vec<ReportTarget>,
    ledger: Ledger,
    lock: HeldLock,
    links: Option<LinkFile>,
}

impl Prepared {
    async fn new(
        arguments: &AuditArguments,
        targets: Vec<ReportTarget>,
        job: &Job<'_>,
    ) -> Result<Self, Failure> {
        let settings =
            ServiceSettings::read(&arguments.target, &arguments.rates, arguments.state.shard(), false)?;
        let services = settings.services()?;
        job.watch(&services);
        let repair = arguments
            .repair
            .then(|| resolve_repair(services.clone(), &arguments.limits, &settings.environment))
            .transpose()?;
        let manifest = arguments.manifest.as_deref();
        let manifest = manifest.map(|path| open_manifest(arguments, path, repair.as_ref())).transpose()?;
        let path = arguments.state.path(false);
        Ledger::check_file(&path)?;
        if !path.exists() {
            return Err(Ledger::missing(&path).into());
        }
        let lock = job.acquire_lock().await?;
        let hosts = Target::new(&services.stara.http.origin(), &services.leaf.http.origin());
        let ledger = Ledger::open(&path, LedgerAccess::of_run(&hosts, arguments.state.shard()))?;
        if arguments.repair && ledger.key_standing() == KeyStanding::Lost {
            return Err(Failure::new(
                ExitCode::Usage,
                anyhow::anyhow!(
                    "the fingerprint key beside the ledger is missing or another one, so that nothing may be replaced"
                ),
                "nothing was sent; put the right key back, or audit without --repair",
            ));
        }
        let kept_columns = ledger.latest_run()?.map_or_else(Vec::new, |run| run.kept_columns);
        let links = arguments.links.file(&kept_columns, arguments.state.shard())?;
        if let Some(links) = &links {
            links.prepare()?;
            tell_of_lost_key(&ledger);
        }
        Ok(Self { manifest, services, repair, targets, ledger, lock, links })
    }

    async fn carry_out(
        self,
        arguments: &AuditArguments,
        job: &Job<'_>,
        limits: TimeLimits,
        display: Arc<ProgressDisplay>,
        logs: &LogWriter,
    ) -> Result<ExitCode, Failure> {
        let Self { manifest, services, repair, targets, mut ledger, lock, links } = self;
        let observer: Arc<dyn Observe> = display.clone();
        let stop = Stop::default();
        let signalled: Signalled = signals::watch(stop.clone(), limits, Arc::clone(&observer))?;
        let mut lock = lock.into_lock();
        let name = manifest.as_ref().map(|(_, name)| name.clone());
        let (asked, watching) = (services.clone(), Arc::clone(&observer));
        let result = see(arguments, asked, manifest.as_ref(), &ledger, &stop, watching).await?;
        job.note_audit(result.audit.counts);
        job.note_throttled(|service| {
            result.hosts.get(&service.as_str().to_lowercase()).copied().unwrap_or_default()
        });
        let (accepted, missed) = accept(arguments, &ledger)?;
        let mut exit = Exit {
            stopped: result.stopped.as_ref().map(code_of_stop),
            is_incomplete: result.audit.counts.unseen > 0,
            is_acceptance_missed: missed,
            ..Exit::default()
        };
        let statuses = ledger.undocumented_statuses(STATUSES_SHOWN)?;
        let mut shown = AuditShown {
            manifest: name.as_deref(),
            result: &result,
            statuses,
            accepted,
            repaired: None,
            linked: None,
        };
        let found = text::render(&shown, &ledger)?;
        let is_text_told = !arguments.is_json() && !arguments.output.quiet;
        if is_text_told {
            display.finish();
            print(&found);
        }
        if let Some(cause) = result.stopped.as_ref().filter(|_| !arguments.output.quiet) {
            let advice = code_of_stop(cause).advice();
            tell(&format!("stopped: {cause}\nhint: what was seen is kept. {advice}\n"));
        }
        let mut repaired = None;
        if let Some(((manifest, manifest_name), options)) = manifest.zip(repair)
            && result.stopped.is_none()
        {
            let repair = Repair {
                arguments,
                job,
                manifest,
                manifest_name,
                options,
                targets,
                lock,
                stop: stop.clone(),
                signalled,
                display: Arc::clone(&display),
                logs,
            };
            let (given_back, held, outcome, code) = repair.carry_out(ledger).await?;
            (ledger, lock) = (given_back, held);
            exit.repair = Some(code);
            if is_text_told {
                print(&text::render_repair(&outcome));
            }
            repaired = Some(outcome);
        }
        let mut linked = None;
        if let Some((file, rules)) = links.as_ref().zip(arguments.links.rules()) {
            let whose = Rejected::Audited;
            let making = pipeline::make_links(services, &ledger, whose, rules, stop, observer);
            let LinksResult { made, stopped, hosts } = making.await?;
            job.note_throttled(|service| {
                hosts.get(&service.as_str().to_lowercase()).copied().unwrap_or_default()
            });
            let ended = LinksEnded::new(file, &[(&ledger, whose)], Some(&made), stopped.as_ref())?;
            exit.are_links_missing = ended.is_incomplete();
            exit.stopped = stopped.as_ref().map(code_of_stop).or(exit.stopped);
            if !arguments.output.quiet {
                display.finish();
                ended.lines().iter().for_each(|line| tell(&format!("{line}\n")));
            }
            linked = Some(ended);
        }
        display.finish();
        shown.repaired = repaired.as_ref();
        shown.linked = linked.as_ref();
        if arguments.is_json() {
            shown.write_json(&ledger, std::io::stdout().lock())?;
        }
        let is_drift = ledger.still_found()? > 0 || result.audit.counts.unsettled > 0;
        exit.is_drift_told = arguments.detailed_exitcode && is_drift;
        let line = line::render(&shown, exit.code());
        if arguments.output.quiet && (is_drift || exit.code() != ExitCode::Done) {
            tell(&line);
        }
        job.log(&line);
        drop(lock);
        Ok(exit.code())
    }
}

/// How many statuses that nobody documents are told.
const STATUSES_SHOWN: usize = 20;

fn open_manifest(
    arguments: &AuditArguments,
    path: &Path,
    repair: Option<&RunOptions>,
) -> Result<(Manifest, String), Failure> {
    let stores = Stores::from(&arguments.target);
    let OpenedManifest { source, warning, .. } =
        manifest_source::open(path, &stores, &arguments.reading.decryption)?;
    let client = repair.map_or(ClientColumn::Optional, client_column);
    let options = arguments.reading.read_options(client, &arguments.lines.keep_column);
    // Whoever is only looked at needs neither login nor password.
    let wanted = if repair.is_some() { Wanted::Growers } else { Wanted::Users };
    let manifest = Manifest::open(source, &ReadOptions { wanted, ..options })?;
    if !arguments.output.quiet {
        for warning in warning.iter().chain(manifest.warnings()) {
            tell(&format!("warning: {warning}\n"));
        }
    }
    Ok((manifest, path.display().to_string()))
}

async fn see(
    arguments: &AuditArguments,
    services: Services,
    manifest: Option<&(Manifest, String)>,
    ledger: &Ledger,
    stop: &Stop,
    observer: Arc<dyn Observe>,
) -> Result<AuditResult, Failure> {
    if !arguments.output.quiet {
        let whom = manifest.map_or("everybody in the ledger", |(_, name)| name);
        let (origin, rate) = (services.leaf.http.origin(), services.leaf.rate);
        tell(&format!("audit of {whom}: Leaf {origin} at {rate}, {}\n", services.account));
    }
    let before_logs = |users: u64| {
        if users > 0 && !arguments.output.quiet {
            tell(&format!("fetching Leaf's log of unhealthy credentials: {users}, one call each\n"));
        }
    };
    let scope = match manifest {
        Some((manifest, name)) => AuditScope::Manifest(manifest, name),
        None => AuditScope::Everybody,
    };
    let options = AuditOptions { services, scope, list_use: arguments.look, before_logs: &before_logs };
    pipeline::audit(ledger, options, stop.clone(), observer).await.map_err(Failure::from)
}

/// Accepts what is to be accepted; tells how many, and whether something couldn't be.
fn accept(arguments: &AuditArguments, ledger: &Ledger) -> Result<(u64, bool), Failure> {
    let (mut accepted, mut missed) = (0, false);
    for wanted in &arguments.accept {
        let users = ledger.accept(*wanted)?;
        accepted += users;
        if let (0, Accepted::Of(id)) = (users, wanted) {
            missed = true;
            tell(&format!(
                "error: nothing to accept for {id}: this audit found no foreign credential of a user in the ledger there\n"
            ));
        }
    }
    Ok((accepted, missed))
}
