//! The flags of `doctor`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::output::OutputFlags;
use crate::settings::{ManifestFlags, RateFlags, StateFlags, TargetFlags};

/// The arguments of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// The manifest that is to be run: its permissions are looked at, and how long it will take; - reads stdin
    pub manifest: Option<PathBuf>,
    /// Send the login of this line of the manifest to Stara, once in each dialect at the most and never again after it was
    /// refused, and say which dialect is live
    #[arg(long, value_name = "LINE", requires = "manifest", value_parser = clap::value_parser!(u64).range(1..))]
    pub canary: Option<u64>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub(super) target: TargetFlags,
    #[command(flatten)]
    pub(super) rates: RateFlags,
    #[command(flatten)]
    pub(in crate::cli) state: StateFlags,
    #[command(flatten)]
    pub(super) reading: ManifestFlags,
    #[command(flatten)]
    pub(in crate::cli) output: OutputFlags,
}
