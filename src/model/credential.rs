//! A credential as Leaf shows it, without its secrets.

use std::fmt;

/// The longest id or status kept of an answer, in characters; what Leaf sends is far shorter.
const LONGEST_WORD: usize = 64;

/// The id Leaf gave a credential: a UUID by its documentation, kept as it came.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CredentialId(String);

impl CredentialId {
    /// Takes an id from an answer, cut to 64 printable characters; `None` when nothing is left.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let id = printable(text);
        (!id.is_empty()).then_some(Self(id))
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<CredentialId> for String {
    fn from(id: CredentialId) -> Self {
        id.0
    }
}

impl fmt::Debug for CredentialId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A Stara credential of a Leaf user: which one, and in which state. Its four secrets are never read into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its id, where the answer had one.
    pub id: Option<CredentialId>,
    /// Its status word for word, where the answer had one.
    pub status: Option<String>,
}

/// Whether Leaf can use a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Nothing says that it is broken. A status nobody documents counts here: it is reported, never called broken.
    Healthy,
    /// Leaf's documentation names this status as one in which it can't read the grower's data.
    Unhealthy,
}

impl Credential {
    /// Takes id and status from an answer, cut to 64 printable characters each.
    #[must_use]
    pub fn new(id: Option<&str>, status: Option<&str>) -> Self {
        Self {
            id: id.and_then(CredentialId::new),
            status: status.map(printable).filter(|word| !word.is_empty()),
        }
    }

    /// Judges the status, without regard to case, spaces, `_` and `-`.
    ///
    /// Source of the words: Leaf's Stara page ("changes to invalid") and its alerts (*unauthenticated*, *limited
    /// permission*). The whole vocabulary isn't published.
    #[must_use]
    pub fn health(&self) -> Health {
        let word: String = self
            .status
            .iter()
            .flat_map(|status| status.chars())
            .filter(|letter| letter.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect();
        match word.as_str() {
            "invalid" | "unauthenticated" | "limitedpermission" | "limitedpermissions" => Health::Unhealthy,
            _ => Health::Healthy,
        }
    }
}

fn printable(text: &str) -> String {
    if text.len() <= LONGEST_WORD && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return text.to_owned();
    }
    text.chars().filter(|letter| !letter.is_control()).take(LONGEST_WORD).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_documented_words_are_unhealthy() {
        let health = |status: &str| Credential::new(None, Some(status)).health();
        for status in ["invalid", "INVALID", "Unauthenticated", "LIMITED_PERMISSION", "limited permission"] {
            assert_eq!(health(status), Health::Unhealthy, "{status}");
        }
        for status in ["OK", "ok", "PENDING", "", "weird"] {
            assert_eq!(health(status), Health::Healthy, "{status}");
        }
        assert_eq!(Credential::new(None, None).health(), Health::Healthy);
    }

    #[test]
    fn an_answer_cannot_smuggle_control_characters_or_length() {
        let credential = Credential::new(Some("a\u{1b}[2Jb"), Some(&"x".repeat(1_000)));
        assert_eq!(credential.id.unwrap().as_str(), "a[2Jb");
        assert_eq!(credential.status.unwrap().len(), 64);
    }
}
