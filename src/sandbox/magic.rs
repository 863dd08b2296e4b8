//! The words that, standing in a manifest's password column, decide how the simulated services treat that row.

use super::turn::Turn;

/// A word for the password column of a rehearsal's manifest, which makes one row end in a chosen way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MagicWord {
    /// `sandbox:wrong-password`: Stara refuses login and password, 401.
    WrongPassword,
    /// `sandbox:unknown-user`: Leaf doesn't know the user, 404.
    UnknownUser,
    /// `sandbox:forbidden-user`: Leaf doesn't let the account touch the user, 403.
    ForbiddenUser,
    /// `sandbox:healthy`: the user holds a credential before the run, with status `OK`.
    Healthy,
    /// `sandbox:unhealthy`: the user holds a credential before the run, with status `invalid`.
    Unhealthy,
    /// `sandbox:refused`: Leaf answers the attach with 400, and the user holds no credential.
    Refused,
    /// `sandbox:stara-html`: Stara answers `/autenticacao` with 200 and a page of HTML.
    StaraHtml,
    /// `sandbox:stara-down`: Stara answers `/autenticacao` with 503, always.
    StaraDown,
    /// `sandbox:lost-reply`: the user's first attach takes effect and the connection is cut before the status.
    LostReply,
    /// `sandbox:turns-unhealthy`: the user's first credential is seen once as it is, then it is `invalid`.
    TurnsUnhealthy,
    /// `sandbox:turns-missing`: the user's first credential is seen once, then somebody else removes it.
    TurnsMissing,
    /// `sandbox:turns-foreign`: the user's first credential is seen once, then somebody else's is in its place.
    TurnsForeign,
    /// `sandbox:turns-unknown`: the user's first credential is seen once, then Leaf doesn't know the user any more.
    TurnsUnknown,
}

impl MagicWord {
    /// Every word.
    pub const ALL: [Self; 13] = [
        Self::WrongPassword,
        Self::UnknownUser,
        Self::ForbiddenUser,
        Self::Healthy,
        Self::Unhealthy,
        Self::Refused,
        Self::StaraHtml,
        Self::StaraDown,
        Self::LostReply,
        Self::TurnsUnhealthy,
        Self::TurnsMissing,
        Self::TurnsForeign,
        Self::TurnsUnknown,
    ];

    /// The word as it stands in the password column.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WrongPassword => "sandbox:wrong-password",
            Self::UnknownUser => "sandbox:unknown-user",
            Self::ForbiddenUser => "sandbox:forbidden-user",
            Self::Healthy => "sandbox:healthy",
            Self::Unhealthy => "sandbox:unhealthy",
            Self::Refused => "sandbox:refused",
            Self::StaraHtml => "sandbox:stara-html",
            Self::StaraDown => "sandbox:stara-down",
            Self::LostReply => "sandbox:lost-reply",
            Self::TurnsUnhealthy => "sandbox:turns-unhealthy",
            Self::TurnsMissing => "sandbox:turns-missing",
            Self::TurnsForeign => "sandbox:turns-foreign",
            Self::TurnsUnknown => "sandbox:turns-unknown",
        }
    }

    /// What happens to the user once its credential has been seen.
    pub(super) const fn turn(self) -> Option<Turn> {
        match self {
            Self::TurnsUnhealthy => Some(Turn::Unhealthy),
            Self::TurnsMissing => Some(Turn::Missing),
            Self::TurnsForeign => Some(Turn::Foreign),
            Self::TurnsUnknown => Some(Turn::UnknownUser),
            _ => None,
        }
    }

    /// The word that a password is, if it is one; any other password is an ordinary one.
    #[must_use]
    pub fn of_password(password: &str) -> Option<Self> {
        // Nearly every password is decided by its first letters, and this is asked for each authentication.
        if !password.starts_with("sandbox:") {
            return None;
        }
        Self::ALL.into_iter().find(|word| word.as_str() == password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_magic_word_is_found_again_by_its_text() {
        for word in MagicWord::ALL {
            assert_eq!(MagicWord::of_password(word.as_str()), Some(word));
        }
    }

    #[test]
    fn every_magic_word_is_documented() {
        let manual = include_str!("../../docs/SANDBOX.md");
        for word in MagicWord::ALL {
            assert!(manual.contains(&format!("| `{}` |", word.as_str())), "{word:?}");
        }
    }

    #[test]
    fn an_ordinary_password_is_no_magic_word() {
        for password in ["", "secret", "sandbox:", "sandbox:Refused", " sandbox:refused"] {
            assert_eq!(MagicWord::of_password(password), None, "{password}");
        }
    }
}
