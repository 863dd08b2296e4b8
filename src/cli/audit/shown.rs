//! What is told of an audit, however it is written.

use std::io::Write;

use super::json;
use crate::checkpoint::{Ledger, LedgerError, OutcomeCounts};
use crate::cli::links::LinksEnded;
use crate::pipeline::AuditResult;

/// How many of a credential's log entries are shown.
pub(super) const EVENTS_SHOWN: usize = 3;

/// What became of a repair.
#[derive(Debug)]
pub(super) struct Repaired {
    /// Its run; `None` where nothing was due, so that there was none.
    pub(super) run: Option<i64>,
    /// Credentials that were due.
    pub(super) due: u64,
    /// Those of them that were replaced.
    pub(super) replaced: u64,
    /// Those that are due still.
    pub(super) left: u64,
    /// In how many audits in a row they must have been found unhealthy.
    pub(super) audits: u64,
    /// Lines by outcome.
    pub(super) outcomes: OutcomeCounts,
}

/// Everything that is told of an audit.
pub(super) struct AuditShown<'a> {
    /// The manifest's name.
    pub(super) manifest: Option<&'a str>,
    /// How it went.
    pub(super) result: &'a AuditResult,
    /// Statuses that Leaf showed and nobody documents, with how many credentials have each.
    pub(super) statuses: Vec<(String, u64)>,
    /// Foreign credentials that are known from now on.
    pub(super) accepted: u64,
    /// What became of the repair, where one was asked for.
    pub(super) repaired: Option<&'a Repaired>,
    /// What became of the magic links, where they were asked for.
    pub(super) linked: Option<&'a LinksEnded>,
}

impl AuditShown<'_> {
    /// Writes it as one JSON object, with every user that isn't well.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read. A reader that has gone away has all it wanted.
    pub(super) fn write_json(&self, ledger: &Ledger, output: impl Write) -> Result<(), LedgerError> {
        json::write(self, ledger, output)
    }
}
