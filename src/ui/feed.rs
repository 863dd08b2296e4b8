//! A run's events, counted and, where a show tells them one by one, queued.

use std::sync::Arc;

use super::notes::{End, Note, Notes};
use super::tally::{Tally, fails};
use crate::pipeline::{Event, Observe};

/// Takes events from the run's threads, without ever waiting for a terminal or a pipe.
pub(super) struct Feed {
    /// Where everything is counted.
    pub(super) tally: Arc<Tally>,
    /// Where what is told one by one waits for the show.
    pub(super) notes: Arc<Notes>,
    /// Whether the show tells failed rows one by one.
    pub(super) tells_rows: bool,
}

impl Observe for Feed {
    fn observe(&self, event: &Event) {
        self.tally.count(event);
        match event {
            Event::StagingStarted { total_bytes } => self.notes.push(Note::StagingStarted(*total_bytes)),
            Event::Linted(report) => self.notes.push(Note::Linted(report.clone())),
            Event::Started(plan) => self.notes.push(Note::Started(plan.clone())),
            &Event::Held { service, wait, reason } => {
                if self.tally.is_new_hold(service) {
                    self.notes.push(Note::Held { service, wait, reason });
                }
            }
            &Event::LookChosen { list, pages, users } => {
                self.notes.push(Note::LookChosen { list, pages, users });
            }
            Event::Draining { reason } => self.notes.push(Note::Draining(reason.clone())),
            &Event::RowFinished { line, leaf_user_id, code, stage } => {
                if self.tells_rows && fails(code) {
                    self.notes.push(Note::RowFailed { line, leaf_user_id, code, stage });
                }
            }
            &Event::LinksBegun { users } => self.notes.push(Note::LinksBegun(users)),
            Event::Ended => self.notes.end(End::Ended),
            // The line about it is written however progress is shown.
            Event::LoginsDivided { .. }
            | Event::StagingProgressed { .. }
            | Event::ListRead { .. }
            | Event::UserSeen
            | Event::RequestEnded { .. }
            | Event::Parked { .. }
            | Event::Unparked => {}
        }
    }
}
