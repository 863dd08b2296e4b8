//! A line in colours: what it says, and how much of it a terminal's width holds.

use super::terminal::Terminal;

/// One of the named colours, which every terminal fits to its own background; those that are hard to read on white or on
/// black are left out. A colour never says what the words don't.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// The terminal's own.
    Plain,
    /// What goes well.
    Good,
    /// What is waited for.
    Waiting,
    /// What went wrong.
    Bad,
}

impl Ink {
    const fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Good => Some("\u{1b}[32m"),
            Self::Waiting => Some("\u{1b}[35m"),
            Self::Bad => Some("\u{1b}[31m"),
        }
    }

    /// The text in this ink, where the terminal has colours.
    pub(super) fn paint(self, text: &str, terminal: Terminal) -> String {
        match self.code().filter(|_| terminal.has_colours && !text.is_empty()) {
            Some(code) => format!("{code}{text}\u{1b}[0m"),
            None => text.to_owned(),
        }
    }
}

/// The column at which each line's text begins, behind its name.
pub(super) const NAME: usize = 9;

/// A line of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// What it is called, as no other line of its frame; nothing where it is only a text.
    pub(super) name: &'static str,
    /// What stands between its name and its text.
    pub(super) gauge: Gauge,
    /// The ink of its bar, or of its name where it has none.
    pub(super) ink: Ink,
    /// What it says. Further lines stand below the first.
    pub(super) text: Vec<Painted>,
}

/// What stands between a line's name and its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gauge {
    /// Nothing.
    None,
    /// As much room as a bar takes.
    Empty,
    /// A bar: how much is done, of how much.
    Share(u64, u64),
}

impl Line {
    /// A line without a bar.
    pub(super) fn named(name: &'static str, ink: Ink, text: impl Into<Painted>) -> Self {
        Self { name, gauge: Gauge::None, ink, text: vec![text.into()] }
    }

    /// A line with a bar for this share, or room for one.
    pub(super) fn with_bar(
        name: &'static str,
        share: Option<(u64, u64)>,
        ink: Ink,
        text: impl Into<Painted>,
    ) -> Self {
        let gauge = share.map_or(Gauge::Empty, |(part, whole)| Gauge::Share(part, whole));
        Self { name, gauge, ink, text: vec![text.into()] }
    }
}

/// A line in pieces, each with its ink. A letter of it takes one column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Painted(Vec<(Ink, String)>);

impl Painted {
    /// A line in the terminal's own colour.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::default().and(Ink::Plain, text)
    }

    /// And a further piece.
    pub(super) fn and(mut self, ink: Ink, text: impl Into<String>) -> Self {
        self.0.push((ink, text.into()));
        self
    }

    /// How many columns it takes.
    pub(super) fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.chars().count()).sum()
    }

    /// The line as it is written to a terminal of so many columns: cut where it is longer, with a sign that it was, and
    /// without any letter that a terminal carries out.
    pub(super) fn render(&self, columns: usize, terminal: Terminal) -> String {
        let is_cut = self.width() > columns;
        let mut room = if is_cut { columns.saturating_sub(1) } else { columns };
        let mut line = String::new();
        for (ink, text) in &self.0 {
            let shown: String =
                text.chars().take(room).map(|letter| shown(letter, terminal.is_unicode)).collect();
            room -= shown.chars().count().min(room);
            line.push_str(&ink.paint(&shown, terminal));
        }
        if is_cut && columns > 0 {
            line.push(shown('…', terminal.is_unicode));
        }
        line
    }

    /// What it says.
    pub(super) fn text(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }
}

impl<T: Into<String>> From<T> for Painted {
    fn from(text: T) -> Self {
        Self::plain(text)
    }
}

/// A path or a host's words are somebody's choice, and a terminal carries out what it is told.
fn shown(letter: char, is_unicode: bool) -> char {
    match letter {
        letter if letter.is_control() && is_unicode => '\u{fffd}',
        letter if letter.is_control() => '?',
        letter if is_unicode || letter.is_ascii() => letter,
        '×' => 'x',
        '—' => '-',
        '…' => '>',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Terminal = Terminal { is_drawable: true, has_colours: false, is_unicode: true };
    const COLOURED: Terminal = Terminal { has_colours: true, ..PLAIN };
    const ASCII: Terminal = Terminal { is_unicode: false, ..PLAIN };

    fn line() -> Painted {
        Painted::plain("Stara    ").and(Ink::Bad, "down")
    }

    #[test]
    fn a_line_is_cut_to_the_width_and_says_so() {
        assert_eq!(line().render(13, PLAIN), "Stara    down");
        assert_eq!(line().render(12, PLAIN), "Stara    do…");
        assert_eq!(line().render(6, PLAIN), "Stara…");
        assert_eq!(line().render(1, PLAIN), "…");
        assert_eq!(line().render(0, PLAIN), "");
    }

    #[test]
    fn colours_end_with_their_piece_and_take_no_room() {
        assert_eq!(line().render(12, COLOURED), "Stara    \u{1b}[31mdo\u{1b}[0m…");
        assert_eq!(line().width(), 13);
        assert!(!line().render(80, PLAIN).contains('\u{1b}'));
    }

    #[test]
    fn nothing_that_a_terminal_carries_out_is_passed_on() {
        let line = Painted::plain("a\u{1b}[2J\nb\u{9b}");
        assert_eq!(line.render(80, COLOURED), "a\u{fffd}[2J\u{fffd}b\u{fffd}");
    }

    #[test]
    fn what_a_terminal_has_no_letters_for_is_written_in_ascii() {
        let line = Painted::plain("3 ×2 — ação");
        assert_eq!(line.render(80, ASCII), "3 x2 - a??o");
        assert_eq!(line.render(4, ASCII), "3 x>");
    }
}
