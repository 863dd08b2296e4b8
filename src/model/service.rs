//! The two services a row is carried between.

use std::fmt;

/// One of the two services. Each has a host of its own, and so a quota, a connection pool and a pause of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Stara's telemetry platform, where a grower's login becomes tokens.
    Stara,
    /// Leaf, where the tokens are attached to a user.
    Leaf,
}

impl Service {
    /// Both services, in the order in which a row meets them.
    pub const ALL: [Self; 2] = [Self::Stara, Self::Leaf];

    /// The service's name as people know it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stara => "Stara",
            Self::Leaf => "Leaf",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
