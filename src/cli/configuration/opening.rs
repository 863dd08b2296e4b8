//! What a call says of its settings before it does anything.

use std::path::PathBuf;

use crate::cli::run::tell;

/// The settings file that was read, and the variables that set nothing.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct Opening {
    file: Option<PathBuf>,
    warnings: Vec<String>,
}

impl Opening {
    /// Of a call that read this file and found these variables.
    pub(super) fn new(file: Option<PathBuf>, warnings: Vec<String>) -> Self {
        Self { file, warnings }
    }

    /// Says it to people. Where nothing is to be said, warnings are kept for the log, if there is one: somebody is needed.
    pub(super) fn tell(&self, is_quiet: bool, has_log: bool) {
        if !(is_quiet && has_log) {
            self.warnings.iter().for_each(|warning| tell(&format!("warning: {warning}\n")));
        }
        if let Some(line) = self.line().filter(|_| !is_quiet) {
            tell(&format!("{line}\n"));
        }
    }

    /// Writes it to the log, which must be set up.
    pub(in crate::cli) fn log(&self) {
        self.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        if let Some(line) = self.line() {
            tracing::info!("{line}");
        }
    }

    fn line(&self) -> Option<String> {
        let path = self.file.as_ref()?.display().to_string();
        // A name is somebody's choice, and a terminal carries out what it is told.
        Some(format!("settings from {}", path.replace(char::is_control, "\u{fffd}")))
    }
}
