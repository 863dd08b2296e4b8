//! How far a row came.

use std::fmt;
use std::str::FromStr;

/// The step of a row's life at which it ended, in the order in which they happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Reading the manifest's line.
    Manifest,
    /// Looking at Leaf for the user and the credentials that are there already.
    Precheck,
    /// `POST /autenticacao` at Stara.
    Authenticate,
    /// `POST /token` at Stara.
    Token,
    /// `DELETE …/stara-credentials` at Leaf, only when replacing.
    Remove,
    /// `POST …/stara-credentials` at Leaf.
    Attach,
    /// `GET …/stara-credentials` at Leaf.
    Verify,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 7] = [
        Self::Manifest,
        Self::Precheck,
        Self::Authenticate,
        Self::Token,
        Self::Remove,
        Self::Attach,
        Self::Verify,
    ];

    /// The stage's name in reports, logs and the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Precheck => "precheck",
            Self::Authenticate => "authenticate",
            Self::Token => "token",
            Self::Remove => "remove",
            Self::Attach => "attach",
            Self::Verify => "verify",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A text that names no stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such stage")]
pub struct UnknownStageError;

impl FromStr for Stage {
    type Err = UnknownStageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text).ok_or(UnknownStageError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_is_found_again_by_its_name() {
        for stage in Stage::ALL {
            assert_eq!(stage.as_str().parse(), Ok(stage));
        }
        assert_eq!("elsewhere".parse::<Stage>(), Err(UnknownStageError));
    }
}
