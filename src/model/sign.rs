//! What `plan` foresees for a user's row, in one character.

/// What `plan` foresees for a user's row, in one character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sign {
    /// It will be attached.
    Attach,
    /// It is done, or holds a healthy credential already.
    Healthy,
    /// The credential there is to be replaced, because the row's login changed or all are to be replaced.
    Replace,
    /// Leaf can't use the credential there.
    Unhealthy,
    /// Leaf knows no such user.
    Unknown,
    /// Stara or Leaf refused it, and it waits until somebody acts.
    Refused,
    /// The ledger knows a credential of it, and the manifest names it no longer.
    Gone,
}

impl Sign {
    /// Every sign, in the order in which it is listed.
    pub const ALL: [Self; 7] = [
        Self::Attach,
        Self::Healthy,
        Self::Replace,
        Self::Unhealthy,
        Self::Unknown,
        Self::Refused,
        Self::Gone,
    ];

    /// The character.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attach => "+",
            Self::Healthy => "=",
            Self::Replace => "~",
            Self::Unhealthy => "!",
            Self::Unknown => "?",
            Self::Refused => "x",
            Self::Gone => "-",
        }
    }

    /// The sign of this character; `None` when there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sign| sign.as_str() == name)
    }

    /// What it means for the next run, in a clause.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Attach => "to be attached",
            Self::Healthy => "done, or healthy at Leaf",
            Self::Replace => "credential to be replaced",
            Self::Unhealthy => "credential unhealthy at Leaf",
            Self::Unknown => "leafUserId unknown to Leaf",
            Self::Refused => "refused, and waits for somebody to act",
            Self::Gone => "in the ledger, but gone from the manifest; never touched by run",
        }
    }
}
