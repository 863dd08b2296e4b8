//! Bars on a terminal: the rows, a line for each host, and what failed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::clock::WallClock;
use super::frame::Frame;
use super::logs::{LogWriter, lock};
use super::notes::{End, Note};
use super::picture::{HoldPicture, HostPicture, Picture, Rows, Task, wrapped};
use super::show::{HostView, Show, View};
use super::tally::{Hold, fails};
use super::terminal::Terminal;
use super::wording;
use crate::model::Service;
use crate::pipeline::{HoldReason, HostPlan};

/// The time from one look at the tally to the next.
const INTERVAL: Duration = Duration::from_millis(125);

/// Draws bars, and takes them away at the end.
pub(super) struct Bars {
    frame: Arc<Mutex<Frame>>,
    logs: LogWriter,
    wall: WallClock,
    /// Whether the manifest is being read: an audit of everybody has none.
    is_staging: bool,
    /// Whether Leaf is looked at by its list, of how many pages, and how many users are to be seen.
    look: Option<(bool, Option<u64>, u64)>,
    /// For how many users magic links are being made.
    links: Option<u64>,
    stopping: Option<String>,
    /// The end of each host's pause, and what the clock on the wall will show then.
    pauses: [(Duration, String); Service::ALL.len()],
    /// The same of the rows that settle.
    settled: (Duration, String),
}

impl Bars {
    /// Draws on stderr, and tells `logs` so.
    pub(super) fn on_stderr(terminal: Terminal, logs: &LogWriter) -> Self {
        Self::on(Frame::on_stderr(terminal), logs, WallClock::of_system())
    }

    fn on(frame: Frame, logs: &LogWriter, wall: WallClock) -> Self {
        let frame = Arc::new(Mutex::new(frame));
        logs.stand_above(Some(Arc::clone(&frame)));
        Self {
            frame,
            logs: logs.clone(),
            wall,
            is_staging: false,
            look: None,
            links: None,
            stopping: None,
            pauses: Default::default(),
            settled: Default::default(),
        }
    }

    fn picture(&mut self, view: &View<'_>) -> Picture {
        let hosts = [(Service::Stara, &view.stara), (Service::Leaf, &view.leaf)];
        let hosts = hosts.into_iter().filter(|(service, host)| {
            let asks_stara = view.plan.is_none_or(|plan| plan.asks_stara);
            (*service == Service::Leaf || asks_stara) && (host.plan.is_some() || host.totals.requests > 0)
        });
        let hosts = hosts.map(|(service, host)| self.host(service, host)).collect();
        let (until, left) = view.settled;
        let settled = (!left.is_zero()).then(|| told_once(&mut self.settled, until, left, &self.wall));
        Picture {
            before: self.before(view),
            rows: view.plan.map(|plan| Rows {
                ended: view.totals.finished(),
                to_do: plan.to_do,
                per_second: Some(view.rows_per_second),
                left: view.left.clone().unwrap_or(super::picture::Left::Nothing),
            }),
            hosts,
            failures: view.totals.outcomes().filter(|(code, _)| fails(*code)).collect(),
            settling: (view.totals.parked, settled),
            aside: self.links.map(|users| ("links", wording::links(users))),
            stopping: self.stopping.clone(),
        }
    }

    /// What comes before the rows: the manifest is read, Leaf's list is.
    fn before(&self, view: &View<'_>) -> Option<Task> {
        let totals = &view.totals;
        let is_carrying = totals.finished() > 0 || totals.stara.requests > 0;
        match self.look {
            Some(_) if is_carrying => None,
            Some((true, pages, users)) => Some(Task {
                name: "looking",
                share: pages.map(|pages| (totals.list_pages, pages)),
                text: match pages {
                    Some(pages) => format!(
                        "{} of {} of Leaf's list, for {}",
                        wording::count(totals.list_pages),
                        wording::counted(pages, "page"),
                        wording::counted(users, "user"),
                    ),
                    None => format!("{} of Leaf's list", wording::counted(totals.list_pages, "page")),
                },
            }),
            // The rows themselves look.
            Some((false, ..)) if view.plan.is_some() => None,
            Some((false, _, users)) => Some(Task {
                name: "looking",
                share: Some((totals.users_seen, users)),
                text: format!(
                    "{} of {} at Leaf",
                    wording::count(totals.users_seen),
                    wording::counted(users, "user")
                ),
            }),
            None if self.is_staging => Some(Task {
                name: "manifest",
                share: view.manifest_bytes.map(|whole| (totals.staged_bytes, whole)),
                text: wording::counted(totals.staged_lines, "line"),
            }),
            None => None,
        }
    }

