//! What the ledger remembers of the canary's login, and what is to be remembered of it.

use std::path::Path;

use super::check::Check;
use super::manifest::CanaryRow;
use crate::checkpoint::{
    Approach, Fingerprint, KeyStanding, Ledger, LedgerAccess, LedgerError, Refusal, RunLock, Target,
};
use crate::cli::run::make_state_folder;
use crate::http::HttpClient;
use crate::model::{Dialect, Shard, UnixMillis};

/// The memory of refused logins, ours until the canary has come back.
pub(super) struct Memory {
    ledger: Ledger,
    _lock: RunLock,
    /// Whether the ledger was made for the canary.
    is_new: bool,
    /// The dialects in which Stara is known to have accepted a login.
    succeeded: Vec<Dialect>,
}

impl Memory {
    /// Opens the memory of the ledger at `path`, which is made if there is none, and lets the canary go.
    ///
    /// # Errors
    ///
    /// Why the canary isn't to be sent, in words: it was refused before, or a refusal would be remembered by nobody, so that
    /// the same login would be sent again and again.
    pub(super) fn admit(
        path: &Path,
        target: &Target,
        shard: Option<Shard>,
        canary: &CanaryRow,
    ) -> Result<Self, String> {
        let id = canary.row.leaf_user_id;
        if let Some(holder) = shard.filter(|shard| !shard.takes(id)).map(|shard| shard.holder_of(id)) {
            let line = canary.row.line;
            return Err(unremembered(&format!("the user of line {line} belongs to shard {holder}")));
        }
        make_state_folder(path).map_err(|failure| unremembered(&Check::failed("canary", failure).found))?;
        let mut memory = Self::open(path, target, shard).map_err(of_ledger)?;
        memory.object(canary)?;
        memory.ledger.bind(target).map_err(of_ledger)?;
        Ok(memory)
    }

    fn open(path: &Path, target: &Target, shard: Option<Shard>) -> Result<Self, LedgerError> {
        Ledger::check_file(path)?;
        let lock = RunLock::acquire(path)?;
        let is_new = path.symlink_metadata().is_err();
        let ledger = Ledger::open(path, LedgerAccess::of_run(target, shard))?;
        let mut succeeded = Vec::new();
        for dialect in [Dialect::Json, Dialect::Form] {
            if ledger.has_login_succeeded(dialect)? {
                succeeded.push(dialect);
            }
        }
        Ok(Self { ledger, _lock: lock, is_new, succeeded })
    }

    /// Whether Stara is known to have accepted a login in this dialect.
    pub(super) fn has_succeeded(&self, dialect: Dialect) -> bool {
        self.succeeded.contains(&dialect)
    }

    /// The ledger that was made for the canary, where there was none.
    pub(super) fn made(&self) -> Option<&Path> {
        self.is_new.then(|| self.ledger.path())
    }

    fn object(&self, canary: &CanaryRow) -> Result<(), String> {
        let line = canary.row.line;
        if self.ledger.key_standing() == KeyStanding::Own {
            let refusal = self.ledger.refusal_of(print_of(&self.ledger, canary)).map_err(of_ledger)?;
            return refusal.map_or(Ok(()), |refusal| {
                let at = refusal.at.to_rfc3339();
                Err(format!("not sent: Stara refused the login and password of line {line} on {at}"))
            });
        }
        // Without the key passwords can't be compared: a login that was refused stays refused, as for a run.
        let refused_at = self.ledger.login_refused_at(&canary.row.login).map_err(of_ledger)?;
        Err(match refused_at {
            Some(at) => format!("not sent: Stara refused the login of line {line} on {}", at.to_rfc3339()),
            None => unremembered("the ledger's key is missing or another one"),
        })
    }

    /// Remembers that Stara refused the row's login and password; says why not where it can't be done.
    pub(super) fn remember(&self, refused: &Refused<'_>) -> Result<(), String> {
        let login = print_of(&self.ledger, refused.canary);
        let refusal = Refusal { login, http_status: Some(refused.status), at: UnixMillis::now() };
        // Where no login has ever succeeded, it may be the way of asking: a run that asks otherwise may try it again.
        let in_doubt = (!self.has_succeeded(refused.dialect)).then(|| refused.approach());
        self.ledger.remember_refusal(refusal, in_doubt).map_err(|error| error.to_string())
    }
}

fn of_ledger(error: LedgerError) -> String {
    match error {
        LedgerError::Held { holder, .. } => {
            format!("not sent: another run is at work ({holder}), and its own answers show the dialect")
        }
        error => unremembered(&Check::failed("canary", error).found),
    }
}

fn unremembered(why: &str) -> String {
    format!("not sent, because a refusal couldn't be remembered: {why}")
}

/// A refusal that is to be remembered.
pub(super) struct Refused<'a> {
    pub(super) canary: &'a CanaryRow,
    pub(super) stara: &'a HttpClient,
    pub(super) dialect: Dialect,
    pub(super) status: u16,
}

impl Refused<'_> {
    fn approach(&self) -> Approach {
        let headers = self.canary.headers.each_ref().map(String::as_str);
        Approach::new(self.dialect, &self.stara.origin(), self.stara.base_path(), headers)
    }
}

fn print_of(ledger: &Ledger, canary: &CanaryRow) -> Fingerprint {
    ledger.key().of_row(&canary.row.login, &canary.row.password, None).login
}
