//! Bars on a terminal: the rows, and a line for each host.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::logs::LogWriter;
use super::notes::{End, Note};
use super::show::{Show, View};
use super::wording;

/// The time from one look at the tally to the next.
const INTERVAL: Duration = Duration::from_millis(125);

/// How often a second indicatif redraws at most.
const REDRAWS: u8 = 10;

/// `wide_msg` is cut to the terminal's width, so that no line wraps and leaves its end behind; the bar is short,
/// so that eighty columns hold the whole message.
const BAR: &str = "{prefix:8} {bar:10} {percent:>3} % {wide_msg}";
const SPINNER: &str = "{prefix:8} {spinner} {wide_msg}";
const LINE: &str = "{prefix:8} {wide_msg}";

/// Draws bars, and takes them away at the end.
pub(super) struct Bars {
    all: MultiProgress,
    logs: LogWriter,
    staging: Option<ProgressBar>,
    rows: Option<RowBars>,
    looking: Option<ProgressBar>,
    /// Kept, as the next one is.
    links: Option<ProgressBar>,
    /// Kept, because a bar that is dropped is taken away.
    stopping: Option<ProgressBar>,
}

struct RowBars {
    rows: ProgressBar,
    stara: ProgressBar,
    leaf: ProgressBar,
}

impl Bars {
    /// Draws on stderr, and tells `logs` so.
    pub(super) fn on_stderr(logs: &LogWriter) -> Self {
        Self::on(ProgressDrawTarget::stderr_with_hz(REDRAWS), logs)
    }

    fn on(target: ProgressDrawTarget, logs: &LogWriter) -> Self {
        let all = MultiProgress::with_draw_target(target);
        logs.stand_above(Some(all.clone()));
        Self {
            all,
            logs: logs.clone(),
            staging: None,
            rows: None,
            looking: None,
            links: None,
            stopping: None,
        }
    }

    fn add(&self, prefix: &'static str, template: &str, length: u64) -> ProgressBar {
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(length).with_style(style).with_prefix(prefix);
        self.all.add(bar)
    }

