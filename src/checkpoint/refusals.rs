//! The memory of refused logins, for whoever tries one outside a run.

use rusqlite::{OptionalExtension as _, params};

use super::approach::Approach;
use super::error::LedgerError;
use super::fingerprint::Fingerprint;
use super::ledger::{KeyStanding, Ledger, REMEMBER};
use super::record::Refusal;
use super::target::Target;
use crate::model::{Login, OutcomeCode, UnixMillis};

/// The logins of which nothing but their users tells that they were refused, and when: those of users who ended so, and of
/// those who were given a magic link for it and aren't attached yet, however a look at them has ended since.
pub(super) const REFUSED_LOGINS: &str =
    "SELECT login, coalesce(max(finished_at), 0) FROM users WHERE login IS NOT NULL
     AND (outcome = ?1 OR EXISTS (SELECT 1 FROM links WHERE links.user = users.key))";

impl Ledger {
    /// When this login was refused, as far as its users tell: for when the ledger's key is lost, so that passwords can't be
    /// compared.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn login_refused_at(&self, login: &Login) -> Result<Option<UnixMillis>, LedgerError> {
        let sql = format!("{REFUSED_LOGINS} AND login = ?2 GROUP BY login");
        let refused = OutcomeCode::StaraLoginRejected.as_str();
        self.connection
            .query_row(&sql, params![refused, login.as_str()], |row| row.get(1).map(UnixMillis))
            .optional()
            .map_err(|source| self.failed(source))
    }

    /// What is remembered of this login and password, in whatever way Stara was asked: `None` where they were never
    /// refused.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn refusal_of(&self, login: Fingerprint) -> Result<Option<Refusal>, LedgerError> {
        self.connection
            .query_row("SELECT http_status, at FROM refusals WHERE login_print = ?1", [login.0], |row| {
                Ok(Refusal { login, http_status: row.get(0)?, at: UnixMillis(row.get(1)?) })
            })
            .optional()
            .map_err(|source| self.failed(source))
    }

    /// Records at once whose ledger it is, as the first staging does, even where that stands there already: so it is known
    /// before a login is sent that its refusal can be written.
    ///
    /// # Errors
    ///
    /// When the ledger can't be written, or is another target's.
    pub fn bind(&mut self, target: &Target) -> Result<(), LedgerError> {
        self.check_target(target)?;
        let mut facts = vec![("stara", target.stara.clone()), ("leaf", target.leaf.clone())];
        if self.key_standing() == KeyStanding::Own {
            facts.push(("key id", self.key().id()));
        }
        facts.extend(self.shard_fact());
        let written = || -> rusqlite::Result<()> {
            let transaction = self.connection.unchecked_transaction()?;
            for (name, value) in &facts {
                transaction.execute(REMEMBER, [name, value.as_str()])?;
            }
            transaction.commit()
        };
        written().map_err(|source| self.failed(source))?;
        self.claimed();
        Ok(())
    }

    /// Remembers a refusal outside any run. With `asked` it is in doubt, so that a run that asks otherwise tries the login
    /// again; `None` makes an ordinary refusal of it. One that is remembered already stays as it is.
    ///
    /// # Errors
    ///
    /// When the ledger can't be written.
    pub fn remember_refusal(&self, refusal: Refusal, asked: Option<Approach>) -> Result<(), LedgerError> {
        self.connection
            .execute(
                "INSERT INTO refusals (login_print, http_status, at, asked) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                params![refusal.login.0, refusal.http_status, refusal.at.0, asked.map(|asked| asked.0)],
            )
            .map_err(|source| self.failed(source))?;
        Ok(())
    }
}
