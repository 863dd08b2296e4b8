//! The tool's command lines.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server::TOKEN;

/// A build of the tool with a folder for its ledger and reports.
#[derive(Debug)]
pub(crate) struct Workplace<'a> {
    binary: &'a Path,
    directory: PathBuf,
}

impl<'a> Workplace<'a> {
    pub(crate) fn new(binary: &'a Path, directory: PathBuf) -> Self {
        Self { binary, directory }
    }

    /// `run` without quota and without a look before, so that it sends the four calls that the bare program sends. Both hosts
    /// are at one URL, and `report` is a file's name in the folder, or none.
    pub(crate) fn run(&self, manifest: &Path, url: &str, concurrency: u32, report: Option<&str>) -> Command {
        let mut command = Command::new(self.binary);
        let report = report.map_or_else(|| PathBuf::from("none"), |name| self.directory.join(name));
        command
            .arg("run")
            .arg(manifest)
            .args(["--precheck", "off", "--stara-rate", "none", "--leaf-rate", "none", "--progress", "none"])
            .args(["--concurrency", &concurrency.to_string()])
            .args(["--stara-url", url, "--leaf-url", url])
            .arg("--report")
            .arg(report);
        self.with_ledger(command)
    }

    /// `report` in the format of the file's ending.
    pub(crate) fn report(&self, name: &str) -> Command {
        let mut command = Command::new(self.binary);
        command.arg("report").arg(self.directory.join(name));
        self.with_ledger(command)
    }

    /// `status`.
    pub(crate) fn status(&self) -> Command {
        let mut command = Command::new(self.binary);
        command.arg("status");
        self.with_ledger(command)
    }

    fn with_ledger(&self, mut command: Command) -> Command {
        command
            .args(["--config", "none"])
            .arg("--state")
            .arg(self.directory.join("ledger.db"))
            .current_dir(&self.directory)
            .env("LEAF_TOKEN", TOKEN);
        command
    }
}