    fn host(&mut self, service: Service, view: &HostView<'_>) -> HostPicture {
        let quota = view.plan.filter(|plan| plan.per_second.is_some());
        let quota = quota.map(|plan| HostPlan { per_second: view.allowed, ..plan.clone() });
        HostPicture {
            service,
            per_second: view.per_second,
            allowed: view.allowed,
            quota: quota.as_ref().map(wording::allowed).unwrap_or_default(),
            throttled: view.totals.throttled,
            hold: view.hold.map(|hold| self.hold(service, hold)),
        }
    }

    fn hold(&mut self, service: Service, hold: Hold) -> HoldPicture {
        let shown = told_once(&mut self.pauses[service as usize], hold.until, hold.left, &self.wall);
        HoldPicture {
            status: match hold.reason {
                HoldReason::Throttled { status } => Some(status),
                HoldReason::Down { .. } => None,
            },
            why: match hold.reason {
                HoldReason::Down { why } => why,
                HoldReason::Throttled { .. } => None,
            },
            until: (!hold.left.is_zero()).then_some((shown, hold.left)),
        }
    }
}

/// What the clock on the wall will show at a time that is so far away. It is asked once for each time, or it would be one second
/// earlier now and then.
fn told_once(told: &mut (Duration, String), until: Duration, left: Duration, wall: &WallClock) -> String {
    if told.0 != until {
        *told = (until, wall.after(left));
    }
    told.1.clone()
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.logs.stand_above(None);
    }
}

impl Show for Bars {
    fn interval(&self) -> Duration {
        INTERVAL
    }

    fn tells_rows(&self) -> bool {
        false
    }

    fn tell(&mut self, note: &Note, view: &View<'_>) {
        match note {
            Note::StagingStarted(_) => self.is_staging = true,
            Note::Started(plan) => {
                self.is_staging = false;
                let mut frame = lock(&self.frame);
                let columns = frame.size().columns;
                for (place, part) in wording::opening_parts(plan, columns).iter().enumerate() {
                    let indent = if place == 0 { "" } else { "  " };
                    for line in wrapped(part, columns.saturating_sub(indent.len())) {
                        frame.print(&format!("{indent}{line}\n"));
                    }
                }
            }
            Note::Draining(reason) => self.stopping = Some(reason.clone()),
            &Note::LookChosen { list, pages, users } => self.look = Some((list, pages, users)),
            Note::LinksBegun(users) => self.links = Some(*users),
            // The lint's line stands above the bars already.
            Note::Linted(_) | Note::Held { .. } | Note::RowFailed { .. } => {}
        }
        self.tick(view);
    }

    fn tick(&mut self, view: &View<'_>) {
        let picture = self.picture(view);
        let mut frame = lock(&self.frame);
        let columns = frame.size().columns;
        frame.show(&picture.lines(columns));
    }

