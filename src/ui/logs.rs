//! Where log lines go: to stderr, above the bars that may be drawn there.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

use super::frame::Frame;

/// Writes each log line to stderr in one piece. While bars are drawn there, it takes them away, writes, and draws them
/// again below, so that neither tears the other.
#[derive(Debug, Clone, Default)]
pub struct LogWriter {
    bars: Arc<Mutex<Option<Arc<Mutex<Frame>>>>>,
}

impl LogWriter {
    /// From now on lines stand above these bars, or there are none.
    pub(super) fn stand_above(&self, bars: Option<Arc<Mutex<Frame>>>) {
        *lock(&self.bars) = bars;
    }

    /// Whether bars are drawn.
    #[must_use]
    pub fn has_bars(&self) -> bool {
        lock(&self.bars).is_some()
    }

    /// Takes the bars from the terminal, or lets them be drawn there again.
    pub fn hide_bars(&self, are_hidden: bool) {
        let bars = lock(&self.bars).clone();
        if let Some(bars) = bars {
            lock(&bars).hide(are_hidden);
        }
    }

    /// Runs `write` while no bar is drawn.
    fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        let bars = lock(&self.bars).clone();
        match bars {
            Some(bars) => lock(&bars).above(write),
            None => write(),
        }
    }
}

/// What it guards stays usable whatever happened to whoever held it.
pub(super) fn lock<T>(guarded: &Mutex<T>) -> MutexGuard<'_, T> {
    guarded.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = LogLine;

    fn make_writer(&'a self) -> Self::Writer {
        LogLine::to(self.clone(), io::stderr())
    }
}

/// One log line in the making. It is written when it is flushed or dropped.
#[derive(Debug)]
pub struct LogLine<W: Write = io::Stderr> {
    logs: LogWriter,
    output: W,
    line: Vec<u8>,
}

impl<W: Write> LogLine<W> {
    pub(super) fn to(logs: LogWriter, output: W) -> Self {
        Self { logs, output, line: Vec::new() }
    }
}

impl<W: Write> Write for LogLine<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.line.is_empty() {
            return Ok(());
        }
        let line = std::mem::take(&mut self.line);
        self.logs.suspend(|| self.output.write_all(&line))
    }
}

impl<W: Write> Drop for LogLine<W> {
    fn drop(&mut self) {
        // Nobody is left who could be told that stderr is closed.
        _ = self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::screen::Screen;

    #[test]
    fn a_line_is_written_once_and_whole() {
        let screen = Screen::default();
        let mut line = LogLine::to(LogWriter::default(), screen.clone());
        line.write_all(b"one ").unwrap();
        assert!(screen.lines().is_empty());
        line.write_all(b"line\n").unwrap();
        line.flush().unwrap();
        drop(line);
        assert_eq!(screen.lines(), ["one line"]);
    }
}
