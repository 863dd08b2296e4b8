//! `sandbox`: serves the simulated services, and fills them with a manifest's growers.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use super::arguments::SandboxArguments;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::manifest_source;
use super::status::print;
use crate::manifest::{ClientColumn, Manifest, Record};
use crate::sandbox::{Sandbox, SandboxOptions, World};

/// A world that knows the growers of a manifest, and nobody else.
pub(super) fn world_of(manifest: &Manifest) -> Result<World, Failure> {
    let world = World::closed();
    for record in manifest.records()? {
        if let Record::Row(row) = record? {
            world.add_grower(row.leaf_user_id, &row.login, &row.password);
        }
    }
    Ok(world)
}

/// Serves until a signal comes.
pub(super) fn serve(arguments: &SandboxArguments) -> Result<ExitCode, Failure> {
    let world = match &arguments.manifest {
        Some(path) => world_of(&open(path, arguments)?)?,
        None => World::open(),
    };
    let options = SandboxOptions {
        stara_port: arguments.stara_port,
        leaf_port: arguments.leaf_port,
        ..SandboxOptions::default()
    };
    let runtime = super::run::runtime()?;
    let served = runtime.block_on(async {
        let sandbox =
            Sandbox::start(options, Arc::new(world)).await.context("the sandbox can't be served")?;
        print(&format!("STARA_URL={}\nLEAF_URL={}\n", sandbox.stara_url(), sandbox.leaf_url()));
        super::signals::first().await?;
        sandbox.stop().await;
        anyhow::Ok(())
    });
    served.map_err(|error| {
        Failure::new(ExitCode::Usage, error, "choose free ports with --stara-port and --leaf-port")
    })?;
    Ok(ExitCode::Done)
}

fn open(path: &Path, arguments: &SandboxArguments) -> Result<Manifest, Failure> {
    let options = arguments.reading.read_options(ClientColumn::Optional, &[]);
    Ok(Manifest::open(manifest_source::open(path)?, &options)?)
}
