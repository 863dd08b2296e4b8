//! The two ways in which Stara is known to be spoken to.

use std::fmt;
use std::str::FromStr;

/// How requests to Stara are written. Answers are read in either spelling, whichever the dialect.
///
/// Source: Leaf's "connect Stara" tutorial (`json`) and Leaf's published Postman collection (`form`); they disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// JSON bodies: `{"login","password"}`, then `{"apiKey"}`.
    #[default]
    Json,
    /// Urlencoded bodies: `user`, `pwd`, then `accessTokenClient`, `apiKey`; the partner holds the `accessTokenClient`.
    Form,
}

impl Dialect {
    /// The dialect's name in flags and in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Form => "form",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A text that names no dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is neither json nor form")]
pub struct ParseDialectError;

impl FromStr for Dialect {
    type Err = ParseDialectError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "json" => Ok(Self::Json),
            "form" => Ok(Self::Form),
            _ => Err(ParseDialectError),
        }
    }
}
