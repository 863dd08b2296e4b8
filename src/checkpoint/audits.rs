//! The audits: when each was, of whom, and what it counted.

use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use super::ledger::Ledger;
use super::runs::to_json;
use crate::model::{Finding, UnixMillis};

/// How many users an audit found to be what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AuditCounts {
    /// The credential that the ledger knows is there, and nothing says that it is broken.
    pub healthy: u64,
    /// See [`Finding::Missing`].
    pub missing: u64,
    /// See [`Finding::Unhealthy`].
    pub unhealthy: u64,
    /// See [`Finding::Foreign`].
    pub foreign: u64,
    /// See [`Finding::UnknownUser`].
    pub unknown_user: u64,
    /// Users who never had a credential, as far as the ledger knows, and hold none.
    pub not_attached: u64,
    /// Users of whom something that was sent isn't settled, so that they weren't looked at.
    pub unsettled: u64,
    /// Users of whom nothing was seen.
    pub unseen: u64,
}

impl AuditCounts {
    /// How many users have this finding.
    #[must_use]
    pub const fn of(&self, finding: Finding) -> u64 {
        match finding {
            Finding::Missing => self.missing,
            Finding::Unhealthy => self.unhealthy,
            Finding::Foreign => self.foreign,
            Finding::UnknownUser => self.unknown_user,
        }
    }

    /// Counts one more user with this finding.
    pub fn add(&mut self, finding: Finding) {
        *match finding {
            Finding::Missing => &mut self.missing,
            Finding::Unhealthy => &mut self.unhealthy,
            Finding::Foreign => &mut self.foreign,
            Finding::UnknownUser => &mut self.unknown_user,
        } += 1;
    }

    /// All users.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.healthy + self.drift() + self.not_attached + self.unsettled + self.unseen
    }

    /// How many users aren't as the ledger expects them.
    #[must_use]
    pub fn drift(&self) -> u64 {
        Finding::ALL.into_iter().map(|finding| self.of(finding)).sum()
    }
}

/// An audit as the ledger keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditRecord {
    /// When it was.
    pub at: UnixMillis,
    /// What it counted.
    pub counts: AuditCounts,
}

impl Ledger {
    /// The last audit of this manifest, by its name, or of everything in the ledger; `None` when there was none.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn last_audit(&self, manifest: Option<&str>) -> Result<Option<AuditRecord>, LedgerError> {
        let sql = "SELECT at, counts FROM audits WHERE manifest IS ?1 ORDER BY audit DESC LIMIT 1";
        let found = self.connection.query_row(sql, [manifest], |row| {
            let counts: String = row.get(1)?;
            // Counts that can't be read are none to compare with.
            let counts = serde_json::from_str(&counts).unwrap_or_default();
            Ok(AuditRecord { at: UnixMillis(row.get(0)?), counts })
        });
        found.optional().map_err(|source| self.failed(source))
    }

    /// Records an audit.
    ///
    /// # Errors
    ///
    /// When the ledger can't be written.
    pub fn record_audit(&self, manifest: Option<&str>, audit: &AuditRecord) -> Result<(), LedgerError> {
        let sql = "INSERT INTO audits (at, manifest, counts) VALUES (?1, ?2, ?3)";
        let values = params![audit.at.0, manifest, to_json(&audit.counts)];
        self.connection.execute(sql, values).map(drop).map_err(|source| self.failed(source))
    }
}
