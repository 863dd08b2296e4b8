//! What earlier runs learned of each host's quota.

use rusqlite::{Connection, params};

use super::error::LedgerError;
use super::ledger::Ledger;
use crate::model::{Service, UnixMillis};

/// What was learned of one host's quota.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearnedRate {
    /// The host's service.
    pub service: Service,
    /// Requests a second.
    pub per_second: f64,
    /// When it was learned.
    pub at: UnixMillis,
}

impl Ledger {
    /// What was learned of each host's quota, in the order of [`Service::ALL`].
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn learned_rates(&self) -> Result<Vec<LearnedRate>, LedgerError> {
        let read = || -> rusqlite::Result<Vec<_>> {
            let mut statement =
                self.connection.prepare("SELECT service, per_second, at FROM learned_rates")?;
            let rates = statement.query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, f64>(1)?, UnixMillis(row.get(2)?)))
            })?;
            rates.collect()
        };
        let rates = read().map_err(|source| self.failed(source))?;
        let of = |service: Service| {
            let (_, per_second, at) = rates.iter().find(|(name, ..)| name == service.as_str())?;
            Some(LearnedRate { service, per_second: *per_second, at: *at })
        };
        Ok(Service::ALL.into_iter().filter_map(of).collect())
    }

    /// Keeps what was learned of a host's quota, in requests a second.
    ///
    /// # Errors
    ///
    /// When the ledger can't be written.
    pub fn keep_learned_rate(&self, service: Service, per_second: f64) -> Result<(), LedgerError> {
        learn(&self.connection, service, per_second).map_err(|source| self.failed(source))
    }

    /// Forgets what was learned of all quotas.
    ///
    /// # Errors
    ///
    /// When the ledger can't be written.
    pub fn forget_learned_rates(&self) -> Result<(), LedgerError> {
        self.connection
            .execute("DELETE FROM learned_rates", [])
            .map(drop)
            .map_err(|source| self.failed(source))
    }
}

/// Writes what was learned of a host's quota.
pub(super) fn learn(connection: &Connection, service: Service, per_second: f64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO learned_rates (service, per_second, at) VALUES (?1, ?2, ?3)")?
        .execute(params![service.as_str(), per_second, UnixMillis::now().0])
        .map(drop)
}
