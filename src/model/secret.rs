//! The one type that holds a password, an apiKey or a token.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

/// A password, an apiKey or a token.
///
/// It has no `Display` and no `Serialize`, its `Debug` is masked, and its memory is wiped when it is dropped. The only
/// way to its text is [`Secret::expose_secret`], so every place where one leaves the program can be found by that name.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes `text` as a secret.
    #[must_use]
    pub fn new(text: String) -> Self {
        // Shrinking copies; `into_boxed_str` of an exact-capacity string doesn't, which is why readers build with it.
        Self(SecretString::from(text.into_boxed_str()))
    }

    /// The secret's text. To be called only where it is put into a request, or digested with a key.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.expose_secret().is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_when_debugged() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.expose_secret(), "hunter2");
    }
}
