//! What is checked before a manifest is staged, the same for `run` and for `plan`.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use super::arguments::OnboardingFlags;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::manifest_source::{self, OpenedManifest};
use super::rehearsal::Rehearsal;
use super::run::tell;
use super::services::ServiceSettings;
use super::stores::Stores;
use crate::checkpoint::{KeyStanding, Ledger, RunKind, RunStart, Target};
use crate::manifest::Manifest;
use crate::model::Dialect;
use crate::onboarding::rehearsal::{REHEARSAL_SETTLE, rehearsal_secret, world_of};
use crate::pipeline::{OnExisting, RunOptions, Selection, StagingOptions};
use crate::sandbox::{Sandbox, SandboxOptions};
use crate::settings::{client_column, resolve_run};

/// What `run` and `plan` are asked for alike.
#[derive(Debug, Clone, Copy)]
pub(super) struct Onboarding<'a> {
    pub(super) manifest: &'a Path,
    pub(super) rehearsal: Option<Rehearsal>,
    pub(super) flags: &'a OnboardingFlags,
}

impl Onboarding<'_> {
    /// Whether the services are simulated ones.
    pub(super) const fn is_rehearsal(&self) -> bool {
        self.rehearsal.is_some()
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
        let stores = Stores::from(&asked.flags.target);
        let OpenedManifest { source, warning, .. } =
            manifest_source::open(asked.manifest, &stores, &asked.flags.reading.decryption)?;
        // A rehearsal is of a sample, or comes before somebody cares.
        if let Some(warning) = warning.filter(|_| !asked.is_rehearsal()) {
            warn(asked, &warning);
        }
        let mut settings = ServiceSettings::read(
            &asked.flags.target,
            &asked.flags.rates,
            asked.flags.state.shard(),
            asked.is_rehearsal(),
        )?;
        // Resolved once before the sandbox is up, so that a mistake is told before anything is read or started.
        let options = resolve(asked, &settings)?;
        let read_options =
            asked.flags.reading.read_options(client_column(&options), &asked.flags.lines.keep_column);
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
        let (options, sandbox) = if let Some(rehearsal) = asked.rehearsal {
            let sandbox = start_sandbox(&manifest, rehearsal).await?;
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
            kept_columns: asked.flags.lines.keep_column.clone(),
            limit: asked.flags.selection.limit,
            approach: self.options.approach(&self.manifest),
            is_of_manifest: true,
        };
        let selection = Selection {
            looks_after_links: self.options.links.is_some()
                && self.options.rules.on_existing == OnExisting::Keep,
            ..asked.flags.selection.selection()
        };
        let options = StagingOptions {
            selection,
            invalid_limit: asked.flags.lines.invalid_limit(),
            default_client: self.options.default_client.clone(),
            repair: None,
            // The line that tells of it would be kept back.
            is_linted: !asked.flags.output.quiet,
            takes_swapped: asked.flags.reading.names_login_and_password(),
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
    let services = settings
        .services()
        .map_err(|failure| failure.hinting_without_token("to rehearse without any, add --sandbox"))?;
    let mut options =
        resolve_run(services, &asked.flags.rows, &asked.flags.selection, &settings.environment)?;
    if asked.is_rehearsal() {
        if asked.flags.rows.limits.settle.is_none() {
            options.rules.settle = REHEARSAL_SETTLE;
            options.rules.review_after = REHEARSAL_SETTLE;
        }
        options.default_client = Some(rehearsal_secret());
    }
    Ok(options)
}

async fn start_sandbox(manifest: &Manifest, rehearsal: Rehearsal) -> Result<Sandbox, Failure> {
    let world = world_of(manifest, rehearsal.seed)?;
    let mut options = SandboxOptions::default();
    rehearsal.profile.apply(&mut options, &world);
    Sandbox::start(options, Arc::new(world))
        .await
        .context("the simulated services can't be started")
        .map_err(|error| Failure::new(ExitCode::Internal, error, "check that loopback ports can be opened"))
}

fn warn(asked: Onboarding<'_>, text: &str) {
    if !asked.flags.output.quiet {
        tell(&format!("warning: {text}\n"));
    }
}
