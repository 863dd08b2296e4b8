//! What indicatif draws on: it says which lines are to stand at the bottom of a terminal, and they are drawn over again as
//! they change, and taken away, in a way that outlives what else happens to the terminal.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use indicatif::TermLike;

use super::logs::lock;
use super::terminal::{self, Size};

/// Lines are cut by the terminal itself, too, should a letter take more room than was thought: a line that wraps would
/// leave its end behind.
const DONT_WRAP: &str = "\u{1b}[?7l";
const WRAP: &str = "\u{1b}[?7h";
/// Clears from the cursor to the line's end; to the screen's end. A line is cleared before it is written: behind a full one the
/// cursor stands on its last letter.
const CLEAR_LINE: &str = "\u{1b}[K";
const CLEAR_BELOW: &str = "\u{1b}[J";

/// What is asked about the terminal before anything is drawn.
pub(super) struct Surroundings {
    /// How large it is now.
    pub(super) size: Box<dyn Fn() -> Size + Send>,
    /// Whether it is ours to draw on now.
    pub(super) is_ours: fn() -> bool,
}

/// A terminal for indicatif. Its own way of drawing over its lines counts on a terminal that nobody resizes, that echoes no
/// `^C`, and that the shell takes at no Ctrl-Z; so only its lines are taken, and where its cursor goes is left out. Its
/// clones are the same terminal.
#[derive(Clone)]
pub(super) struct Canvas(Arc<Mutex<Surface>>);

/// The lines, and what of them stands on the terminal. The cursor waits on the empty line below, so that what the terminal
/// echoes (`^C`) falls on no line of ours.
struct Surface {
    output: Box<dyn Write + Send>,
    around: Surroundings,
    is_hidden: bool,
    /// Whether a picture is being changed line by line, and isn't to be seen before it is whole.
    is_held: bool,
    /// The size that indicatif lays lines out for.
    size: Size,
    /// The lines that indicatif is writing.
    writing: Vec<Written>,
    /// Those that it wrote last.
    lines: Vec<Written>,
    /// The widths of the lines that stand there; none where nothing is drawn.
    drawn: Vec<usize>,
    /// What was written last, so that what didn't change isn't written again.
    last: Option<(Size, String)>,
}

/// A line as indicatif writes it: with colours, and filled with blanks up to the terminal's width.
#[derive(Debug, Default)]
struct Written {
    text: String,
    columns: usize,
    /// The columns without the blanks at its end.
    width: usize,
}

impl Canvas {
    /// Stderr, with nothing drawn yet.
    pub(super) fn on_stderr() -> Self {
        let size = Box::new(terminal::size_of_stderr);
        let around = Surroundings { size, is_ours: terminal::is_in_foreground };
        Self::on(Box::new(io::stderr()), around)
    }

    /// Another terminal.
    pub(super) fn on(output: Box<dyn Write + Send>, around: Surroundings) -> Self {
        let size = (around.size)();
        Self(Arc::new(Mutex::new(Surface {
            output,
            around,
            is_hidden: false,
            is_held: false,
            size,
            writing: Vec::new(),
            lines: Vec::new(),
            drawn: Vec::new(),
            last: None,
        })))
    }

    /// The terminal's size now.
    pub(super) fn size(&self) -> Size {
        (self.surface().around.size)()
    }

    /// Lets `change` change the lines, which are laid out for the terminal's size now, and draws them once.
    pub(super) fn draw_after(&self, change: impl FnOnce(Size)) {
        let size = {
            let mut surface = self.surface();
            surface.is_held = true;
            surface.size = (surface.around.size)();
            surface.size
        };
        change(size);
        let mut surface = self.surface();
        surface.is_held = false;
        surface.draw();
    }

    /// Writes a text of whole lines while nothing is drawn.
    pub(super) fn write(&self, text: &str) {
        self.surface().write(text);
    }

    /// Takes the lines from the terminal and draws none, or lets them be drawn again.
    pub(super) fn hide(&self, is_hidden: bool) {
        let mut surface = self.surface();
        if is_hidden {
            surface.erase();
        }
        surface.is_hidden = is_hidden;
    }

