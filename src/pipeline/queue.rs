//! Which row is carried next: open replacements before all others, and rows with one login one after another.

use std::collections::{HashMap, VecDeque};

use super::handover::RowReceiver;
use super::task::RowTask;
use crate::model::Login;

/// How many rows may wait for another row with the same login, for each row in flight. They hold their passwords in
/// memory; beyond that the manifest isn't read further.
const WAITING_PER_SLOT: usize = 32;

/// The rows that haven't begun, as far as they have been read.
pub(super) struct RowQueue {
    rows: RowReceiver,
    /// Whether the manifest may have more rows.
    has_more: bool,
    logins: Logins,
    most_waiting: usize,
    /// The first row that resumes no replacement, until those that do have been let through.
    held_back: Option<RowTask>,
    /// Whether rows are begun that resume no replacement.
    is_open_to_all: bool,
}

/// What comes next out of the manifest.
pub(super) enum Next {
    /// A row that may begin.
    Row(Box<RowTask>),
    /// A row that has to wait, for another one with its login or for the open replacements.
    Waits,
    /// Nothing any more.
    End,
}

impl RowQueue {
    /// The queue of `rows` for so many slots. With `are_shared` rows with one login run side by side (`--share-logins`).
    pub(super) fn new(rows: RowReceiver, slots: usize, are_shared: bool) -> Self {
        Self {
            rows,
            has_more: true,
            logins: Logins { are_shared, ..Logins::default() },
            most_waiting: slots.saturating_mul(WAITING_PER_SLOT),
            held_back: None,
            is_open_to_all: false,
        }
    }

    /// Whether it is worth while to ask for the next row.
    pub(super) fn has_next(&self) -> bool {
        let may_read = self.has_more && self.held_back.is_none() && self.logins.waiting < self.most_waiting;
        !self.logins.ready.is_empty() || may_read
    }

    /// Whether a row is held back until the open replacements that can get on have got on.
    pub(super) fn holds_back(&self) -> bool {
        self.held_back.is_some()
    }

    /// Lets all rows begin, if every row that was begun so far (`begun`, those that haven't ended) is one that the others
    /// need not wait for (`resting`), and no other open replacement could begin instead.
    pub(super) fn open_to_all(&mut self, begun: usize, resting: usize) {
        if begun > resting || !self.logins.ready.is_empty() {
            return;
        }
        if let Some(task) = self.held_back.take() {
            self.is_open_to_all = true;
            let free = self.logins.enter(task);
            self.logins.ready.extend(free);
        }
    }

    /// The next row: one whose turn has come, or the next of the manifest. Losing the future loses no row.
    pub(super) async fn next(&mut self) -> Next {
        if let Some(ready) = self.logins.ready.pop_front() {
            return Next::Row(Box::new(ready));
        }
        let Some(task) = self.rows.recv().await else {
            self.has_more = false;
            return Next::End;
        };
        self.take_in(task)
    }

    /// As [`RowQueue::next`], if it is here already.
    pub(super) fn try_next(&mut self) -> Option<Next> {
        if let Some(ready) = self.logins.ready.pop_front() {
            return Some(Next::Row(Box::new(ready)));
        }
        self.rows.try_recv().map(|task| self.take_in(task))
    }

    fn take_in(&mut self, task: RowTask) -> Next {
        if !self.is_open_to_all && !task.resumes_replacement {
            self.held_back = Some(task);
            return Next::Waits;
        }
        self.logins.enter(task).map_or(Next::Waits, |task| Next::Row(Box::new(task)))
    }

    /// Takes note that a row with this login ended; the next one becomes ready.
    pub(super) fn leave(&mut self, login: &Login) {
        self.logins.leave(login);
    }
}

/// Rows that wait until the row before them with the same login has ended: a second `/token` may void the first
/// one's tokens, and a wrong password must be tried once, not thirty times side by side.
#[derive(Default)]
struct Logins {
    /// Whether rows with one login run side by side all the same.
    are_shared: bool,
    /// Every login under way, and the rows that wait for it.
    busy: HashMap<Login, VecDeque<RowTask>>,
    waiting: usize,
    /// Rows whose turn has come.
    ready: VecDeque<RowTask>,
}

impl Logins {
    /// Takes a row in: it is given back if its login is free, else it waits.
    fn enter(&mut self, task: RowTask) -> Option<RowTask> {
        let Some(login) = task.grower.as_ref().map(|grower| &grower.login).filter(|_| !self.are_shared)
        else {
            return Some(task);
        };
        if let Some(waiting) = self.busy.get_mut(login) {
            waiting.push_back(task);
            self.waiting += 1;
            return None;
        }
        self.busy.insert(login.clone(), VecDeque::new());
        Some(task)
    }

    fn leave(&mut self, login: &Login) {
        let Some(waiting) = self.busy.get_mut(login) else {
            return;
        };
        match waiting.pop_front() {
            Some(next) => {
                self.waiting -= 1;
                self.ready.push_back(next);
            }
            None => {
                self.busy.remove(login);
            }
        }
    }
}
