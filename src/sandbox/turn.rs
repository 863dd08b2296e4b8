//! The turns that a credential takes while this program isn't looking.

/// A turn for the worse, as an audit finds it: somebody else, or time, changes what a user of Leaf holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The credential's status becomes `invalid`.
    Unhealthy,
    /// The credential is removed.
    Missing,
    /// A healthy credential of somebody else, with another id and another apiKey, takes the place of any that is there.
    Foreign,
    /// The user itself is deleted at Leaf.
    UnknownUser,
}

impl Turn {
    /// The name of the fault that brings it: `turned-unhealthy`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unhealthy => "turned-unhealthy",
            Self::Missing => "turned-missing",
            Self::Foreign => "turned-foreign",
            Self::UnknownUser => "turned-unknown",
        }
    }
}
