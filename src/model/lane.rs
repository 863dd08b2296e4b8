//! On which of the program's lanes a piece of work is.

use std::cell::Cell;

thread_local! {
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

/// One of the threads on which rows are carried.
///
/// A row stays on its lane from its first request to its outcome, and so does everything that wakes it: connections and those
/// that wait for a commit are kept by lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane(usize);

impl Lane {
    /// The most lanes there are.
    pub const MOST: usize = 2;

    /// All of them, the first one being that of the run itself.
    pub const ALL: [Self; Self::MOST] = [Self(0), Self(1)];

    /// The lane of this thread: the first, where it never entered one.
    #[must_use]
    pub fn current() -> Self {
        Self(CURRENT.get())
    }

    /// Makes this thread the lane's.
    pub fn enter(self) {
        CURRENT.set(self.0);
    }

    /// Its place among all lanes, from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}
