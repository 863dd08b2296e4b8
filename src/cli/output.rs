//! What is shown, and where logs go.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::configuration::Opening;
use crate::ui::Progress;

/// The flags for progress and logs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputFlags {
    /// How progress is shown: auto, bar, lines, json (on stdout) or none
    #[arg(long, value_name = "HOW", env = "STARA_ONBOARD_PROGRESS", default_value_t = Progress::Auto)]
    pub(super) progress: Progress,
    /// Log more; twice for every request, thrice for everything
    #[arg(short, long, action = ArgAction::Count)]
    pub(super) verbose: u8,
    /// Say nothing unless somebody is needed
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// How log lines are written: text or json
    #[arg(long, value_name = "FORMAT", env = "STARA_ONBOARD_LOG_FORMAT", default_value = "text",
          value_parser = ["text", "json"])]
    pub(super) log_format: String,
    /// Append the log to this file instead of showing it on stderr
    #[arg(long, value_name = "FILE", env = "STARA_ONBOARD_LOG_FILE")]
    pub(super) log_file: Option<PathBuf>,
    /// What is said of the settings. Known once they are merged.
    #[arg(skip)]
    pub(super) opening: Opening,
}

impl OutputFlags {
    /// How progress is shown in the end.
    pub(super) fn progress(&self) -> Progress {
        if self.quiet { Progress::None } else { self.progress }
    }
}
