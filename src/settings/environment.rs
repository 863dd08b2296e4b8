//! The environment's secrets. They have no flags, so that they never stand in a list of processes.

use std::ffi::OsString;

use crate::api::LeafAccount;
use crate::model::Secret;

/// The secrets that the environment holds.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `LEAF_TOKEN`.
    pub leaf_token: Option<Secret>,
    /// `LEAF_USERNAME` and `LEAF_PASSWORD`, where both are there.
    pub leaf_account: Option<LeafAccount>,
    /// `STARA_ACCESS_TOKEN_CLIENT`.
    pub access_token_client: Option<Secret>,
}

impl Environment {
    /// Reads them with `variable`, which is `std::env::var_os` but in tests. Empty ones count as absent, and white space
    /// around a token, which can't belong to it, is left out.
    #[must_use]
    pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let text =
            |name| variable(name).and_then(|value| value.into_string().ok()).filter(|text| !text.is_empty());
        let token = |name| {
            let text = text(name)?;
            Some(text.trim().to_owned()).filter(|text| !text.is_empty()).map(Secret::new)
        };
        let account = text("LEAF_USERNAME").zip(text("LEAF_PASSWORD"));
        Self {
            leaf_token: token("LEAF_TOKEN"),
            leaf_account: account
                .map(|(username, password)| LeafAccount { username, password: Secret::new(password) }),
            access_token_client: token("STARA_ACCESS_TOKEN_CLIENT"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_secrets_are_absent_and_an_account_needs_both_halves() {
        let environment = Environment::read(|name| match name {
            "LEAF_TOKEN" => Some(" \n".into()),
            "LEAF_USERNAME" => Some("ops".into()),
            "STARA_ACCESS_TOKEN_CLIENT" => Some("client\n".into()),
            _ => None,
        });
        assert!(environment.leaf_token.is_none());
        assert!(environment.leaf_account.is_none());
        assert_eq!(environment.access_token_client.unwrap().expose_secret(), "client");
    }
}
