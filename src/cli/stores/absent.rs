//! What stands in for object stores in a build without them.

use std::convert::Infallible;
use std::path::Path;

use super::Stores;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::manifest::Source;
use crate::report::{ReportError, ReportFormat, ResultRecord, RunFacts};

/// Refuses to open a manifest.
pub(in crate::cli) fn open_manifest(path: &Path, _: &Stores) -> Result<Source, Failure> {
    let shown = path.display();
    Err(refused(path, &format!("aws s3 cp {shown} - | stara-onboard … -, which keeps it in memory, too")))
}

/// A report that goes to a store. There is none in this build.
#[derive(Debug)]
pub(in crate::cli) struct ObjectReport(Infallible);

impl ObjectReport {
    /// Refuses to take an address.
    pub(in crate::cli) fn new(path: &Path, _: &Stores) -> Result<Self, Failure> {
        Err(refused(path, "write the report to a file, and copy it when the run has ended"))
    }

    /// Can't be asked.
    pub(in crate::cli) fn check(&self) -> Result<(), std::io::Error> {
        match self.0 {}
    }

    /// Can't be asked.
    pub(in crate::cli) fn write<E: std::error::Error + 'static>(
        &self,
        _: &Path,
        _: ReportFormat,
        _: &RunFacts,
        _: impl IntoIterator<Item = Result<ResultRecord, E>>,
    ) -> Result<u64, ReportError<E>> {
        match self.0 {}
    }
}

fn refused(path: &Path, instead: &str) -> Failure {
    let error =
        anyhow::anyhow!("{} is in an object store, and this program was built without them", path.display());
    let hint = format!(
        "nothing was sent; build it with them (cargo install --path . --features object-store), or without: {instead}"
    );
    Failure::new(ExitCode::Usage, error, hint)
}
