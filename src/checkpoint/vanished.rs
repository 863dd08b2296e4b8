//! Who vanished from a manifest since it was run last: the sign of an export that was cut off between two lines.

use rusqlite::{OptionalExtension as _, params};

use super::error::LedgerError;
use super::ledger::{Ledger, REMEMBER};
use super::staging_totals::VANISHED;

/// How many of them were gone already when the manifest of this name was run last; there is none where nobody was.
fn fact_of(manifest: &str) -> String {
    format!("vanished {manifest}")
}

impl Ledger {
    /// How many users with a credential the manifest of this run, the latest one, doesn't name though they were there when it
    /// was run last: under the same name, or else, as a name may be that of a day, in the run before. Users whom another
    /// manifest brought since don't count.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn newly_vanished(&self, run: i64) -> Result<u64, LedgerError> {
        let earlier =
            "SELECT earlier.run, earlier.manifest FROM runs AS earlier JOIN runs AS this ON this.run = ?1
             WHERE earlier.run < ?1 AND earlier.kind = 'run' AND earlier.ending = 'finished'
             ORDER BY earlier.manifest = this.manifest DESC, earlier.run DESC LIMIT 1";
        let read = || -> rusqlite::Result<Option<(u64, String)>> {
            let found =
                self.connection.query_row(earlier, [run], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
            let Some((before, manifest)) = found.optional()? else { return Ok(None) };
            let gone = format!("SELECT count(*) FROM users WHERE run <= ?1 AND {VANISHED}");
            Ok(Some((self.connection.query_row(&gone, [before], |row| row.get(0))?, manifest)))
        };
        let Some((gone, manifest)) = read().map_err(|source| self.failed(source))? else { return Ok(0) };
        let before = self.fact(&fact_of(&manifest))?.and_then(|text| text.parse().ok()).unwrap_or(0);
        Ok(gone.saturating_sub(before))
    }

    /// Remembers that so many users were known to be gone from this manifest when it was run.
    ///
    /// # Errors
    ///
    /// When the ledger can't be written.
    pub fn remember_vanished(&self, manifest: &str, users: u64) -> Result<(), LedgerError> {
        let name = fact_of(manifest);
        let known = self.fact(&name)?;
        if known.as_deref().unwrap_or("0") == users.to_string() {
            return Ok(());
        }
        let written = match users {
            0 => self.connection.execute("DELETE FROM facts WHERE name = ?1", [name]),
            users => self.connection.execute(REMEMBER, params![name, users.to_string()]),
        };
        written.map(drop).map_err(|source| self.failed(source))
    }
}
