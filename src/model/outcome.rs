//! How a row ended: a stable code, who must act, and what the next run does.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::{Credential, Stage};

/// Declares the codes once, so that the list, the names and the parser can't disagree.
macro_rules! outcome_codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// The stable code of a row's outcome. Every manifest line ends with exactly one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum OutcomeCode { $($(#[$doc])* $variant,)+ }

        impl OutcomeCode {
            /// Every code, in the order in which summaries list them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code's name in reports, summaries and the ledger.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

outcome_codes! {
    /// We attached the credential and saw it at Leaf.
    Attached = "attached",
    /// A healthy credential was there before us and was kept.
    AlreadyAttached = "already-attached",
    /// The line can't be read as a row.
    ManifestInvalid = "manifest-invalid",
    /// The line says again what an earlier one says.
    ManifestDuplicate = "manifest-duplicate",
    /// Several lines name the same user and disagree.
    ManifestConflict = "manifest-conflict",
    /// Stara refused login and password.
    StaraLoginRejected = "stara-login-rejected",
    /// Leaf doesn't know the user.
    LeafUserUnknown = "leaf-user-unknown",
    /// Leaf knows the user, but our account may not touch it.
    LeafUserForbidden = "leaf-user-forbidden",
    /// Leaf refused the credential, and none is there.
    LeafCredentialsRefused = "leaf-credentials-refused",
    /// A credential that isn't ours is there.
    LeafCredentialsExist = "leaf-credentials-exist",
    /// A credential is there, but Leaf can't use it.
    CredentialUnhealthy = "credential-unhealthy",
    /// The attach may have taken effect, but it wasn't seen yet.
    AttachUnconfirmed = "attach-unconfirmed",
    /// Two attaches had unknown results and neither was seen.
    NeedsReview = "needs-review",
    /// The old credential was deleted and the new one isn't attached yet.
    CredentialRemoved = "credential-removed",
    /// We deleted the credential because we were asked to (`detach`), and saw it gone.
    Detached = "detached",
    /// The deletion that `detach` asked for may have taken effect, but it isn't known whether it did.
    DetachUnconfirmed = "detach-unconfirmed",
    /// Stara didn't answer, or answered with server errors, on every attempt.
    StaraUnavailable = "stara-unavailable",
    /// Leaf didn't answer, or answered with server errors, on every attempt.
    LeafUnavailable = "leaf-unavailable",
    /// A host asked us to wait for longer than this run may.
    Throttled = "throttled",
    /// The row used up its own time.
    TimedOut = "timed-out",
    /// Stara's answer doesn't fit what is known of it.
    StaraUnexpectedAnswer = "stara-unexpected-answer",
    /// Leaf's answer doesn't fit what is known of it.
    LeafUnexpectedAnswer = "leaf-unexpected-answer",
    /// A defect of this program.
    Internal = "internal",
    /// The run ended before this row.
    NotReached = "not-reached",
}

impl OutcomeCode {
    /// Whether the grower's data can be read by Leaf: nothing is left to do for the row.
    #[must_use]
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Attached | Self::AlreadyAttached)
    }

    /// The code of a row that ends with something in the open: so many attaches that may take effect, or a deletion, after
    /// which another credential was to take its place or not.
    #[must_use]
    pub const fn of_open(attaches: u32, replacing: bool) -> Self {
        match (attaches, replacing) {
            (_, true) => Self::CredentialRemoved,
            (0, false) => Self::DetachUnconfirmed,
            _ => Self::AttachUnconfirmed,
        }
    }

    /// Whether a summary counts the row as failed: it is neither done, nor a harmless repetition, nor still to come.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        !matches!(self, Self::Attached | Self::AlreadyAttached | Self::ManifestDuplicate | Self::NotReached)
    }
}

impl fmt::Display for OutcomeCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A text that is no outcome code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such outcome code")]
pub struct UnknownCodeError;

impl FromStr for OutcomeCode {
    type Err = UnknownCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text).ok_or(UnknownCodeError)
    }
}

