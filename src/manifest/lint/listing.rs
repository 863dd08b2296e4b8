//! Which of the places that are found are listed.

/// Which places of each kind are listed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Listing {
    /// The first ones, so many.
    First(usize),
    /// Those on this line.
    Line(u64),
}

impl Listing {
    /// Whether a place on `line` is listed, where `listed` of its kind are already.
    pub(super) const fn takes(self, line: u64, listed: usize) -> bool {
        match self {
            Self::First(most) => listed < most,
            Self::Line(only) => line == only,
        }
    }

    /// How many places of one kind are listed at the most.
    pub(super) const fn most(self) -> usize {
        match self {
            Self::First(most) => most,
            Self::Line(_) => usize::MAX,
        }
    }
}
