//! The flags about the settings file itself.

use std::path::PathBuf;

use clap::Args;

/// Where settings come from. Every verb takes them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigurationFlags {
    /// A file of settings, or none [default: stara-onboard.toml in the working folder, where it is there]
    #[arg(long, global = true, value_name = "FILE", env = "STARA_ONBOARD_CONFIG")]
    pub config: Option<PathBuf>,
    /// Print every setting with its value and where that comes from, and do nothing
    #[arg(long, global = true)]
    pub show_settings: bool,
}