/// Who must act before a row can end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// Nobody.
    Nobody,
    /// Whoever runs the tool and owns the manifest.
    You,
    /// The grower, who alone knows the password.
    Grower,
    /// The grower, or whoever runs the tool.
    GrowerOrYou,
    /// The next run by itself, and then whoever runs it.
    ToolThenYou,
    /// Whoever operates Stara's or Leaf's service.
    StaraOrLeaf,
    /// The makers of this tool.
    Tool,
}

impl Owner {
    /// The owner as summaries name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::You => "you",
            Self::Grower => "the grower",
            Self::GrowerOrYou => "the grower or you",
            Self::ToolThenYou => "the next run, then you",
            Self::StaraOrLeaf => "Stara or Leaf",
            Self::Tool => "the makers of this tool",
        }
    }
}

/// What the next run with the same manifest does with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NextRun {
    /// Not a single call, as long as the row is unchanged.
    Nothing,
    /// The line is read and judged again.
    ReadsAgain,
    /// Nothing until login or password change, or `--retry-rejected` is given.
    WaitsForLogin,
    /// Nothing until the row changes, or `--retry-failed` is given.
    WaitsForRow,
    /// Nothing until `--retry-failed --only` names the user; after a roll-back as [`NextRun::WaitsForRow`].
    WaitsForName,
    /// One look at Leaf, and on from what it shows.
    LooksAgain,
    /// The whole row again.
    TriesAgain,
}

impl NextRun {
    /// The sentence that says so.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "does nothing, as long as the row is unchanged",
            Self::ReadsAgain => "reads the line again",
            Self::WaitsForLogin => "waits until login or password change, or --retry-rejected",
            Self::WaitsForRow => "waits until the row changes, or --retry-failed",
            Self::WaitsForName => {
                "leaves it alone until --retry-failed --only ID names it; after a roll-back also tries a changed row, or --retry-failed"
            }
            Self::LooksAgain => "looks at Leaf first and goes on from what it shows",
            Self::TriesAgain => "tries again",
        }
    }
}

/// Where a credential that counts as attached came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Leaf answered our attach with it.
    Created,
    /// The reply to our attach was lost, and a later look found the credential.
    Recovered,
    /// It was there before us.
    Found,
    /// It took the place of one that we deleted on request.
    Replaced,
}

impl Origin {
    /// Every origin.
    pub const ALL: [Self; 4] = [Self::Created, Self::Recovered, Self::Found, Self::Replaced];

    /// The origin's name in reports and the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Recovered => "recovered",
            Self::Found => "found",
            Self::Replaced => "replaced",
        }
    }
}

impl FromStr for Origin {
    type Err = UnknownCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|origin| origin.as_str() == text).ok_or(UnknownCodeError)
    }
}

/// How one row ended, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The stable code.
    pub code: OutcomeCode,
    /// Where the credential came from, for rows that have one.
    pub origin: Option<Origin>,
    /// The stage at which the row ended.
    pub stage: Stage,
    /// The HTTP status of that stage's last answer, where there was one.
    pub http_status: Option<u16>,
    /// How often that stage's call was sent.
    pub attempts: u32,
    /// The credential at Leaf, where one was seen.
    pub credential: Option<Credential>,
    /// What happened, in our own words: never a piece of an answer's body or of the manifest.
    pub message: Cow<'static, str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_again_by_its_name_and_has_advice() {
        for &code in OutcomeCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(code));
            assert!(code.advice().ends_with('.'), "{code}");
            assert!(code.meaning().ends_with('.'), "{code}");
        }
        assert_eq!("fine".parse::<OutcomeCode>(), Err(UnknownCodeError));
    }

    #[test]
    fn whoever_must_act_is_somebody_unless_the_row_is_done() {
        for &code in OutcomeCode::ALL {
            let nobody = code.owner() == Owner::Nobody;
            assert_eq!(nobody, code.is_done() || code == OutcomeCode::NotReached, "{code}");
        }
    }
}
