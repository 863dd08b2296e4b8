//! A terminal for tests: it knows where its cursor is, what stands on it, and the controls that a frame uses.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use super::canvas::{Canvas, Surroundings};
use super::frame::Frame;
use super::paint::Line;
use super::terminal::{Size, Terminal};

/// A screen that never scrolls. Its clones are the same screen.
#[derive(Debug, Clone, Default)]
pub(super) struct Screen(Arc<Mutex<Content>>);

#[derive(Debug)]
struct Content {
    /// A letter beyond it goes to the next line.
    size: Size,
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
    is_cutting: bool,
    written: String,
}

impl Screen {
    /// What stands there, without empty lines.
    pub(super) fn lines(&self) -> Vec<String> {
        let content = self.content();
        let lines = content.lines.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    }

    /// All that was written to it.
    pub(super) fn written(&self) -> String {
        self.content().written.clone()
    }

    /// Takes away what stands above the frame, as a terminal whose scrolled lines nobody looks at.
    pub(super) fn clear(&self) {
        self.content().lines.iter_mut().for_each(Vec::clear);
    }

    /// A frame on it, without colours.
    pub(super) fn frame(&self) -> Frame {
        self.frame_of(Terminal { is_drawable: true, has_colours: false, is_unicode: true })
    }

    /// A frame on it, as on such a terminal.
    pub(super) fn frame_of(&self, terminal: Terminal) -> Frame {
        let screen = self.clone();
        let size = Box::new(move || screen.content().size);
        Frame::on(Canvas::on(Box::new(self.clone()), Surroundings { size, is_ours: || true }), terminal)
    }

    /// How these lines look on a screen of so many columns.
    pub(super) fn drawn(lines: &[Line], columns: usize) -> Vec<String> {
        let screen = Self::default();
        screen.content().size.columns = columns;
        let mut frame = screen.frame();
        frame.show(lines);
        screen.lines()
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap()
    }
}

impl Default for Content {
    fn default() -> Self {
        let size = Size { columns: 80, lines: 60 };
        Self { size, lines: Vec::new(), row: 0, column: 0, is_cutting: false, written: String::new() }
    }
}

impl Content {
    fn put(&mut self, text: &str) {
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            rest = &rest[letter.len_utf8()..];
            match letter {
                '\u{1b}' => rest = self.obey(rest),
                '\n' => (self.row, self.column) = (self.row + 1, 0),
                '\r' => self.column = 0,
                letter => self.letter(letter),
            }
        }
    }

    fn letter(&mut self, letter: char) {
        if self.column == self.size.columns {
            assert!(!self.is_cutting, "a line is longer than the screen is wide");
            (self.row, self.column) = (self.row + 1, 0);
        }
        let line = self.line();
        line.push(letter);
        self.column += 1;
    }

    /// The line with the cursor, up to the cursor.
    fn line(&mut self) -> &mut Vec<char> {
        if self.lines.len() <= self.row {
            self.lines.resize(self.row + 1, Vec::new());
        }
        let line = &mut self.lines[self.row];
        // What is written over is cleared to the line's end in any case.
        line.resize(self.column, ' ');
        line
    }

    /// Carries out the control at the beginning of the text, and gives what follows.
    fn obey<'a>(&mut self, text: &'a str) -> &'a str {
        let end = text.find(|letter: char| letter.is_ascii_alphabetic()).unwrap();
        match (&text[..end], &text[end..=end]) {
            (up, "A") => self.row -= up.trim_start_matches('[').parse::<usize>().unwrap(),
            ("[", "K") => {
                // Behind a full line the cursor stands on its last letter.
                let column = self.column.min(self.size.columns - 1);
                self.line().truncate(column);
            }
            ("[", "J") => {
                self.line();
                self.lines.truncate(self.row + 1);
            }
            (colour, "m") => assert!(colour.starts_with('['), "{colour:?} is no colour"),
            ("[?7", "l") => self.is_cutting = true,
            ("[?7", "h") => self.is_cutting = false,
            other => panic!("the screen doesn't know {other:?}"),
        }
        &text[end + 1..]
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).unwrap();
        let mut content = self.content();
        content.written.push_str(text);
        content.put(text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
