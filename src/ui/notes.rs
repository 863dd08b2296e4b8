//! What a show is told one by one: a queue that the run's threads fill without waiting and one thread empties.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::manifest::LintReport;
use crate::model::{LeafUserId, OutcomeCode, Service, Stage};
use crate::pipeline::{HoldReason, Plan};

/// How many failed rows may wait to be shown. A reader that stands still must not make the run's memory grow.
const MOST_ROWS: usize = 16 * 1024;

/// Something that a show may tell when it happens. Everything else it reads from the tally.
#[derive(Debug, Clone)]
pub(super) enum Note {
    /// The first reading of the manifest began; its size in bytes, where it is known.
    StagingStarted(Option<u64>),
    /// The lint of the manifest found something.
    Linted(Box<LintReport>),
    /// Rows begin to be carried out.
    Started(Box<Plan>),
    /// How Leaf is looked at: by its list, of so many pages, or user by user.
    LookChosen { list: bool, pages: Option<u64>, users: u64 },
    /// Everybody is to wait before asking a service again.
    Held { service: Service, wait: Duration, reason: HoldReason },
    /// Nothing new is started from here on, for this reason.
    Draining(String),
    /// Magic links begin to be made, for so many users.
    LinksBegun(u64),
    /// A row failed.
    RowFailed { line: u64, leaf_user_id: LeafUserId, code: OutcomeCode, stage: Stage },
}

/// How a show comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The run said that it ended.
    Ended,
    /// Nobody is left to tell it anything.
    Abandoned,
}

/// What has gathered since the queue was last emptied.
#[derive(Debug)]
pub(super) struct Taken {
    /// The notes, in their order.
    pub(super) notes: VecDeque<Note>,
    /// The end, behind the last note.
    pub(super) end: Option<End>,
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Notes {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    notes: VecDeque<Note>,
    rows: usize,
    rows_left_out: u64,
    end: Option<End>,
}

impl Notes {
    /// Adds a note. A failed row is left out, and counted, while too many wait.
    pub(super) fn push(&self, note: Note) {
        let mut queue = self.lock();
        if queue.end.is_some() {
            return;
        }
        if matches!(note, Note::RowFailed { .. }) {
            if queue.rows == MOST_ROWS {
                queue.rows_left_out += 1;
                return;
            }
            queue.rows += 1;
        }
        queue.notes.push_back(note);
        drop(queue);
        self.arrived.notify_one();
    }

    /// Ends the queue; the first end counts.
    pub(super) fn end(&self, end: End) {
        self.lock().end.get_or_insert(end);
        self.arrived.notify_one();
    }

    /// Waits until there is something to take, but no longer than `patience`.
    pub(super) fn take(&self, patience: Duration) -> Taken {
        let nothing = |queue: &mut Queue| queue.notes.is_empty() && queue.end.is_none();
        let (mut queue, _) = self
            .arrived
            .wait_timeout_while(self.lock(), patience, nothing)
            .unwrap_or_else(PoisonError::into_inner);
        queue.rows = 0;
        Taken { notes: std::mem::take(&mut queue.notes), end: queue.end }
    }

    /// How many failed rows were left out so far.
    pub(super) fn rows_left_out(&self) -> u64 {
        self.lock().rows_left_out
    }

    /// Whether there is nothing to take.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        let queue = self.lock();
        queue.notes.is_empty() && queue.end.is_none()
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: u64) -> Note {
        Note::RowFailed {
            line,
            leaf_user_id: "0a1b2c3d-0000-4000-8000-00000000abcd".parse().unwrap(),
            code: OutcomeCode::LeafUserUnknown,
            stage: Stage::Precheck,
        }
    }

    #[test]
    fn notes_are_taken_in_their_order_with_the_end_behind_them() {
        let notes = Notes::default();
        notes.push(Note::StagingStarted(None));
        notes.push(row(2));
        let mut taken = notes.take(Duration::MAX);
        assert!(matches!(
            taken.notes.make_contiguous(),
            [Note::StagingStarted(None), Note::RowFailed { line: 2, .. }]
        ));
        assert_eq!(taken.end, None);
        notes.push(row(3));
        notes.end(End::Ended);
        notes.end(End::Abandoned);
        notes.push(row(4));
        let taken = notes.take(Duration::MAX);
        assert_eq!(taken.notes.len(), 1);
        assert_eq!(taken.end, Some(End::Ended));
    }

    #[test]
    fn rows_that_nobody_takes_are_left_out_and_counted_but_nothing_else_is() {
        let notes = Notes::default();
        for line in 0..MOST_ROWS as u64 + 7 {
            notes.push(row(line));
        }
        notes.push(Note::Draining("so".to_owned()));
        assert_eq!(notes.rows_left_out(), 7);
        let taken = notes.take(Duration::MAX);
        assert_eq!(taken.notes.len(), MOST_ROWS + 1);
        assert!(matches!(taken.notes.back(), Some(Note::Draining(_))));
        notes.push(row(1));
        assert_eq!(notes.take(Duration::MAX).notes.len(), 1);
    }

    #[test]
    fn an_empty_queue_is_waited_for_no_longer_than_asked() {
        let taken = Notes::default().take(Duration::ZERO);
        assert!(taken.notes.is_empty() && taken.end.is_none());
    }
}
