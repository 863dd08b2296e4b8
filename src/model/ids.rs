//! Who a row is about: the grower's Leaf user and Stara login.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The id of a grower's Leaf user: a UUID, compared and sent in lower case with hyphens.
///
/// Being parsed, it can't hold a slash, a dot or a query, so it can't leave its segment of a URL's path.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeafUserId(Uuid);

impl LeafUserId {
    /// The sixteen bytes of the UUID, as the ledger stores them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id of these sixteen bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

/// A cell that should hold a leafUserId and doesn't. It doesn't say what the cell held, for that may be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a UUID of the form 00000000-0000-0000-0000-000000000000")]
pub struct ParseLeafUserIdError;

impl FromStr for LeafUserId {
    type Err = ParseLeafUserIdError;

    /// Accepts the hyphenated form (36 characters) and the plain form (32), in either case, and nothing around it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.len() {
            32 | 36 => Uuid::try_parse(text).map(Self).map_err(|_| ParseLeafUserIdError),
            _ => Err(ParseLeafUserIdError),
        }
    }
}

impl fmt::Display for LeafUserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(formatter)
    }
}

impl fmt::Debug for LeafUserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A grower's login at Stara, byte for byte as the manifest has it.
///
/// It is no secret (the report carries it), but it is personal, and in a shifted row a password may stand in its
/// place: so it has no `Display`, and `Debug` masks it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Login(String);

impl Login {
    /// Takes the login as it stands.
    #[must_use]
    pub fn new(login: impl Into<String>) -> Self {
        Self(login.into())
    }

    /// The login, to be sent to Stara, stored in the ledger or written to a report.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Login(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_user_id_is_written_in_lower_case_with_hyphens() {
        let id: LeafUserId = "0A1B2C3D-0000-4000-8000-00000000ABCD".parse().unwrap();
        assert_eq!(id.to_string(), "0a1b2c3d-0000-4000-8000-00000000abcd");
        let plain: LeafUserId = "0a1b2c3d00004000800000000000abcd".parse().unwrap();
        assert_eq!(plain, id);
        assert_eq!(LeafUserId::from_bytes(*id.as_bytes()), id);
    }

    #[test]
    fn what_is_no_uuid_is_refused() {
        for text in [
            "",
            "x",
            " 0a1b2c3d-0000-4000-8000-00000000abcd",
            "{0a1b2c3d-0000-4000-8000-00000000abc}",
            "../../../../../../../../../../etc/pas",
        ] {
            assert_eq!(text.parse::<LeafUserId>(), Err(ParseLeafUserIdError), "{text}");
        }
    }

    #[test]
    fn a_login_is_masked_when_debugged() {
        assert_eq!(format!("{:?}", Login::new("ana@example.com")), "Login(…)");
    }
}
