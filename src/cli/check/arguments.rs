//! The flags of `check`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::settings::ManifestFlags;

/// The arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The manifest: CSV (also .gz or .zst) or Parquet with leafUserId, login and password; - reads stdin
    pub manifest: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Exit with 2 for warnings, too
    #[arg(long, env = "STARA_ONBOARD_STRICT", value_parser = BoolishValueParser::new())]
    pub strict: bool,
    /// How many places of each kind are listed; all are counted
    #[arg(long, value_name = "N", env = "STARA_ONBOARD_MAX_FINDINGS", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(..=10_000))]
    pub max_findings: u32,
    #[command(flatten)]
    pub(super) reading: ManifestFlags,
}
