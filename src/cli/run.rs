//! `run`: onboards a manifest.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;

use super::arguments::RunArguments;
use super::conclusion::Ended;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::services::{ServiceSettings, rehearsal_secret};
use super::signals::TimeLimits;
use super::{logging, manifest_source, reports, sandbox, signals};
use crate::checkpoint::{KeyStanding, Ledger, LedgerAccess, RunKind, RunLock, RunStart, Target};
use crate::manifest::Manifest;
use crate::pipeline::{self, Observe, RunOptions, StagingOptions, Stop};
use crate::sandbox::{Sandbox, SandboxOptions};
use crate::settings::{client_column, resolve_run};
use crate::ui::{LogWriter, ProgressDisplay};

/// Onboards a manifest, and says with which code to exit.
pub(super) fn run(arguments: &RunArguments) -> Result<ExitCode, Failure> {
    let limits =
        TimeLimits { began: Instant::now(), longest: arguments.max_duration, grace: arguments.grace };
    let logs = LogWriter::default();
    let manifest_name = arguments.manifest.display().to_string();
    let targets = reports::targets(&arguments.report, &manifest_name, &arguments.lines.keep_column)?;
    let written = targets.iter().map(|target| &target.path).chain(&arguments.output.log_file);
    written
        .chain(&arguments.state.state)
        .try_for_each(|path| reports::refuse_manifest(path, &arguments.manifest))?;
    logging::start(&arguments.output, &logs)?;
    runtime()?.block_on(async {
        signals::outlive_file_limit()
            .context("signals can't be watched")
            .map_err(|error| Failure::new(ExitCode::Internal, error, "report it"))?;
        let prepared = Prepared::new(arguments, manifest_name).await?;
        reports::prepare(&targets)?;
        let display = Arc::new(ProgressDisplay::start(
            arguments.output.progress(),
            std::io::stderr().is_terminal(),
            &logs,
        ));
        let ended = prepared.carry_out(arguments, limits, Arc::clone(&display)).await;
        display.finish();
        ended?.conclude(arguments, targets.into()).await
    })
}

/// The runtime of the process.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime can't be started")
        .map_err(|error| {
            Failure::new(ExitCode::Internal, error, "check the limits on threads and open files")
        })
}

/// Everything checked that can be checked before anything is sent.
struct Prepared {
    manifest: Manifest,
    manifest_name: String,
    options: RunOptions,
    ledger: Ledger,
    lock: RunLock,
    sandbox: Option<Sandbox>,
}

impl Prepared {
    async fn new(arguments: &RunArguments, manifest_name: String) -> Result<Self, Failure> {
        let source = manifest_source::open(&arguments.manifest)?;
        let mut settings = ServiceSettings::read(&arguments.target, &arguments.rates, arguments.sandbox)?;
        // Resolved once before the sandbox is up, so that a mistake is told before anything is read or started.
        let options = resolve(arguments, &settings)?;
        let read_options =
            arguments.reading.read_options(client_column(&options), &arguments.lines.keep_column);
        let manifest = Manifest::open(source, &read_options)?;
        for warning in manifest.warnings() {
            warn(arguments, warning);
        }
        if manifest.has_access_token_client() && options.services.dialect == crate::model::Dialect::Json {
            warn(
                arguments,
                "the column accessTokenClient is only used where Stara's answer has none (--stara-dialect json)",
            );
        }
        let (options, sandbox) = if arguments.sandbox {
            let sandbox = start_sandbox(&manifest).await?;
            settings.rehearse_at(sandbox.stara_url(), sandbox.leaf_url());
            (resolve(arguments, &settings)?, Some(sandbox))
        } else {
            (options, None)
        };
        let path = arguments.state.path(arguments.sandbox);
        make_state_folder(&path)?;
        Ledger::check_file(&path)?;
        let lock = RunLock::acquire(&path)?;
        let hosts = Target::new(&options.services.stara.http.origin(), &options.services.leaf.http.origin());
        let ledger = Ledger::open(&path, LedgerAccess::Run(&hosts))?;
        if ledger.key_standing() == KeyStanding::Lost {
            // Even where nothing else is said: somebody is needed.
            tell(
                "warning: the fingerprint key beside the ledger is missing or another one: done stays done, refused stays \
                 refused, but no row counts as changed and nothing is replaced\n",
            );
        }
        Ok(Self { manifest, manifest_name, options, ledger, lock, sandbox })
    }

