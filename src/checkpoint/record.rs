//! What the ledger holds of a user and of a line.

use super::fingerprint::{Fingerprint, RowFingerprints};
use crate::model::{CredentialId, Login, Origin, Outcome, UnixMillis};

/// A user's place in the ledger: an integer in the order of first appearance, so that updates go through it in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserKey(pub(super) i64);

impl UserKey {
    /// The key of the first user a ledger meets.
    #[cfg(test)]
    pub(crate) const fn first() -> Self {
        Self(1)
    }
}

/// What the ledger knows of a user from earlier runs, or from earlier in this one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserRecord {
    /// The login of the row that was decided last.
    pub login: Option<Login>,
    /// The fingerprint of the row that was decided last; `None` when it was made without the ledger's key.
    pub row: Option<Fingerprint>,
    /// The fingerprint of its login and password.
    pub login_print: Option<Fingerprint>,
    /// How it ended last, if it ever did.
    pub outcome: Option<OutcomeRecord>,
    /// The intent that has no final outcome yet.
    pub intent: Option<Intent>,
    /// The credential that the user held when we last saw it.
    pub held: Option<HeldCredential>,
}

/// A credential that a user is known to hold. It outlives outcomes that say nothing about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldCredential {
    /// Its id.
    pub id: CredentialId,
    /// Whether it is ours: its id came with our 201, or it was found after our intent where the look before had shown
    /// none.
    pub ours: bool,
    /// The login it was attached with, or the row's when it was found.
    pub login: Option<Login>,
    /// Where it came from.
    pub origin: Option<Origin>,
    /// The run in which it was attached, or found.
    pub run: Option<i64>,
}

/// What an outcome changes about the memory of refused logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalChange {
    /// Nothing.
    Leave,
    /// This login and password were refused.
    Add(Refusal),
    /// They were accepted, though they had been refused before.
    Withdraw(Fingerprint),
}

/// An outcome as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeRecord {
    /// How the row ended.
    pub outcome: Outcome,
    /// When.
    pub finished_at: UnixMillis,
    /// In which run.
    pub run: i64,
}

/// What was about to be sent. It is durable before it is sent, so that a crash leaves a trace of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// When it was written, just before it was sent.
    pub at: UnixMillis,
    /// How many attaches may yet take effect, this one included; none when it is a deletion that was about to be sent.
    pub attaches: u32,
    /// Whether Leaf answered the attach with a 2xx.
    pub acknowledged: bool,
    /// Whether a look before the first attach had shown no credential, so that one found later is ours.
    pub over_nothing: bool,
    /// Whether the old credential was deleted on the way, so that the user has none until an attach succeeds. A deletion
    /// without it was asked for by `detach`: nothing is to take the credential's place.
    pub replacing: bool,
    /// The credential whose deletion is announced, where one is replaced or taken away.
    pub removing: Option<CredentialId>,
    /// The login of the row that it was announced for; `None` where an older program wrote it.
    pub login: Option<Login>,
    /// The run in which the attach was announced that it is about; `None` where an older program wrote it.
    pub run: Option<i64>,
}

/// What an outcome changes about the credential that a user is known to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldChange {
    /// Nothing: the outcome doesn't tell.
    Leave,
    /// It holds this one.
    Holds(HeldCredential),
    /// It holds none any more.
    Nothing,
}

/// The row of a manifest by which an outcome was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidedRow {
    /// Its login.
    pub login: Login,
    /// Its fingerprints; `None` when they weren't made with the ledger's own key.
    pub fingerprints: Option<RowFingerprints>,
}

/// That Stara refused a login and password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The fingerprint of login and password.
    pub login: Fingerprint,
    /// The answer's status.
    pub http_status: Option<u16>,
    /// When.
    pub at: UnixMillis,
}

/// What staging decides for one line of the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineDecision {
    /// The user's record stands; nothing is sent.
    Keep,
    /// The row is carried out in this run.
    ToDo,
    /// As [`LineDecision::ToDo`], because the login of a credential of ours changed: it is replaced.
    Replace,
    /// The line is no row.
    Invalid,
    /// An earlier line says the same.
    Duplicate,
    /// Other lines say something else about the same user.
    Conflict,
    /// Stara refused this login and password before, for whichever user.
    Refused,
    /// The row has work left but wasn't selected (`--limit`, `--only`).
    NotSelected,
}

impl LineDecision {
    pub(super) const ALL: [Self; 8] = [
        Self::Keep,
        Self::ToDo,
        Self::Replace,
        Self::Invalid,
        Self::Duplicate,
        Self::Conflict,
        Self::Refused,
        Self::NotSelected,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::ToDo => "to-do",
            Self::Replace => "replace",
            Self::Invalid => "invalid",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::NotSelected => "not-selected",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.as_str() == name)
    }

    /// Whether the row is carried out in this run.
    #[must_use]
    pub const fn is_to_do(self) -> bool {
        matches!(self, Self::ToDo | Self::Replace)
    }
}

/// One entry of Leaf's log of a credential, saved before the credential was deleted, stripped of headers and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedEvent {
    /// The event's id at Leaf.
    pub id: String,
    /// When it was written, in Leaf's words.
    pub created: String,
    /// The HTTP status it is about.
    pub status_code: Option<i64>,
}
