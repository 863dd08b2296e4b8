//! A few lines at the bottom of a terminal: each is a bar of indicatif's, which lays it out and keeps what it shows.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::canvas::Canvas;
use super::paint::{Gauge, Ink, Line, NAME};
use super::terminal::{Size, Terminal};
use super::wording::percent;

/// How many letters a bar has.
const BAR: usize = 10;

/// What a bar takes with its per cent.
const GAUGE: usize = BAR + " 100 %  ".len();

/// On fewer columns bars are left out, for there is hardly room for words.
const ROOMY: usize = 40;

/// The lines, on their terminal. They change and are drawn when they are told to, and never by themselves.
#[derive(Debug)]
pub(super) struct Frame {
    canvas: Canvas,
    all: MultiProgress,
    shown: Vec<Shown>,
    terminal: Terminal,
}

/// A line that is shown.
#[derive(Debug)]
struct Shown {
    name: &'static str,
    look: Look,
    bar: ProgressBar,
}

/// What a bar's style follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    layout: Layout,
    ink: Ink,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Only a text.
    Text,
    /// A name before it.
    Named,
    /// And room for a bar.
    Indented,
    /// And a bar.
    Bar,
}

impl Frame {
    /// On stderr, nothing drawn yet.
    pub(super) fn on_stderr(terminal: Terminal) -> Self {
        Self::on(Canvas::on_stderr(), terminal)
    }

    /// On another terminal.
    pub(super) fn on(canvas: Canvas, terminal: Terminal) -> Self {
        // Without a rate of its own: a picture is drawn when it is whole, as often as the show wants.
        let target = ProgressDrawTarget::term_like(Box::new(canvas.clone()));
        Self { canvas, all: MultiProgress::with_draw_target(target), shown: Vec::new(), terminal }
    }

    /// The terminal's size now.
    pub(super) fn size(&self) -> Size {
        self.canvas.size()
    }

    /// Shows these lines instead of those before.
    pub(super) fn show(&mut self, lines: &[Line]) {
        self.canvas.clone().draw_after(|size| {
            self.take_out(|shown| lines.iter().any(|line| line.name == shown.name));
            for (place, line) in lines.iter().enumerate() {
                if self.shown.get(place).is_none_or(|shown| shown.name != line.name) {
                    self.put_in(place, line, size.columns);
                }
                self.shown[place].show(line, size.columns, self.terminal);
            }
            let mut place = 0..;
            self.take_out(|_| place.next().is_some_and(|place| place < lines.len()));
            // Whatever came and went: all lines once more, as they are now.
            self.all.suspend(|| ());
        });
    }

    /// Lets `write` write whole lines above the frame.
    pub(super) fn above<T>(&mut self, write: impl FnOnce() -> T) -> T {
        self.all.suspend(write)
    }

    /// Writes a text of whole lines above the frame.
    pub(super) fn print(&mut self, text: &str) {
        self.all.suspend(|| self.canvas.write(text));
    }

    /// Takes the lines from the terminal and draws none, or lets them be drawn again.
    pub(super) fn hide(&mut self, is_hidden: bool) {
        self.canvas.hide(is_hidden);
    }

    fn put_in(&mut self, place: usize, line: &Line, columns: usize) {
        let look = Look::of(line, columns);
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        bar.set_style(look.style(self.terminal));
        bar.set_prefix(line.name);
        let bar = self.all.insert(place, bar);
        self.shown.insert(place, Shown { name: line.name, look, bar });
    }

    fn take_out(&mut self, mut stays: impl FnMut(&Shown) -> bool) {
        let all = &self.all;
        self.shown.retain(|shown| {
            let stays = stays(shown);
            if !stays {
                all.remove(&shown.bar);
            }
            stays
        });
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        // Or each bar would draw itself once more as it goes.
        self.canvas.hide(true);
    }
}

impl Shown {
    fn show(&mut self, line: &Line, columns: usize, terminal: Terminal) {
        let look = Look::of(line, columns);
        if self.look != look {
            self.bar.set_style(look.style(terminal));
            self.look = look;
        }
        if let Gauge::Share(part, whole) = line.gauge {
            self.bar.update(|state| {
                state.set_pos(part);
                state.set_len(whole);
            });
        }
        let before = look.layout.columns();
        let text: Vec<String> =
            line.text.iter().map(|line| line.render(columns.saturating_sub(before), terminal)).collect();
        self.bar.set_message(text.join(&format!("\n{}", " ".repeat(before))));
    }
}

impl Look {
    fn of(line: &Line, columns: usize) -> Self {
        let layout = match line.gauge {
            _ if line.name.is_empty() => Layout::Text,
            Gauge::None => Layout::Named,
            _ if columns < ROOMY => Layout::Named,
            Gauge::Empty => Layout::Indented,
            Gauge::Share(..) => Layout::Bar,
        };
        Self { layout, ink: line.ink }
    }

