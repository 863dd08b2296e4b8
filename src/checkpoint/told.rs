//! What somebody was told last of the rows that need them, so that the same isn't said every night.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::error::LedgerError;
use super::ledger::{Ledger, REMEMBER};
use super::results::LineResult;
use super::runs::to_json;
use crate::model::UnixMillis;

/// The fact under which it is kept.
const TOLD: &str = "told";

/// What was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When, in milliseconds since 1970.
    at: i64,
    /// A digest of what it was.
    print: String,
}

impl Told {
    /// When it was told.
    #[must_use]
    pub const fn at(&self) -> UnixMillis {
        UnixMillis(self.at)
    }

    /// Whether it was this.
    #[must_use]
    pub fn is(&self, trouble: &Trouble) -> bool {
        self.print == trouble.0
    }
}

/// A digest of which users wait for somebody, and with which outcomes. Neither order nor line number is in it, but of lines
/// that name no user: an export that is sorted otherwise is no news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble(String);

impl Ledger {
    /// The lines of the run for which `is_trouble` holds, and what else is to be told of them.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn trouble(
        &self,
        run: i64,
        is_trouble: impl Fn(&LineResult) -> bool,
        besides: &str,
    ) -> Result<Trouble, LedgerError> {
        self.with_results(run, |results| {
            let mut sum = digest(besides, "");
            for result in results {
                let result = result?;
                if is_trouble(&result) {
                    // Of a line that names nobody only its place and what is wrong with it tell it from another one.
                    let nobody = || format!("line {}: {}", result.line, result.outcome.message);
                    let user = result.leaf_user_id.map_or_else(nobody, |id| id.to_string());
                    sum = sum.wrapping_add(digest(&user, result.outcome.code.as_str()));
                }
            }
            Ok(Trouble(format!("{sum:032x}")))
        })?
    }

    /// What was told last; `None` when all was well since.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn told(&self) -> Result<Option<Told>, LedgerError> {
        Ok(self.fact(TOLD)?.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Remembers what was told now; nothing, when all is well.
    ///
    /// # Errors
    ///
    /// When the ledger can't be written.
    pub fn remember_told(&self, trouble: Option<&Trouble>) -> Result<(), LedgerError> {
        let written = match trouble {
            Some(Trouble(print)) => {
                let told = Told { at: UnixMillis::now().0, print: print.clone() };
                self.connection.execute(REMEMBER, (TOLD, to_json(&told)))
            }
            None => self.connection.execute("DELETE FROM facts WHERE name = ?1", [TOLD]),
        };
        written.map(drop).map_err(|source| self.failed(source))
    }
}

fn digest(user: &str, code: &str) -> u128 {
    let digest = Sha256::new().chain_update(user).chain_update([0]).chain_update(code).finalize();
    digest.iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}
