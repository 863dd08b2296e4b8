//! What the ledger remembers of the canary's login, and what is to be remembered of it.

use std::path::Path;

use super::manifest::CanaryRow;
use crate::checkpoint::{
    Approach, Fingerprint, KeyStanding, Ledger, LedgerAccess, LedgerError, LockHolder, Refusal, RunLock,
    Target,
};
use crate::http::HttpClient;
use crate::model::{Dialect, OutcomeCode, UnixMillis};

/// The memory of refused logins, as far as there is one.
pub(super) enum Memory {
    /// There is no ledger yet.
    None,
    /// It can be read only: another run holds it, or its disk can't be written.
    ReadOnly(Ledger, String),
    /// It is ours until the canary has come back.
    Held { ledger: Ledger, _lock: RunLock },
}

impl Memory {
    /// Opens the memory of the ledger at `path`, if there is one.
    ///
    /// # Errors
    ///
    /// When it can't be read, or is another target's: then nothing is known of the login, and nothing may be sent.
    pub(super) fn open(path: &Path, target: &Target) -> Result<Self, LedgerError> {
        Ledger::check_file(path)?;
        if path.symlink_metadata().is_err() {
            return Ok(Self::None);
        }
        let lock = RunLock::acquire(path);
        if let Ok(lock) = lock
            && let Ok(ledger) = Ledger::open(path, LedgerAccess::Run(target))
        {
            return Ok(Self::Held { ledger, _lock: lock });
        }
        let ledger = Ledger::open(path, LedgerAccess::Read)?;
        ledger.check_target(target)?;
        let why = RunLock::holder(path).map_or_else(
            || "it can't be written".to_owned(),
            |holder: LockHolder| format!("another run holds it: {holder}"),
        );
        Ok(Self::ReadOnly(ledger, why))
    }

    fn ledger(&self) -> Option<&Ledger> {
        match self {
            Self::None => None,
            Self::ReadOnly(ledger, _) | Self::Held { ledger, .. } => Some(ledger),
        }
    }

    /// Whether Stara is known to have accepted a login in this dialect.
    pub(super) fn has_succeeded(&self, dialect: Dialect) -> Result<bool, LedgerError> {
        self.ledger().map_or(Ok(false), |ledger| ledger.has_login_succeeded(dialect))
    }

    /// When Stara refused the row's login and password, if it did, in whatever dialect.
    pub(super) fn refused_at(&self, canary: &CanaryRow) -> Result<Option<UnixMillis>, LedgerError> {
        let Some(ledger) = self.ledger() else { return Ok(None) };
        if ledger.key_standing() == KeyStanding::Own {
            return Ok(ledger.refusal_of(print_of(ledger, canary))?.map(|refusal| refusal.at));
        }
        // Without the key the password can't be compared: a user whose login was refused stays refused.
        let Some(user) = ledger.user(canary.row.leaf_user_id)? else { return Ok(None) };
        let same_login = user.login.as_ref() == Some(&canary.row.login);
        let refused = user.outcome.filter(|last| last.outcome.code == OutcomeCode::StaraLoginRejected);
        Ok(refused.filter(|_| same_login).map(|last| last.finished_at))
    }

    /// Remembers that Stara refused the row's login and password; says why not where it can't be done.
    pub(super) fn remember(&self, refused: &Refused<'_>) -> Result<(), String> {
        let ledger = match self {
            Self::None => return Err("there is no ledger yet".to_owned()),
            Self::ReadOnly(_, why) => return Err(why.clone()),
            Self::Held { ledger, .. } if ledger.key_standing() == KeyStanding::Lost => {
                return Err("the ledger's key is missing".to_owned());
            }
            Self::Held { ledger, .. } => ledger,
        };
        let login = print_of(ledger, refused.canary);
        let refusal = Refusal { login, http_status: Some(refused.status), at: UnixMillis::now() };
        // Where no login has ever succeeded, it may be the way of asking: a run that asks otherwise may try it again.
        let in_doubt = (!refused.has_succeeded).then(|| refused.approach());
        ledger.remember_refusal(refusal, in_doubt).map_err(|error| error.to_string())
    }
}

/// A refusal that is to be remembered.
pub(super) struct Refused<'a> {
    pub(super) canary: &'a CanaryRow,
    pub(super) stara: &'a HttpClient,
    pub(super) dialect: Dialect,
    pub(super) status: u16,
    /// Whether Stara is known to have accepted a login in this dialect.
    pub(super) has_succeeded: bool,
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
