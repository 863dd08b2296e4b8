//! What is checked before a manifest is staged, the same for `run` and for `plan`.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use super::arguments::{PlanArguments, RunArguments};
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::output::OutputFlags;
use super::run::tell;
use super::services::{ServiceSettings, rehearsal_secret};
use super::{manifest_source, sandbox};
use crate::checkpoint::{KeyStanding, Ledger, RunKind, RunStart, Target};
use crate::manifest::Manifest;
use crate::model::Dialect;
use crate::pipeline::{RunOptions, StagingOptions};
use crate::sandbox::{Sandbox, SandboxOptions};
use crate::settings::{
    LineFlags, ManifestFlags, RateFlags, RowFlags, SelectionFlags, StateFlags, TargetFlags, client_column,
    resolve_run,
};

/// What `run` and `plan` are asked for alike.
#[derive(Debug, Clone, Copy)]
pub(super) struct Onboarding<'a> {
    pub(super) manifest: &'a Path,
    pub(super) sandbox: bool,
    pub(super) target: &'a TargetFlags,
    pub(super) rates: &'a RateFlags,
    pub(super) state: &'a StateFlags,
    pub(super) reading: &'a ManifestFlags,
    pub(super) lines: &'a LineFlags,
    pub(super) rows: &'a RowFlags,
    pub(super) selection: &'a SelectionFlags,
    pub(super) output: &'a OutputFlags,
}

impl<'a> From<&'a RunArguments> for Onboarding<'a> {
    fn from(arguments: &'a RunArguments) -> Self {
        Self {
            manifest: &arguments.manifest,
            sandbox: arguments.sandbox,
            target: &arguments.target,
            rates: &arguments.rates,
            state: &arguments.state,
            reading: &arguments.reading,
            lines: &arguments.lines,
            rows: &arguments.rows,
            selection: &arguments.selection,
            output: &arguments.output,
        }
    }
}

impl<'a> From<&'a PlanArguments> for Onboarding<'a> {
    fn from(arguments: &'a PlanArguments) -> Self {
        Self {
            manifest: &arguments.manifest,
            sandbox: arguments.sandbox,
            target: &arguments.target,
            rates: &arguments.rates,
            state: &arguments.state,
            reading: &arguments.reading,
            lines: &arguments.lines,
            rows: &arguments.rows,
            selection: &arguments.selection,
            output: &arguments.output,
        }
    }
}

/// Everything checked that can be checked before the ledger is opened.
pub(super) struct Prepared {
    pub(super) manifest: Manifest,
    pub(super) manifest_name: String,
    pub(super) options: RunOptions,
    pub(super) sandbox: Option<Sandbox>,
}

impl Prepared {
    /// Opens the manifest, resolves the settings, and starts the simulated services of a rehearsal.
    ///
    /// # Errors
    ///
    /// When any of it can't be used.
    pub(super) async fn new(asked: Onboarding<'_>) -> Result<Self, Failure> {
        let source = manifest_source::open(asked.manifest)?;
        let mut settings = ServiceSettings::read(asked.target, asked.rates, asked.sandbox)?;
        // Resolved once before the sandbox is up, so that a mistake is told before anything is read or started.
        let options = resolve(asked, &settings)?;
        let read_options = asked.reading.read_options(client_column(&options), &asked.lines.keep_column);
        let manifest = Manifest::open(source, &read_options)?;
        for warning in manifest.warnings() {
            warn(asked, warning);
        }
        if manifest.has_access_token_client() && options.services.dialect == Dialect::Json {
            warn(
                asked,
                "the column accessTokenClient is only used where Stara's answer has none (--stara-dialect json)",
            );
        }
        let (options, sandbox) = if asked.sandbox {
            let sandbox = start_sandbox(&manifest).await?;
            settings.rehearse_at(sandbox.stara_url(), sandbox.leaf_url());
            (resolve(asked, &settings)?, Some(sandbox))
        } else {
            (options, None)
        };
        let manifest_name = asked.manifest.display().to_string();
        Ok(Self { manifest, manifest_name, options, sandbox })
    }

    /// The hosts that the ledger must belong to.
    pub(super) fn target(&self) -> Target {
        let services = &self.options.services;
        Target::new(&services.stara.http.origin(), &services.leaf.http.origin())
    }

    /// How the manifest is staged, as the lines of which run.
    pub(super) fn staging(&self, asked: Onboarding<'_>) -> (RunStart, StagingOptions) {
        let start = RunStart {
            kind: RunKind::Run,
            manifest: self.manifest_name.clone(),
            kept_columns: asked.lines.keep_column.clone(),
            limit: asked.selection.limit,
            approach: self.options.approach(&self.manifest),
        };
        let options = StagingOptions {
            selection: asked.selection.selection(),
            invalid_limit: asked.lines.invalid_limit(),
            default_client: self.options.default_client.clone(),
            repair: None,
        };
        (start, options)
    }
}

/// Says so where the ledger's key is lost: even where nothing else is said, because somebody is needed.
pub(super) fn tell_of_lost_key(ledger: &Ledger) {
    if ledger.key_standing() == KeyStanding::Lost {
        tell(
            "warning: the fingerprint key beside the ledger is missing or another one: done stays done, refused stays \
             refused, but no row counts as changed and nothing is replaced\n",
        );
    }
}

fn resolve(asked: Onboarding<'_>, settings: &ServiceSettings<'_>) -> Result<RunOptions, Failure> {
    let services = settings.services()?;
    let mut options = resolve_run(services, asked.rows, asked.selection, &settings.environment)?;
    if asked.sandbox {
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

fn warn(asked: Onboarding<'_>, text: &str) {
    if !asked.output.quiet {
        tell(&format!("warning: {text}\n"));
    }
}