    async fn carry_out(
        self,
        arguments: &RunArguments,
        limits: TimeLimits,
        display: Arc<ProgressDisplay>,
    ) -> Result<Ended, Failure> {
        let Self { manifest, manifest_name, options, mut ledger, lock, sandbox } = self;
        let observer: Arc<dyn Observe> = display;
        let stop = Stop::default();
        let signalled = signals::watch(stop.clone(), limits, Arc::clone(&observer))
            .context("signals can't be watched")
            .map_err(|error| Failure::new(ExitCode::Internal, error, "report it"))?;
        let began = Instant::now();
        let start = RunStart {
            kind: RunKind::Run,
            manifest: manifest_name,
            kept_columns: arguments.lines.keep_column.clone(),
            limit: arguments.selection.limit,
            approach: options.approach(&manifest),
        };
        let staging_options = StagingOptions {
            selection: arguments.selection.selection(),
            invalid_limit: arguments.lines.invalid_limit(),
            default_client: options.default_client.clone(),
        };
        let (watching, stopping) = (Arc::clone(&observer), stop.clone());
        let staging = tokio::task::spawn_blocking(move || {
            let staged =
                pipeline::stage(&mut ledger, &manifest, &start, &staging_options, &stopping, &*watching);
            staged.map(|staged| (staged, ledger, manifest))
        });
        let (staged, ledger, manifest) =
            staging.await.map_err(|_| internal("staging ended unexpectedly"))??;
        let origins = [options.services.stara.http.origin(), options.services.leaf.http.origin()];
        tracing::info!(run = staged.run, lines = staged.lines, to_do = staged.to_do, "staged");
        let result = pipeline::run(ledger, manifest, staged, options, stop.clone(), observer).await?;
        if let Some(sandbox) = sandbox {
            sandbox.stop().await;
        }
        Ok(Ended {
            result,
            run: staged.run,
            lines: staged.lines,
            vanished: staged.vanished,
            origins,
            duration: began.elapsed(),
            stop,
            signalled,
            _lock: lock,
        })
    }
}

fn resolve(arguments: &RunArguments, settings: &ServiceSettings<'_>) -> Result<RunOptions, Failure> {
    let services = settings.services()?;
    let mut options = resolve_run(services, &arguments.rows, &arguments.selection, &settings.environment)?;
    if arguments.sandbox {
        options.default_client = Some(rehearsal_secret());
    }
    Ok(options)
}

async fn start_sandbox(manifest: &Manifest) -> Result<Sandbox, Failure> {
    let world = sandbox::world_of(manifest)?;
    Sandbox::start(SandboxOptions::default(), Arc::new(world))
        .await
        .context("the simulated services can't be started")
        .map_err(|error| Failure::new(ExitCode::Internal, error, "check that loopback ports can be opened"))
}

pub(super) fn make_state_folder(ledger: &Path) -> Result<(), Failure> {
    let Some(folder) = ledger.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    make_durable_folder(folder).map_err(|source| {
        let error =
            anyhow::Error::new(source).context(format!("the folder {} can't be made", folder.display()));
        Failure::new(ExitCode::StateUnwritable, error, "name another place with --state FILE")
    })
}

/// Makes a folder with all above it, and waits until their names are on the disk: SQLite flushes the ledger's own folder,
/// but a power loss could still take that folder away, and every intent in it.
fn make_durable_folder(folder: &Path) -> std::io::Result<()> {
    let missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists())
        .collect();
    std::fs::create_dir_all(folder)?;
    for made in missing {
        let parent = made.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// A defect of this program that nobody can mend by another command line.
pub(super) fn internal(what: &'static str) -> Failure {
    Failure::new(
        ExitCode::Internal,
        anyhow::anyhow!(what),
        "report it; the ledger is true, and the same command resumes",
    )
}

fn warn(arguments: &RunArguments, text: &str) {
    if !arguments.output.quiet {
        tell(&format!("warning: {text}\n"));
    }
}

/// Writes for people. Where stderr is gone, nobody is there to be told.
pub(super) fn tell(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
