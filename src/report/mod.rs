//! Writes the results of a run to a file: one record for each manifest line, in manifest order, one file a format.
//!
//! Main types: [`ResultRecord`], [`RunFacts`], [`ReportFormat`] and [`write_report`], which replaces a report as a whole or not at
//! all; [`write_report_into`] writes into whatever somebody else opened. [`check_kept_columns`] tells before a run whether its report could be written with these columns. [`LinkRecord`] and
//! [`write_links`] are the same for the file of magic links, from which letters to growers are made.
//!
//! This floor may not read the pipeline's memory: whoever calls it reads the records from the ledger, so that a report
//! made again later is the same report. Only [`forget_in_report`] reads a report: to take users out of it. [`Metrics`] are for
//! those who watch over the nights: what the ledger counted, and what its caller tells of the process. What a kill left half
//! written, [`remove_left_behind`] removes.

mod cell;
mod columns;
mod csv;
mod csv_lines;
mod encode;
mod encode_behind;
mod exposition;
mod facts;
mod forget;
mod format;
mod jsonl;
mod links;
mod metrics;
mod page;
mod parquet;
mod record;
mod replace;
mod write;

#[cfg(test)]
mod tests;

pub use columns::{COLUMNS, KeptColumnError, check_kept_columns};
pub use facts::RunFacts;
pub use forget::forget_in_report;
pub use format::{ReportFormat, UnknownEndingError};
pub use links::{LINK_COLUMNS, LinkRecord, check_link_columns, write_links};
pub use metrics::{CallsOfService, Metrics, last_success, write_metrics};
pub use record::ResultRecord;
pub use replace::remove_left_behind;
pub use write::{ReportError, write_report, write_report_into};
