//! A row that is to be carried out, with everything that is known of it.

use crate::checkpoint::{DecidedRow, Fingerprint, KeyStanding, RowFingerprints, UserKey, UserRecord};
use crate::model::{LeafUserId, Login, Secret};

/// A row with work left.
#[derive(Debug)]
pub(super) struct RowTask {
    pub(super) line: u64,
    pub(super) user: UserKey,
    pub(super) leaf_user_id: LeafUserId,
    pub(super) record: UserRecord,
    /// What the manifest says of the grower; `None` where the user is only to lose what it holds.
    pub(super) grower: Option<Grower>,
    /// Whether its credential is being replaced since an earlier run, so that it comes before all others.
    pub(super) resumes_replacement: bool,
}

/// A grower as the manifest has it, with the password.
#[derive(Debug)]
pub(super) struct Grower {
    pub(super) login: Login,
    pub(super) password: Secret,
    pub(super) access_token_client: Option<Secret>,
    pub(super) fingerprints: RowFingerprints,
    /// Whether Stara refused login and password in an earlier run.
    pub(super) is_refused: bool,
    /// Whether Stara refused them when it refused everybody, and is asked in another way now.
    pub(super) is_reopened: bool,
}

impl RowTask {
    /// The login for which something is announced: the row's, or the one that what is to be taken away came with.
    pub(super) fn login(&self) -> Option<&Login> {
        let announced = || self.record.intent.as_ref().and_then(|intent| intent.login.as_ref());
        let held = || self.record.held.as_ref().and_then(|held| held.login.as_ref());
        self.grower.as_ref().map(|grower| &grower.login).or_else(announced).or_else(held)
    }

    /// The fingerprint of login and password.
    pub(super) fn login_print(&self) -> Option<Fingerprint> {
        self.grower.as_ref().map(|grower| grower.fingerprints.login)
    }

    /// What the ledger is to know of the row, where there is one.
    pub(super) fn decided_row(&self, key: KeyStanding) -> Option<DecidedRow> {
        self.grower.as_ref().map(|grower| grower.decided(key))
    }
}

impl Grower {
    fn decided(&self, key: KeyStanding) -> DecidedRow {
        decided_row(&self.login, self.fingerprints, key)
    }
}

/// What the ledger is to know of a row with this login. Without its own key no fingerprint can be compared later.
pub(super) fn decided_row(login: &Login, fingerprints: RowFingerprints, key: KeyStanding) -> DecidedRow {
    DecidedRow { login: login.clone(), fingerprints: (key == KeyStanding::Own).then_some(fingerprints) }
}
