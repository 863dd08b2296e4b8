//! What is shown, and where logs go.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{ArgAction, Args};

use super::configuration::Opening;
use super::failure::Failure;
use super::signals;
use crate::ui::{LogWriter, Progress, ProgressDisplay, Terminal};

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
    /// Append the log to this file instead of showing it on stderr, or none
    #[arg(long, value_name = "FILE", env = "STARA_ONBOARD_LOG_FILE", value_parser = log_file)]
    log_file: Option<PathBuf>,
    /// What is said of the settings. Known once they are merged.
    #[arg(skip)]
    pub(super) opening: Opening,
}

/// A file's name; `-` would be taken for stdout by whoever says it, and that is for data.
fn log_file(text: &str) -> Result<PathBuf, &'static str> {
    match text {
        "-" => Err("is no file: without --log-file the log goes to stderr"),
        "" => Err("is empty: without --log-file the log goes to stderr"),
        path => Ok(path.into()),
    }
}

impl OutputFlags {
    /// Where the log goes instead of stderr, if anywhere.
    pub(super) fn log_file(&self) -> Option<&PathBuf> {
        self.log_file.as_ref().filter(|path| path.as_os_str() != "none")
    }

    /// How progress is shown in the end.
    pub(super) fn progress(&self) -> Progress {
        if self.quiet { Progress::None } else { self.progress }
    }
}

/// Begins to show progress. Bars are told to `logs`, and leave the terminal while the process is stopped.
///
/// # Errors
///
/// When the system gives no thread, or doesn't let signals be watched.
pub(super) fn display(progress: Progress, logs: &LogWriter) -> Result<Arc<ProgressDisplay>, Failure> {
    let display = Arc::new(ProgressDisplay::start(progress, Terminal::of_stderr(), logs));
    signals::clear_screen_when_stopped(logs)?;
    Ok(display)
}
