//! Writes a whole report.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::columns::{KeptColumnError, check_kept_columns};
use super::csv::CsvEncoder;
use super::encode::Encode;
use super::encode_behind::encode_behind;
use super::facts::RunFacts;
use super::format::ReportFormat;
use super::jsonl::JsonlEncoder;
use super::page::PageEncoder;
use super::parquet::ParquetEncoder;
use super::record::ResultRecord;
use super::replace::Replacement;

/// A report that wasn't written. The file that stood under its name still does.
#[derive(Debug, thiserror::Error)]
pub enum ReportError<E: std::error::Error + 'static> {
    /// The records couldn't be read.
    #[error("can't read the results for the report {path}", path = path.display())]
    Records {
        /// The report.
        path: PathBuf,
        /// Why.
        source: E,
    },
    /// The file couldn't be written.
    #[error("can't write the report {path}", path = path.display())]
    File {
        /// The report.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A kept column can't be told from another one.
    #[error("can't write the report {path}", path = path.display())]
    KeptColumn {
        /// The report.
        path: PathBuf,
        /// Why.
        source: KeptColumnError,
    },
    /// A record doesn't carry one cell for each kept column.
    #[error("can't write the report {path}: line {line} carries {found} kept cells, not {expected}", path = path.display())]
    KeptCells {
        /// The report.
        path: PathBuf,
        /// The manifest line of the record.
        line: u64,
        /// How many columns are kept.
        expected: usize,
        /// How many cells the record carries.
        found: usize,
    },
}

/// Writes the records, in their order, to `path`, and answers how many they were.
///
/// They go to a temporary file in the same directory, mode 0600, which is flushed to the disk and then takes the place
/// of whatever stood at `path`: a symbolic link is replaced, not followed. Memory doesn't grow with the records.
///
/// # Errors
///
/// When the records or the file fail. Whatever stood at `path` is untouched and no temporary file stays behind; the one
/// exception is that a flush of the directory fails, when the new report stands but may not survive a power loss.
pub fn write_report<E: std::error::Error + 'static>(
    path: &Path,
    format: ReportFormat,
    facts: &RunFacts,
    records: impl IntoIterator<Item = Result<ResultRecord, E>>,
) -> Result<u64, ReportError<E>> {
    check_kept_columns(&facts.kept_columns)
        .map_err(|source| ReportError::KeptColumn { path: path.to_owned(), source })?;
    let failed = |source| ReportError::File { path: path.to_owned(), source };
    let replacement = Replacement::new(path).map_err(failed)?;
    let count = write_records(replacement.file(), path, format, facts, records)?;
    replacement.commit().map_err(failed)?;
    Ok(count)
}

/// Writes the records, in their order, into `file`, and answers how many they were. Whoever opened it makes it appear under
/// `path`, which errors name, once it is whole.
///
/// # Errors
///
/// When the records or the file fail.
#[cfg_attr(not(feature = "object-store"), allow(dead_code, reason = "only buckets are written to so"))]
pub fn write_report_into<E: std::error::Error + 'static>(
    file: impl Write + Send,
    path: &Path,
    format: ReportFormat,
    facts: &RunFacts,
    records: impl IntoIterator<Item = Result<ResultRecord, E>>,
) -> Result<u64, ReportError<E>> {
    check_kept_columns(&facts.kept_columns)
        .map_err(|source| ReportError::KeptColumn { path: path.to_owned(), source })?;
    write_records(file, path, format, facts, records)
}

fn write_records<E: std::error::Error + 'static>(
    file: impl Write + Send,
    path: &Path,
    format: ReportFormat,
    facts: &RunFacts,
    records: impl IntoIterator<Item = Result<ResultRecord, E>>,
) -> Result<u64, ReportError<E>> {
    let failed = |source| ReportError::File { path: path.to_owned(), source };
    let kept_columns = &facts.kept_columns;
    let encoder: Box<dyn Encode + Send + '_> = match format {
        ReportFormat::Csv => Box::new(CsvEncoder::new(file, kept_columns).map_err(failed)?),
        ReportFormat::Jsonl => Box::new(JsonlEncoder::new(file, kept_columns)),
        ReportFormat::Parquet => Box::new(ParquetEncoder::new(file, kept_columns).map_err(failed)?),
        ReportFormat::Html => Box::new(PageEncoder::new(file, facts)),
    };
    let checked = records.into_iter().map(|record| {
        let record = record.map_err(|source| ReportError::Records { path: path.to_owned(), source })?;
        if record.kept.len() != kept_columns.len() {
            return Err(ReportError::KeptCells {
                path: path.to_owned(),
                line: record.line,
                expected: kept_columns.len(),
                found: record.kept.len(),
            });
        }
        Ok(record)
    });
    encode_behind(encoder, checked, failed)
}
