//! What an audit finds of a user, where it isn't as it should be.

use std::str::FromStr;

use super::{NextRun, Owner};

/// What an audit finds of a user whose credential isn't as the ledger expects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Finding {
    /// The ledger expects a credential, and Leaf shows none.
    Missing,
    /// The credential that the ledger knows is there, and Leaf can't use it.
    Unhealthy,
    /// A credential is there, and it isn't the one that the ledger knows.
    Foreign,
    /// Leaf knows no such user.
    UnknownUser,
}

impl Finding {
    /// Every finding, in the order in which audits list them.
    pub const ALL: [Self; 4] = [Self::Missing, Self::Unhealthy, Self::Foreign, Self::UnknownUser];

    /// Its name in the ledger and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unhealthy => "unhealthy",
            Self::Foreign => "foreign",
            Self::UnknownUser => "unknownUser",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unhealthy => "unhealthy",
            Self::Foreign => "foreign",
            Self::UnknownUser => "unknown user",
        }
    }

    /// Who must act.
    #[must_use]
    pub const fn owner(self) -> Owner {
        match self {
            Self::Missing => Owner::ToolThenYou,
            Self::Unhealthy => Owner::GrowerOrYou,
            Self::Foreign | Self::UnknownUser => Owner::You,
        }
    }

    /// What it means, in one sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Missing => "The ledger expects a credential, and Leaf shows none.",
            Self::Unhealthy => {
                "The credential that the ledger knows is there, and Leaf says that it can't use it."
            }
            Self::Foreign => "A credential is there, and it isn't the one that the ledger knows.",
            Self::UnknownUser => "The ledger knows the user, and Leaf doesn't.",
        }
    }

    /// What the next run of the manifest does with the user's row, in a clause.
    #[must_use]
    pub const fn next_run(self) -> &'static str {
        match self {
            Self::Missing | Self::Unhealthy | Self::UnknownUser => NextRun::LooksAgain.as_str(),
            Self::Foreign => "leaves it alone",
        }
    }

    /// What to do about it, in one sentence.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Missing => {
                "Somebody took the credential away; the next run of the manifest looks, and attaches it again."
            }
            Self::Unhealthy => {
                "audit MANIFEST --repair authenticates again and replaces those that are ours, once two audits in a row \
                 found them so."
            }
            Self::Foreign => {
                "Somebody else attached it: find out who; it is never replaced or deleted, and --accept ID takes it for known."
            }
            Self::UnknownUser => {
                "Leaf knows no such user: check the leafUserId and the Leaf account, or take the grower out of the manifest."
            }
        }
    }
}

/// A text that is no finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such finding")]
pub struct UnknownFindingError;

impl FromStr for Finding {
    type Err = UnknownFindingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|finding| finding.as_str() == text).ok_or(UnknownFindingError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_is_found_again_by_its_name() {
        for finding in Finding::ALL {
            assert_eq!(finding.as_str().parse(), Ok(finding));
            assert!(finding.advice().ends_with('.'), "{finding:?}");
            assert!(finding.meaning().ends_with('.'), "{finding:?}");
            assert_ne!(finding.owner(), Owner::Nobody);
        }
        assert_eq!("healthy".parse::<Finding>(), Err(UnknownFindingError));
    }
}
