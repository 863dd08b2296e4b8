//! A report that goes to an object store.

use std::path::Path;

use super::Stores;
use crate::bucket::{Address, Bucket, BucketError, Upload};
use crate::cli::failure::Failure;
use crate::report::{ReportError, ReportFormat, ResultRecord, RunFacts, write_report_into};

/// Where a report goes in a store.
#[derive(Debug)]
pub(in crate::cli) struct ObjectReport {
    bucket: Bucket,
    address: Address,
}

impl ObjectReport {
    /// Takes the address of a report.
    ///
    /// # Errors
    ///
    /// When it is none, or the store can't be spoken to.
    pub(in crate::cli) fn new(path: &Path, stores: &Stores) -> Result<Self, Failure> {
        let (bucket, address) = stores.bucket_of(path)?;
        Ok(Self { bucket, address })
    }

    /// Makes sure that it can be written, before anything is sent to anybody else.
    ///
    /// # Errors
    ///
    /// Why it can't be.
    pub(in crate::cli) fn check(&self) -> Result<(), BucketError> {
        Upload::check(&self.bucket, &self.address)
    }

    /// Writes the records, in their order, as [`write_report`](crate::report::write_report) does to a file: whole, or not at
    /// all.
    ///
    /// # Errors
    ///
    /// When the records or the store fail. Whatever stood there is untouched then.
    pub(in crate::cli) fn write<E: std::error::Error + 'static>(
        &self,
        path: &Path,
        format: ReportFormat,
        facts: &RunFacts,
        records: impl IntoIterator<Item = Result<ResultRecord, E>>,
    ) -> Result<u64, ReportError<E>> {
        let mut upload = Upload::new(self.bucket.clone(), self.address.clone());
        let count = write_report_into(&mut upload, path, format, facts, records)?;
        upload.finish().map_err(|error| ReportError::File { path: path.to_owned(), source: error.into() })?;
        Ok(count)
    }
}