    fn style(self, terminal: Terminal) -> ProgressStyle {
        let paint = |text: &str| self.ink.paint(text, terminal);
        let template = match self.layout {
            Layout::Text => "{msg}".to_owned(),
            Layout::Named => format!("{}{{msg}}", paint(&format!("{{prefix:{NAME}}}"))),
            Layout::Indented => format!("{{prefix:{NAME}}}{}{{msg}}", " ".repeat(GAUGE)),
            Layout::Bar => {
                format!("{{prefix:{NAME}}}{} {{percent:>3}} %  {{msg}}", paint(&format!("{{bar:{BAR}}}")))
            }
        };
        // The templates above are all that there are.
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        style.progress_chars(if terminal.is_unicode { "█░" } else { "#." }).with_key(
            "percent",
            |state: &ProgressState, text: &mut dyn std::fmt::Write| {
                // indicatif would say 100 % before all is done. What can't be written there can't be shown.
                let _ = match state.len() {
                    Some(0) | None => text.write_str("100"),
                    Some(whole) => write!(text, "{}", percent(state.pos(), whole)),
                };
            },
        )
    }
}

impl Layout {
    /// The columns before the text.
    fn columns(self) -> usize {
        match self {
            Self::Text => 0,
            Self::Named => NAME,
            Self::Indented | Self::Bar => NAME + GAUGE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::paint::Painted;
    use crate::ui::screen::Screen;

    fn bar(name: &'static str, part: u64, whole: u64) -> Line {
        Line::with_bar(name, Some((part, whole)), Ink::Good, format!("{part} of {whole}"))
    }

    #[test]
    fn a_bar_is_full_when_all_is_done_and_not_before() {
        let drawn = |part, whole| Screen::drawn(&[bar("rows", part, whole)], 80).remove(0);
        assert_eq!(drawn(0, 3), "rows     ░░░░░░░░░░   0 %  0 of 3");
        assert_eq!(drawn(1_999, 2_000), "rows     █████████░  99 %  1999 of 2000");
        assert_eq!(drawn(3, 3), "rows     ██████████ 100 %  3 of 3");
        assert_eq!(drawn(0, 0), "rows     ██████████ 100 %  0 of 0");
    }

    #[test]
    fn lines_come_and_go_in_their_order() {
        let screen = Screen::default();
        let mut frame = screen.frame();
        let said = |name| Line::named(name, Ink::Plain, "said");
        for (lines, shown) in [
            (
                vec![bar("rows", 1, 2), said("links")],
                vec!["rows     █████░░░░░  50 %  1 of 2", "links    said"],
            ),
            (
                vec![bar("rows", 2, 2), said("failed"), said("links")],
                vec!["rows     ██████████ 100 %  2 of 2", "failed   said", "links    said"],
            ),
            (vec![said("links"), said("failed")], vec!["links    said", "failed   said"]),
            (vec![said("failed")], vec!["failed   said"]),
            (vec![], vec![]),
            (vec![Line::named("", Ink::Plain, "alone")], vec!["alone"]),
        ] {
            frame.show(&lines);
            assert_eq!(screen.lines(), shown);
            frame.print("above\n");
            assert_eq!(screen.lines()[1..], shown, "they stand below what was printed");
            screen.clear();
        }
    }

    #[test]
    fn a_terminal_without_these_letters_or_without_room_gets_what_it_can_show() {
        let ascii = Terminal { is_drawable: true, has_colours: false, is_unicode: false };
        let screen = Screen::default();
        let mut frame = screen.frame_of(ascii);
        frame.show(&[bar("rows", 1, 2)]);
        assert_eq!(screen.lines(), ["rows     #####.....  50 %  1 of 2"]);
        let long = [Line::with_bar("rows", Some((1, 2)), Ink::Good, "more than there is room for")];
        assert_eq!(Screen::drawn(&long, 30), ["rows     more than there is r…"]);
        assert_eq!(Screen::drawn(&long, 40), ["rows     █████░░░░░  50 %  more than th…"]);
        for columns in 1..30 {
            Screen::drawn(&long, columns);
        }
    }

    #[test]
    fn colours_end_with_what_they_are_for() {
        let coloured = Terminal { is_drawable: true, has_colours: true, is_unicode: true };
        let screen = Screen::default();
        let mut frame = screen.frame_of(coloured);
        let text = Painted::default().and(Ink::Bad, "13").and(Ink::Plain, ": some");
        let failed = Line { name: "failed", gauge: Gauge::None, ink: Ink::Bad, text: vec![text] };
        frame.show(&[bar("rows", 1, 2), failed]);
        let written = screen.written();
        assert!(written.contains("rows     \u{1b}[32m█████░░░░░\u{1b}[0m  50 %  1 of 2\r\n"), "{written:?}");
        assert!(
            written.contains("\u{1b}[31mfailed   \u{1b}[0m\u{1b}[31m13\u{1b}[0m: some\r\n"),
            "{written:?}"
        );
    }
}
