//! `run`: onboards a manifest.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;

use super::arguments::RunArguments;
use super::conclusion::Ended;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::signals::TimeLimits;
use super::{logging, manifest_source, reports, roots, sandbox, signals};
use crate::checkpoint::{KeyStanding, Ledger, LedgerAccess, RunLock, RunStart, Target};
use crate::http::{ExtraRoots, Rate};
use crate::manifest::Manifest;
use crate::model::Secret;
use crate::pipeline::{self, Observe, RunOptions, StagingOptions, Stop};
use crate::sandbox::{Sandbox, SandboxOptions};
use crate::settings::{Environment, client_column, is_sendable, resolve_run, resolve_services};
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
        let environment = if arguments.sandbox {
            // The real token is no business of a rehearsal.
            Environment { leaf_token: Some(rehearsal_secret()), ..Environment::default() }
        } else {
            Environment::read(|name| std::env::var_os(name))
        };
        let mut target = arguments.target.clone();
        if arguments.sandbox {
            target.leaf_token_file = None;
            // Until the ports are known: the real hosts would ask for certificates that a rehearsal has no use for.
            for url in [&mut target.stara_url, &mut target.leaf_url] {
                "http://localhost".clone_into(url);
            }
        }
        if let Some(path) = &target.leaf_token_file {
            check_token_file(path)?;
        }
        // Resolved once before the sandbox is up, so that a mistake is told before anything is read or started.
        let extra_roots = target.ca_cert.as_deref().map_or_else(|| Ok(ExtraRoots::default()), roots::read)?;
        let options = resolve(arguments, &target, &environment, &extra_roots)?;
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
            sandbox.stara_url().clone_into(&mut target.stara_url);
            sandbox.leaf_url().clone_into(&mut target.leaf_url);
            (resolve(arguments, &target, &environment, &extra_roots)?, Some(sandbox))
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
            origins,
            duration: began.elapsed(),
            stop,
            signalled,
            _lock: lock,
        })
    }
}

fn resolve(
    arguments: &RunArguments,
    target: &crate::settings::TargetFlags,
    environment: &Environment,
    extra_roots: &ExtraRoots,
) -> Result<RunOptions, Failure> {
    let default_rate = if arguments.sandbox { Rate::Unlimited } else { Rate::AUTO };
    let services = resolve_services(target, &arguments.rates, environment, extra_roots, default_rate)?;
    let mut options = resolve_run(services, &arguments.rows, &arguments.selection, environment)?;
    if arguments.sandbox {
        "in the sandbox".clone_into(&mut options.services.account);
        options.default_client = Some(rehearsal_secret());
    }
    Ok(options)
}

/// What the simulated services take for a token: anything.
fn rehearsal_secret() -> Secret {
    Secret::new("sandbox".to_owned())
}

async fn start_sandbox(manifest: &Manifest) -> Result<Sandbox, Failure> {
    let world = sandbox::world_of(manifest)?;
    Sandbox::start(SandboxOptions::default(), Arc::new(world))
        .await
        .context("the simulated services can't be started")
        .map_err(|error| Failure::new(ExitCode::Internal, error, "check that loopback ports can be opened"))
}

/// The most of a token's file that is read, in bytes. A token has a few kilobytes at most.
const LARGEST_TOKEN_FILE: u64 = 64 * 1024;

/// A token file that can't be read now is a mistake of the configuration, and no word of Leaf's.
fn check_token_file(path: &Path) -> Result<(), Failure> {
    let named = format!("there is no token for Leaf in {}", path.display());
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST_TOKEN_FILE).read_to_string(&mut text));
    let error = match read.map(|_| text) {
        Ok(text) if text.trim().is_empty() => anyhow::anyhow!("{named}: it is empty"),
        Ok(text) if !is_sendable(&Secret::new(text.trim().to_owned())) => {
            anyhow::anyhow!("{named}: it holds more than one line, or characters that no token has")
        }
        Ok(_) => return Ok(()),
        Err(source) => anyhow::Error::new(source).context(named),
    };
    Err(Failure::new(
        ExitCode::Usage,
        error,
        "nothing was sent; name a file that holds the token with --leaf-token-file",
    ))
}

fn make_state_folder(ledger: &Path) -> Result<(), Failure> {
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
