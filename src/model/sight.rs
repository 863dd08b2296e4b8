//! What a look at Leaf showed of a user.

use super::Credential;

/// What a look at Leaf showed of a user. A look that failed, or whose answer leaves something open, shows nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// Leaf knows no such user.
    UnknownUser,
    /// The user is none of our account's.
    Forbidden,
    /// The user holds no Stara credential.
    NoCredential,
    /// The user holds this one.
    Credential(Credential),
}
