//! Where lines go: a handle that may be closed at any time.

use std::io::Write;

/// Writes whole lines until the reader goes away; a run outlives whoever watches it.
pub(super) struct Output<W> {
    writer: Option<W>,
}

impl<W: Write> Output<W> {
    /// Writes to `writer`.
    pub(super) fn new(writer: W) -> Self {
        Self { writer: Some(writer) }
    }

    /// Writes a line, and its end, in one piece, so that another thread's line can't stand in its middle.
    pub(super) fn line(&mut self, line: &str) {
        if let Some(writer) = &mut self.writer {
            let whole = format!("{line}\n");
            if writer.write_all(whole.as_bytes()).and_then(|()| writer.flush()).is_err() {
                self.writer = None;
            }
        }
    }

    /// What was written to.
    #[cfg(test)]
    pub(super) fn into_inner(self) -> W
    where
        W: Default,
    {
        self.writer.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// Takes one line and is closed then, like `head -n 1`.
    #[derive(Default)]
    struct ClosedPipe {
        taken: Vec<u8>,
        tried: usize,
    }

    impl Write for &mut ClosedPipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.tried += 1;
            if self.taken.is_empty() {
                self.taken.extend_from_slice(bytes);
                return Ok(bytes.len());
            }
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_left_alone_after_its_first_error() {
        let mut pipe = ClosedPipe::default();
        let mut output = Output::new(&mut pipe);
        for line in ["one", "two", "three"] {
            output.line(line);
        }
        assert_eq!(pipe.taken, b"one\n");
        assert_eq!(pipe.tried, 2);
    }
}
