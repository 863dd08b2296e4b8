//! How the list of users, and a user within it, is shown otherwise than it is.

/// How a page of the list of users is flawed. Several flaws add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageFlaw {
    /// It comes without `X-Total-Count`.
    WithoutTotal,
    /// `X-Total-Count` and `Link` speak of so many users in all, however many there are.
    FalseTotal(u64),
    /// So many users, who belong to the account for this one call only, stand in front of all others, which therefore
    /// slip over the edges of the pages.
    UsersInFront(u32),
    /// It is the first page, whichever was asked for.
    AlwaysFirst,
    /// It holds so many users at most, whatever `size` says; the pages are counted in this size.
    SmallPages(u64),
}

impl PageFlaw {
    /// The name of the fault that brings it: `list-without-total`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WithoutTotal => "list-without-total",
            Self::FalseTotal(_) => "list-false-total",
            Self::UsersInFront(_) => "list-shifts",
            Self::AlwaysFirst => "list-same-page",
            Self::SmallPages(_) => "list-small-pages",
        }
    }
}

/// How one user is shown, in the list or alone, or its credential by itself. Each showing of a user counts as a call of that user's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserFlaw {
    /// The credential, if there is one, has no `status`.
    WithoutStatus,
    /// The credential, if there is one, has no `id`.
    WithoutId,
    /// `null` stands in the place of the embedded credential.
    NullCredential,
    /// `{}` stands in the place of the embedded credential, and where there is none.
    EmptyCredential,
    /// There is no field for the embedded credential.
    MissingCredential,
    /// The user stands on its page twice, one directly after the other. The page is longer for it.
    Twice,
}

impl UserFlaw {
    /// The name of the fault that brings it: `embedded-null`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WithoutStatus => "embedded-without-status",
            Self::WithoutId => "embedded-without-id",
            Self::NullCredential => "embedded-null",
            Self::EmptyCredential => "embedded-empty",
            Self::MissingCredential => "embedded-missing",
            Self::Twice => "list-user-twice",
        }
    }
}
