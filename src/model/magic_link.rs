//! The page on which a grower whose login was refused signs in by themselves.

use super::secret::Secret;
use super::time::UnixMillis;

/// A sign-in page of Leaf's for one user. Whoever has its address can connect an account of theirs to that user, so it is
/// as secret as a password.
#[derive(Debug, Clone)]
pub struct MagicLink {
    /// The page's address.
    pub link: Secret,
    /// Until when it works.
    pub expires_at: UnixMillis,
}
