//! Plain lines, for logs and for whoever watches without a terminal.

use std::io::Write;
use std::time::Duration;

use super::notes::{End, Note};
use super::output::Output;
use super::show::{Show, View};
use super::wording;
use crate::pipeline::HoldReason;

/// The time from one line to the next.
const INTERVAL: Duration = Duration::from_secs(10);

/// One line every ten seconds, and one whenever something begins, is held or stops.
pub(super) struct Lines<W> {
    output: Output<W>,
    interval: Duration,
}

impl<W: Write> Lines<W> {
    /// Writes to `writer`, which is stderr but in tests.
    pub(super) fn new(writer: W) -> Self {
        Self { output: Output::new(writer), interval: INTERVAL }
    }
}

impl<W: Write + Send> Show for Lines<W> {
    fn interval(&self) -> Duration {
        self.interval
    }

    fn tells_rows(&self) -> bool {
        false
    }

    fn tell(&mut self, note: &Note, _: &View<'_>) {
        match note {
            Note::StagingStarted(_) => self.output.line("reading the manifest"),
            Note::Started(plan) => self.output.line(&wording::opening(plan)),
            Note::LookChosen { list, pages, users } => {
                let look = wording::look(*list, *pages, *users);
                self.output.line(&format!("looking {look}"));
            }
            Note::Held { service, wait, reason } => {
                let wait = wording::duration(*wait);
                self.output.line(&match reason {
                    HoldReason::Throttled { status } => {
                        format!("{service} answered {status}: nothing is sent there for {wait}")
                    }
                    HoldReason::Down { why: Some(why) } => {
                        format!("{service} can't be reached: {why}; it is tried again in {wait}")
                    }
                    HoldReason::Down { why: None } => {
                        format!("{service} is down: it is tried again in {wait}")
                    }
                });
            }
            Note::Draining(reason) => {
                self.output.line(&format!("stopping, finishing what is under way: {reason}"));
            }
            Note::LinksBegun(users) => self.output.line(&wording::links(*users)),
            // The lint's line is written however progress is shown.
            Note::Linted(_) | Note::RowFailed { .. } => {}
        }
    }

    fn tick(&mut self, view: &View<'_>) {
        if view.plan.is_some() {
            let rows = wording::rows(view);
            let (stara, leaf) = (wording::host(&view.stara), wording::host(&view.leaf));
            self.output.line(&format!("{rows}; Stara {stara}; Leaf {leaf}"));
        } else if view.totals.list_pages + view.totals.users_seen > 0 {
            self.output.line(&format!("{}; Leaf {}", wording::seen(&view.totals), wording::host(&view.leaf)));
        } else if view.totals.staged_lines > 0 {
            self.output.line(&format!("read {}", wording::staging(view)));
        }
    }

    fn end(&mut self, end: End, view: &View<'_>) {
        if end == End::Ended {
            let rows = wording::counted(view.totals.finished(), "row");
            let failed = wording::count(view.totals.failed());
            let elapsed = wording::duration(view.elapsed);
            self.output.line(&format!("ended: {rows}, {failed} failed, in {elapsed}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Event;
    use crate::ui::rehearsal::{Rehearsal, script};

    fn said(rehearsal: Rehearsal<Lines<Vec<u8>>>) -> Vec<String> {
        let text = String::from_utf8(rehearsal.show.output.into_inner()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_run_is_told_in_these_lines() {
        let mut rehearsal = Rehearsal::of(Lines::new(Vec::new()));
        rehearsal.play(&script());
        assert_eq!(
            said(rehearsal),
            [
                "reading the manifest",
                "read 600 lines, 60 % of the manifest",
                "1,000 to do of 1,015 lines, 12 done before, 2 invalid, 1 duplicate; Stara https://stara.example at 10/s; \
                 Leaf https://leaf.example at 5.0/s (auto) as ops@example.com; about 3m 20s",
                "looking at Leaf by its list: 11 calls for 1,000 users, and one more for each that it leaves open",
                "Leaf answered 429: nothing is sent there for 20s",
                "2 of 1,000 rows, 0.2/s, 1 failed, 1 parked, nobody knows how long still (Leaf asked for a pause); Stara 0.1/s of 10/s; \
                 Leaf 0.2/s of 5.0/s (auto), 1 throttled, waiting 13s",
                "stopping, finishing what is under way: Leaf asked for a pause of 20m",
                "ended: 3 rows, 1 failed, in 28s",
            ]
        );
    }

    #[test]
    fn the_making_of_magic_links_is_told() {
        let mut rehearsal = Rehearsal::of(Lines::new(Vec::new()));
        rehearsal.play(&[(0, Event::LinksBegun { users: 1_200 })]);
        assert_eq!(said(rehearsal), ["making magic links for 1,200 users, one call to Leaf each"]);
    }

    #[test]
    fn a_run_that_nobody_ended_is_not_said_to_have_ended() {
        let mut rehearsal = Rehearsal::of(Lines::new(Vec::new()));
        rehearsal.abandon();
        assert!(said(rehearsal).is_empty());
    }
}
