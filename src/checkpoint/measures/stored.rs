//! The measures in the ledger, as versioned JSON.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::live::LiveState;
use super::timeline::RunMeasures;
use crate::checkpoint::error::LedgerError;
use crate::checkpoint::ledger::Ledger;
use crate::checkpoint::runs::to_json;

/// The version of the JSON.
const VERSION: u32 = 1;

/// How many runs keep their measures: the latest ones.
const KEPT_RUNS: i64 = 10;

/// JSON that says of which version it is.
#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    v: u32,
    #[serde(flatten)]
    content: T,
}

impl Ledger {
    /// What a run measured of itself. `None` where it did nothing that could be measured, for all but the latest ten runs, and
    /// where another version of this program wrote it in a way that this one can't read.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn run_measures(&self, run: i64) -> Result<Option<RunMeasures>, LedgerError> {
        self.measured(run, "SELECT measures FROM measures WHERE run = ?1")
    }

    /// How a run stood when that was last written down; `None` as for [`Ledger::run_measures`]. Of a run that was killed it
    /// tells how it stood shortly before.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn live_state(&self, run: i64) -> Result<Option<LiveState>, LedgerError> {
        self.measured(run, "SELECT live FROM measures WHERE run = ?1")
    }

    fn measured<T: DeserializeOwned>(&self, run: i64, sql: &str) -> Result<Option<T>, LedgerError> {
        let text: Option<Option<String>> = self
            .connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row([run], |row| row.get(0)).optional())
            .map_err(|source| self.failed(source))?;
        let read = |text: String| serde_json::from_str::<Versioned<T>>(&text).ok();
        Ok(text.flatten().and_then(read).filter(|read| read.v == VERSION).map(|read| read.content))
    }

    /// Keeps how a run stands, and what it has measured; `None` leaves what was kept before.
    ///
    /// # Errors
    ///
    /// When the ledger can't be written.
    pub fn keep_measures(
        &self,
        run: i64,
        live: &LiveState,
        measures: Option<&RunMeasures>,
    ) -> Result<(), LedgerError> {
        write(&self.connection, run, live, measures).map_err(|source| self.failed(source))
    }
}

/// Writes how a run stands, and what it has measured, and lets go of what runs long ago measured.
pub(in super::super) fn write(
    connection: &Connection,
    run: i64,
    live: &LiveState,
    measures: Option<&RunMeasures>,
) -> rusqlite::Result<()> {
    fn versioned<T: Serialize>(content: T) -> String {
        to_json(&Versioned { v: VERSION, content })
    }
    connection
        .prepare_cached(
            "INSERT INTO measures (run, live, measures) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET live = ?2, measures = coalesce(?3, measures)",
        )?
        .execute(params![run, versioned(live), measures.map(versioned)])?;
    connection.prepare_cached("DELETE FROM measures WHERE run <= ?1")?.execute([run - KEPT_RUNS])?;
    Ok(())
}