    fn end(&mut self, _: End, _: &View<'_>) {
        // What follows is the summary, which says it all again and better.
        lock(&self.frame).hide(true);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::model::OutcomeCode;
    use crate::pipeline::Event;
    use crate::ui::logs::LogLine;
    use crate::ui::rehearsal::{Rehearsal, finished, plan, script};
    use crate::ui::screen::Screen;

    fn rehearsal(screen: &Screen, logs: &LogWriter) -> Rehearsal<Bars> {
        Rehearsal::of(Bars::on(screen.frame(), logs, WallClock::standing()))
    }

    /// How many lines of the screen the opening takes.
    const OPENING: usize = 3;

    #[test]
    fn staging_has_a_bar_of_its_own() {
        let screen = Screen::default();
        let mut rehearsal = rehearsal(&screen, &LogWriter::default());
        rehearsal.play(&script()[..2]);
        rehearsal.play(&[(4_200, Event::Parked { wait: Duration::from_secs(120) })]);
        assert_eq!(screen.lines()[0], "manifest ██████░░░░  60 %  600 lines", "{:#?}", screen.lines());
    }

    #[test]
    fn a_manifest_of_unknown_size_is_counted_in_lines() {
        let screen = Screen::default();
        let mut rehearsal = rehearsal(&screen, &LogWriter::default());
        rehearsal.play(&[(0, Event::StagingStarted { total_bytes: None })]);
        rehearsal.play(&[(10, Event::StagingProgressed { lines: 7, bytes: 90 })]);
        rehearsal.play(&[(200, Event::LinksBegun { users: 2 })]);
        let lines = screen.lines();
        assert!(lines[0].starts_with("manifest ") && lines[0].ends_with(" 7 lines"), "{lines:#?}");
    }

    #[test]
    fn the_opening_stands_in_a_line_for_each_part_where_one_is_too_long() {
        let screen = Screen::default();
        let mut rehearsal = rehearsal(&screen, &LogWriter::default());
        rehearsal.play(&script()[..4]);
        assert_eq!(
            screen.lines()[..OPENING],
            [
                "1,000 to do of 1,015 lines, 12 done before, 2 invalid, 1 duplicate; about 3m 20s",
                "  Stara https://stara.example at 10/s",
                "  Leaf https://leaf.example at 5.0/s (auto) as ops@example.com",
            ]
        );
        let wide = wording::opening_parts(&plan(), 200);
        assert_eq!(wide, [wording::opening(&plan())]);
    }

    #[test]
    fn leaf_s_list_is_seen_to_be_read() {
        let screen = Screen::default();
        let mut rehearsal = rehearsal(&screen, &LogWriter::default());
        rehearsal.play(&script()[..5]);
        rehearsal.play(&[(12_200, Event::ListRead { pages: 4 }), (12_400, Event::UserSeen)]);
        let lines = screen.lines();
        assert_eq!(
            lines[OPENING],
            "looking  ███░░░░░░░  36 %  4 of 11 pages of Leaf's list, for 1,000 users"
        );
    }

    #[test]
    fn rows_hosts_failures_and_what_is_waited_for_have_a_line_each() {
        let screen = Screen::default();
        let mut rehearsal = rehearsal(&screen, &LogWriter::default());
        let script = script();
        rehearsal.play(&script[..script.len() - 4]);
        rehearsal.play(&[(17_000, Event::UserSeen)]);
        let lines = screen.lines();
        assert_eq!(
            lines[OPENING..],
            [
                "rows     ░░░░░░░░░░   0 %  2 of 1,000, 0.4/s, — left (Leaf asked for a pause)",
                "Stara    ░░░░░░░░░░   1 %  0.1/s of 10/s",
                "Leaf     ░░░░░░░░░░   4 %  429: waits until 14:03:40 (16s), 1 throttled, 0.2/s …",
                "settling 1 row until 14:05:20: an attach got no answer, and may yet take effect",
                "failed   1: stara-login-rejected ×1",
            ]
        );
    }

    #[test]
    fn a_run_that_is_being_stopped_says_why() {
        let screen = Screen::default();
        let mut rehearsal = rehearsal(&screen, &LogWriter::default());
        let script = script();
        rehearsal.play(&script[..script.len() - 1]);
        let lines = screen.lines();
        assert!(lines[OPENING].ends_with("— left (stopping)"), "{lines:#?}");
        assert_eq!(
            lines.last().map(String::as_str),
            Some("stopping Leaf asked for a pause of 20m; what is under way is being finished")
        );
    }

    #[test]
    fn nothing_of_the_bars_is_left_when_the_run_has_ended() {
        let screen = Screen::default();
        let mut rehearsal = rehearsal(&screen, &LogWriter::default());
        rehearsal.play(&script());
        drop(rehearsal);
        assert_eq!(screen.lines().len(), OPENING, "{:#?}", screen.lines());
    }

    #[test]
    fn a_log_line_stands_whole_above_the_bars() {
        let screen = Screen::default();
        let logs = LogWriter::default();
        let mut rehearsal = rehearsal(&screen, &logs);
        rehearsal.play(&script()[..5]);
        let bars = screen.lines();
        for number in 1..=3 {
            let mut line = LogLine::to(logs.clone(), screen.clone());
            write!(line, "WARN line {number} of the log").unwrap();
            line.write_all(b", written in pieces\n").unwrap();
        }
        let lines = screen.lines();
        let logged = |number| format!("WARN line {number} of the log, written in pieces");
        assert_eq!(lines[..OPENING], bars[..OPENING], "the opening stays: {lines:#?}");
        assert_eq!(lines[OPENING..OPENING + 3], [logged(1), logged(2), logged(3)], "{lines:#?}");
        assert_eq!(lines[OPENING + 3..], bars[OPENING..], "{lines:#?}");
    }

    #[test]
    fn bars_that_are_hidden_stay_hidden_until_they_are_wanted_again() {
        let screen = Screen::default();
        let logs = LogWriter::default();
        let mut rehearsal = rehearsal(&screen, &logs);
        rehearsal.play(&script()[..5]);
        assert!(logs.has_bars());
        logs.hide_bars(true);
        rehearsal.play(&[(13_000, finished(2, OutcomeCode::Attached)), (14_000, Event::UserSeen)]);
        assert_eq!(screen.lines().len(), OPENING, "{:#?}", screen.lines());
        logs.hide_bars(false);
        rehearsal.play(&[(15_000, Event::UserSeen)]);
        assert!(screen.lines()[OPENING].contains("1 of 1,000"), "{:#?}", screen.lines());
    }
}
