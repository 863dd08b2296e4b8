//! The names of the secrets. They stand in the environment only: a flag's value is in every list of processes, and a
//! settings file is copied, backed up and committed.

/// A secret of the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretVariable {
    /// The variable.
    pub name: &'static str,
    /// The start of what may be done instead of writing it into a file; a whole clause.
    pub instead: &'static str,
}

/// All of them.
pub const SECRETS: [SecretVariable; 5] = [
    SecretVariable {
        name: "LEAF_TOKEN",
        instead: "set the environment variable LEAF_TOKEN, or name a file that holds it with leaf-token-file",
    },
    SecretVariable { name: "LEAF_USERNAME", instead: "set the environment variable LEAF_USERNAME" },
    SecretVariable { name: "LEAF_PASSWORD", instead: "set the environment variable LEAF_PASSWORD" },
    SecretVariable {
        name: "STARA_ACCESS_TOKEN_CLIENT",
        instead: "set the environment variable STARA_ACCESS_TOKEN_CLIENT",
    },
    SecretVariable {
        name: "STARA_ONBOARD_FINGERPRINT_KEY",
        instead: "set the environment variable STARA_ONBOARD_FINGERPRINT_KEY",
    },
];

/// What to do with a key of a settings file that names a secret, or looks as if it did; `None` where it doesn't.
pub(super) fn instead_of(key: &str) -> Option<&'static str> {
    let plain: String =
        key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let own_name = |secret: &SecretVariable| {
        let name = secret.name.replace('_', "").to_ascii_lowercase();
        plain == name || name.strip_prefix("staraonboard").is_some_and(|name| plain == name)
    };
    if let Some(secret) = SECRETS.iter().find(|secret| own_name(secret)) {
        return Some(secret.instead);
    }
    let words = ["password", "passwd", "secret", "apikey", "accesstoken", "bearer", "privatekey"];
    let is_like_one = words.iter().any(|word| plain.contains(word)) || plain.ends_with("token");
    is_like_one.then_some("set LEAF_TOKEN, or LEAF_USERNAME and LEAF_PASSWORD, in the environment")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_looks_like_a_secret_is_taken_for_one() {
        for key in
            ["leaf-token", "LEAF_TOKEN", "leaf_password", "fingerprint-key", "apiKey", "token", "my-secret"]
        {
            assert!(instead_of(key).is_some(), "{key}");
        }
        assert!(instead_of("leaf-token").unwrap().contains("leaf-token-file"));
        for key in ["leaf-rate", "leaf-token-file", "keep-column", "key"] {
            assert_eq!(instead_of(key), None, "{key}");
        }
    }
}
