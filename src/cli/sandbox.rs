//! `sandbox`: serves the simulated services, and fills them with a manifest's growers.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use super::arguments::SandboxArguments;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::manifest_source;
use super::status::print;
use super::stores::Stores;
use crate::manifest::{ClientColumn, Manifest};
use crate::onboarding::rehearsal::world_of;
use crate::sandbox::{Sandbox, SandboxOptions, World};

/// Serves until a signal comes.
pub(super) fn serve(arguments: &SandboxArguments) -> Result<ExitCode, Failure> {
    let world = match &arguments.manifest {
        Some(path) => world_of(&open(path, arguments)?, arguments.seed)?,
        None => World::open().seeded(arguments.seed),
    };
    for fault in &arguments.fault {
        world.inject(fault.clone());
    }
    let mut options = SandboxOptions {
        stara_port: arguments.stara_port,
        leaf_port: arguments.leaf_port,
        latency: arguments.latency,
        on_second_attach: arguments.second_attach,
        record_to: arguments.record.as_deref().map(create_record).transpose()?.map(Arc::new),
        token_lifetime_requests: arguments.token_lifetime,
        ..SandboxOptions::default()
    };
    arguments.profile.apply(&mut options, &world);
    let runtime = super::run::runtime()?;
    let record_failure = runtime.block_on(async {
        let sandbox = Sandbox::start(options, Arc::new(world)).await.context("the sandbox can't be served");
        let sandbox = sandbox.map_err(|error| {
            Failure::new(ExitCode::Usage, error, "choose free ports with --stara-port and --leaf-port")
        })?;
        print(&format!("STARA_URL={}\nLEAF_URL={}\n", sandbox.stara_url(), sandbox.leaf_url()));
        super::signals::first().await.context("signals can't be watched").map_err(|error| {
            Failure::new(ExitCode::Internal, error, "report it; nothing was served that has to be tidied up")
        })?;
        let failure = sandbox.record_failure();
        sandbox.stop().await;
        Ok::<_, Failure>(failure)
    })?;
    match record_failure {
        None => Ok(ExitCode::Done),
        Some(source) => {
            let error = anyhow::Error::new(source).context("the record ends before the sandbox did");
            Err(Failure::new(ExitCode::StateUnwritable, error, "make room, and rehearse again"))
        }
    }
}

fn open(path: &Path, arguments: &SandboxArguments) -> Result<Manifest, Failure> {
    let options = arguments.reading.read_options(ClientColumn::Optional, &[]);
    let opened = manifest_source::open(path, &Stores::default(), &arguments.reading.decryption)?;
    Ok(Manifest::open(opened.source, &options)?)
}

/// Makes the record's file anew, readable by its owner only: it names growers and their logins.
fn create_record(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|source| {
        let error =
            anyhow::Error::new(source).context(format!("the record {} can't be made", path.display()));
        Failure::new(ExitCode::Usage, error, "name a file that isn't there yet with --record")
    })
}
