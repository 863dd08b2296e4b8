//! A passphrase: from a file, or from whoever sits at the terminal.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// The longest passphrase, in bytes.
const LONGEST: usize = 4 * 1024;

/// Reads a passphrase from a file; the line end behind it is none of it.
///
/// # Errors
///
/// When it can't be read, or holds none.
pub(super) fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
    File::open(path)?.take(LONGEST as u64 + 1).read_to_end(&mut bytes)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| io::Error::other("it isn't UTF-8"))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    match text.len() {
        0 => Err(io::Error::other("it is empty")),
        // Of an exact size, so that nothing is left behind where it grew.
        1..=LONGEST => Ok(Zeroizing::new(text.to_owned())),
        _ => Err(io::Error::other("it is longer than any passphrase")),
    }
}

/// What came of asking.
pub(super) enum Answer {
    /// This.
    Passphrase(Zeroizing<String>),
    /// They gave up.
    None,
    /// There is no terminal.
    NoTerminal,
}

/// Asks at the terminal, which shows nothing of the answer.
///
/// # Errors
///
/// When the terminal fails.
pub(super) fn ask(question: &str) -> io::Result<Answer> {
    let Ok(terminal) = OpenOptions::new().read(true).write(true).open("/dev/tty") else {
        return Ok(Answer::NoTerminal);
    };
    let Ok(before) = tcgetattr(&terminal) else { return Ok(Answer::NoTerminal) };
    let silenced = Silenced::new(&terminal, &before)?;
    (&terminal).write_all(question.as_bytes())?;
    let answer = type_in(&terminal);
    drop(silenced);
    answer
}

/// The terminal that echoes nothing, and how it was before.
static SILENT: Mutex<Option<(File, Termios)>> = Mutex::new(None);

/// Ends the line and lets the terminal show again what is typed, where a passphrase is being asked for.
pub(in crate::cli) fn put_terminal_right() {
    if let Some((terminal, before)) = SILENT.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // A terminal that has gone needs nothing.
        let _ = (&terminal).write_all(b"\n");
        let _ = tcsetattr(terminal, OptionalActions::Now, &before);
    }
}

/// A terminal that echoes nothing and leaves Ctrl-C to us, so that it is put right before we end.
struct Silenced;

impl Silenced {
    fn new(terminal: &File, before: &Termios) -> io::Result<Self> {
        let mut silent = before.clone();
        silent.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        *SILENT.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((terminal.try_clone()?, before.clone()));
        let silenced = Self;
        // What was typed before the question is no answer to it.
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(silenced)
    }
}

impl Drop for Silenced {
    fn drop(&mut self) {
        put_terminal_right();
    }
}

fn type_in(mut terminal: &File) -> io::Result<Answer> {
    let mut typed = Zeroizing::new(Vec::with_capacity(LONGEST));
    loop {
        let mut letter = [0];
        if terminal.read(&mut letter)? == 0 {
            return Ok(Answer::None);
        }
        match letter[0] {
            b'\r' | b'\n' => break,
            // Ctrl-C and Ctrl-D.
            3 | 4 => return Ok(Answer::None),
            // Backspace takes a letter back, of however many bytes.
            8 | 0x7f => while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            // Ctrl-U takes all back.
            21 => typed.clear(),
            byte if typed.len() < LONGEST => typed.push(byte),
            _ => {}
        }
    }
    if typed.is_empty() {
        return Ok(Answer::None);
    }
    let text = std::str::from_utf8(&typed).map_err(|_| io::Error::other("the passphrase isn't UTF-8"))?;
    Ok(Answer::Passphrase(Zeroizing::new(text.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_the_file_without_its_last_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        for (content, expected) in [
            ("two words\n", Some("two words")),
            ("x\r\n", Some("x")),
            (" x ", Some(" x ")),
            ("\n", None),
            ("", None),
        ] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(read(&path).ok().as_deref().map(String::as_str), expected, "{content:?}");
        }
        std::fs::write(&path, "x".repeat(LONGEST + 1)).unwrap();
        assert!(read(&path).is_err());
    }
}
