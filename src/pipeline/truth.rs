//! What Leaf holds: read from its list of users where that is cheaper, else user by user.

/// Whether Leaf's list of users is read before single users are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListUse {
    /// It isn't.
    Never,
    /// It is.
    Always,
    /// It is where that takes fewer calls than a look at each user.
    #[default]
    WhereCheaper,
}
