//! What a column of a manifest can mean.

use std::fmt;
use std::str::FromStr;

/// One of the things a manifest says about a grower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The grower's user at Leaf, a UUID.
    LeafUserId,
    /// The grower's login at Stara.
    Login,
    /// The password to it.
    Password,
    /// The `accessTokenClient` that the `form` dialect of Stara takes as an input. The only field that may be missing.
    AccessTokenClient,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 4] = [Self::LeafUserId, Self::Login, Self::Password, Self::AccessTokenClient];

    /// The field's name in messages and for `--column`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LeafUserId => "leafUserId",
            Self::Login => "login",
            Self::Password => "password",
            Self::AccessTokenClient => "accessTokenClient",
        }
    }

    /// Whether the field's cells must never leave the program in clear.
    pub(super) const fn is_secret(self) -> bool {
        matches!(self, Self::Password | Self::AccessTokenClient)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A text that names no field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of leafUserId, login, password, accessTokenClient")]
pub struct ParseFieldError;

impl FromStr for Field {
    type Err = ParseFieldError;

    /// Compares without regard to case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|field| field.as_str().eq_ignore_ascii_case(text)).ok_or(ParseFieldError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_again_by_its_name() {
        for field in Field::ALL {
            assert_eq!(field.as_str().to_uppercase().parse(), Ok(field));
        }
        assert_eq!("usuario".parse::<Field>(), Err(ParseFieldError));
    }
}
