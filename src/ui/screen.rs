//! A terminal for tests: it knows where its cursor is and what stands on it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use indicatif::TermLike;

/// The screen's width. A letter beyond it goes to the next line.
const COLUMNS: u16 = 80;

/// A screen that never scrolls. Its clones are the same screen.
#[derive(Debug, Clone, Default)]
pub(super) struct Screen(Arc<Mutex<Content>>);

#[derive(Debug, Default)]
struct Content {
    lines: Vec<String>,
    row: usize,
    column: usize,
}

impl Screen {
    /// What stands there, without empty lines.
    pub(super) fn lines(&self) -> Vec<String> {
        let content = self.content();
        let lines = content.lines.iter().map(|line| line.trim_end().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap()
    }
}

impl Content {
    fn put(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                '\n' => (self.row, self.column) = (self.row + 1, 0),
                '\r' => self.column = 0,
                letter => {
                    if self.column == usize::from(COLUMNS) {
                        (self.row, self.column) = (self.row + 1, 0);
                    }
                    if self.lines.len() <= self.row {
                        self.lines.resize(self.row + 1, String::new());
                    }
                    let line = &mut self.lines[self.row];
                    let mut letters: Vec<char> = line.chars().collect();
                    letters.resize(letters.len().max(self.column + 1), ' ');
                    letters[self.column] = letter;
                    *line = letters.into_iter().collect();
                    self.column += 1;
                }
            }
        }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        COLUMNS
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        let mut content = self.content();
        content.row = content.row.saturating_sub(lines);
        Ok(())
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.content().row += lines;
        Ok(())
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.content().column += columns;
        Ok(())
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        let mut content = self.content();
        content.column = content.column.saturating_sub(columns);
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.content().put(&format!("{text}\n"));
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.content().put(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        let mut content = self.content();
        content.column = 0;
        let row = content.row;
        if let Some(line) = content.lines.get_mut(row) {
            line.clear();
        }
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.content().put(std::str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