    fn remove(&self, bar: &ProgressBar) {
        bar.finish_and_clear();
        self.all.remove(bar);
    }
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
            Note::StagingStarted(bytes) => {
                self.staging = Some(match bytes {
                    Some(bytes) => self.add("manifest", BAR, *bytes),
                    None => self.add("manifest", SPINNER, 0),
                });
            }
            Note::Started(plan) => {
                if let Some(staging) = self.staging.take() {
                    self.remove(&staging);
                }
                // A terminal that went away has nobody to read this.
                _ = self.all.println(wording::opening(plan));
                self.rows = Some(RowBars {
                    rows: self.add("rows", BAR, plan.to_do),
                    stara: self.add("Stara", LINE, 0),
                    leaf: self.add("Leaf", LINE, 0),
                });
            }
            Note::Draining(reason) => {
                let line = self.add("stopping", LINE, 0);
                line.set_message(format!("finishing what is under way: {reason}"));
                self.stopping = Some(line);
            }
            Note::LookChosen { list, pages, users } => {
                let line = self.add("looking", LINE, 0);
                line.set_message(wording::look(*list, *pages, *users));
                self.looking = Some(line);
            }
            Note::LinksBegun(users) => {
                let line = self.add("links", LINE, 0);
                line.set_message(wording::links(*users));
                self.links = Some(line);
            }
            // The lint's line stands above the bars already.
            Note::Linted(_) | Note::Held { .. } | Note::RowFailed { .. } => {}
        }
        self.tick(view);
    }

    fn tick(&mut self, view: &View<'_>) {
        let is_seen = view.totals.finished() > 0 || view.totals.stara.requests > 0;
        if let Some(line) = self.looking.take_if(|_| is_seen) {
            self.remove(&line);
        }
        if let Some(bars) = &self.rows {
            bars.rows.set_position(view.totals.finished());
            bars.rows.set_message(wording::rows(view));
            bars.stara.set_message(wording::host(&view.stara));
            bars.leaf.set_message(wording::host(&view.leaf));
        } else if let Some(staging) = &self.staging {
            staging.set_position(view.totals.staged_bytes);
            staging.set_message(wording::counted(view.totals.staged_lines, "line"));
            staging.tick();
        }
    }

    fn end(&mut self, _: End, _: &View<'_>) {
        // What follows is the summary, which says it all again and better.
        _ = self.all.clear();
        self.all.set_draw_target(ProgressDrawTarget::hidden());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::pipeline::Event;
    use crate::ui::logs::LogLine;
    use crate::ui::rehearsal::{Rehearsal, plan, script};
    use crate::ui::screen::Screen;

    fn rehearsal(screen: &Screen, logs: &LogWriter) -> Rehearsal<Bars> {
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        Rehearsal::of(Bars::on(target, logs))
    }

    /// How many lines of the screen the opening line takes.
    const OPENING: usize = 3;

    #[test]
    fn staging_has_a_bar_of_its_own() {
        let screen = Screen::default();
        let mut rehearsal = rehearsal(&screen, &LogWriter::default());
        rehearsal.play(&script()[..2]);
        rehearsal.play(&[(4_200, Event::Parked)]);
        let lines = screen.lines();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert!(lines[0].starts_with("manifest █"), "{lines:#?}");
        assert!(lines[0].ends_with("60 % 600 lines"), "{lines:#?}");
    }

    #[test]
    fn a_manifest_of_unknown_size_is_counted_in_lines() {
        let screen = Screen::default();
        let mut rehearsal = rehearsal(&screen, &LogWriter::default());
        rehearsal.play(&[(0, Event::StagingStarted { total_bytes: None })]);
        rehearsal.play(&[(10, Event::StagingProgressed { lines: 7, bytes: 90 })]);
        rehearsal.play(&[(200, Event::Parked)]);
        let lines = screen.lines();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert!(lines[0].ends_with(" 7 lines"), "{lines:#?}");
    }

    #[test]
    fn rows_and_both_hosts_have_a_line_below_what_the_run_will_do() {
        let screen = Screen::default();
        let mut rehearsal = rehearsal(&screen, &LogWriter::default());
        let script = script();
        rehearsal.play(&script[..script.len() - 1]);
        let lines = screen.lines();
        let (opening, lines) = lines.split_at(OPENING);
        assert_eq!(opening.concat(), wording::opening(&plan()));
        assert!(lines[0].starts_with("rows "), "{lines:#?}");
        assert!(lines[0].ends_with("0 % 2 of 1,000 rows, 0.1/s, 1 failed, ~1h 56m left"), "{lines:#?}");
        assert!(lines[1].starts_with("Stara    0.0/s of 10/s"), "{lines:#?}");
        assert_eq!(lines[2], "Leaf     0.0/s of 5.0/s (auto), 1 throttled, waiting 7s");
        assert_eq!(lines[3], "stopping finishing what is under way: Leaf asked for a pause of 20m");
        assert_eq!(lines.len(), 4, "{lines:#?}");
    }

    #[test]
    fn nothing_of_the_bars_is_left_when_the_run_has_ended() {
        let screen = Screen::default();
        let mut rehearsal = rehearsal(&screen, &LogWriter::default());
        rehearsal.play(&script());
        drop(rehearsal);
        assert_eq!(screen.lines().concat(), wording::opening(&plan()));
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
        assert_eq!(lines[..OPENING], bars[..OPENING], "the opening line stays: {lines:#?}");
        assert_eq!(lines[OPENING..OPENING + 3], [logged(1), logged(2), logged(3)], "{lines:#?}");
        assert_eq!(lines[OPENING + 3..], bars[OPENING..], "{lines:#?}");
    }
}