    fn surface(&self) -> MutexGuard<'_, Surface> {
        lock(&self.0)
    }
}

impl Surface {
    /// Takes down what indicatif writes. It never ends a line: it fills it, and what comes next stands on the next one.
    fn take_down(&mut self, text: &str) {
        let columns = self.size.columns;
        let is_full = self.writing.last().is_none_or(|line| line.columns >= columns);
        if is_full && !text.is_empty() {
            self.writing.push(Written::default());
        }
        let mut is_control = false;
        for letter in text.chars() {
            let is_seen = !is_control && letter != '\u{1b}';
            if is_seen && self.writing.last().is_some_and(|line| line.columns >= columns) {
                self.writing.push(Written::default());
            }
            let Some(line) = self.writing.last_mut() else { return };
            line.text.push(letter);
            if is_seen {
                line.columns += 1;
                line.width = if letter == ' ' { line.width } else { line.columns };
            }
            // The only controls are our own colours.
            is_control = !is_seen && letter != 'm';
        }
    }

    fn erase(&mut self) {
        if !self.drawn.is_empty() {
            let text = format!("{}{CLEAR_BELOW}", self.to_first_line((self.around.size)()));
            self.write(&text);
        }
        self.drawn.clear();
        self.last = None;
    }

    fn draw(&mut self) {
        if self.is_hidden || self.is_held {
            return;
        }
        if self.lines.is_empty() {
            return self.erase();
        }
        if !(self.around.is_ours)() {
            // Whoever has the terminal now has written over it; nothing can be taken back.
            self.drawn.clear();
            self.last = None;
            return;
        }
        let size = (self.around.size)();
        // The line with the cursor needs one, too.
        let most = size.lines.saturating_sub(1);
        let lines = || self.lines.iter().take(most);
        let mut body = String::new();
        for line in lines() {
            // Writing into a string can't fail.
            let _ = write!(body, "{CLEAR_LINE}{}\r\n", line.text.trim_end_matches(' '));
        }
        if self.last.as_ref().is_some_and(|(before, last)| *before == size && *last == body) {
            return;
        }
        let drawn = lines().map(|line| line.width.min(size.columns)).collect();
        let text = format!("{}{DONT_WRAP}{body}{WRAP}{CLEAR_BELOW}", self.to_first_line(size));
        self.write(&text);
        self.drawn = drawn;
        self.last = Some((size, body));
    }

    /// Moves the cursor to the beginning of the first line that stands there. A line that was drawn when the terminal was
    /// wider takes several by now.
    fn to_first_line(&self, size: Size) -> String {
        let height: usize = self.drawn.iter().map(|width| width.div_ceil(size.columns.max(1)).max(1)).sum();
        match height.min(size.lines.saturating_sub(1)) {
            0 => "\r".to_owned(),
            height => format!("\r\u{1b}[{height}A"),
        }
    }

    fn write(&mut self, text: &str) {
        // A terminal that went away has nobody to read this.
        let _ = self.output.write_all(text.as_bytes()).and_then(|()| self.output.flush());
    }
}

impl Drop for Surface {
    fn drop(&mut self) {
        self.erase();
    }
}

/// Nothing here fails: indicatif panics where its terminal does.
impl TermLike for Canvas {
    fn width(&self) -> u16 {
        u16::try_from(self.surface().size.columns).unwrap_or(u16::MAX).max(1)
    }

    fn height(&self) -> u16 {
        // Those that are too many are left out when they are drawn.
        u16::MAX
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        let mut surface = self.surface();
        surface.take_down(text);
        let columns = surface.size.columns;
        if let Some(line) = surface.writing.last_mut() {
            line.columns = columns;
        }
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.surface().take_down(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let mut surface = self.surface();
        surface.lines = std::mem::take(&mut surface.writing);
        surface.draw();
        Ok(())
    }
}

impl std::fmt::Debug for Canvas {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Canvas").field("lines", &self.surface().lines).finish_non_exhaustive()
    }
}
