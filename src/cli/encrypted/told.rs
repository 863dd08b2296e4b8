//! What a command said on its stderr, without what may be a secret.

use std::io::Read;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::model::LeafUserId;

/// How much of the end is kept, in bytes.
const KEPT_BYTES: usize = 4 * 1024;

/// How many lines of it are shown.
const LINES_SHOWN: usize = 8;

/// How many letters of a line are shown.
const LETTERS_SHOWN: usize = 240;

/// How long the end of stderr is waited for behind the command's own end: what it started may hold it open.
const PATIENCE: Duration = Duration::from_millis(500);

/// Listens to a command, so that it never waits for a reader.
pub(super) struct Listener {
    kept: Arc<Mutex<Zeroizing<Vec<u8>>>>,
    ended: Receiver<()>,
}

impl Listener {
    /// Begins to listen on a thread of its own.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(super) fn start(mut stderr: impl Read + Send + 'static) -> std::io::Result<Self> {
        let kept = Arc::new(Mutex::new(Zeroizing::new(Vec::with_capacity(2 * KEPT_BYTES))));
        let (ends, ended) = channel();
        let keeps = Arc::clone(&kept);
        let listen = move || {
            let mut block = Zeroizing::new([0; KEPT_BYTES]);
            while let Ok(read @ 1..) = stderr.read(&mut *block) {
                let mut kept = keeps.lock().unwrap_or_else(PoisonError::into_inner);
                let surplus = (kept.len() + read).saturating_sub(2 * KEPT_BYTES);
                if surplus > 0 {
                    let surplus = kept.len().min(surplus.max(KEPT_BYTES));
                    kept.drain(..surplus);
                }
                kept.extend_from_slice(&block[..read]);
            }
            // Nobody may be waiting for it.
            let _ = ends.send(());
        };
        std::thread::Builder::new().name("stderr".to_owned()).spawn(listen)?;
        Ok(Self { kept, ended })
    }

    /// What it said last, fit to be shown; empty where it said nothing.
    pub(super) fn told(&self) -> String {
        let _ = self.ended.recv_timeout(PATIENCE);
        masked(&self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The last lines, without what may be a secret or a row.
fn masked(bytes: &[u8]) -> String {
    let text = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
    let lines: Vec<String> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(masked_line).collect();
    lines[lines.len().saturating_sub(LINES_SHOWN)..].join(" / ")
}

fn masked_line(line: &str) -> String {
    if may_be_a_row(line) {
        return "(a line that may be a row)".to_owned();
    }
    let mut shown = String::new();
    let mut is_value = false;
    for (place, word) in line.split_whitespace().enumerate() {
        if place > 0 {
            shown.push(' ');
        }
        shown.push_str(&masked_word(word, is_value));
        // `passphrase: x`, and `the password is x` not, of which nobody could be sure.
        is_value = names_secret(word) && word.ends_with([':', '=']);
    }
    let is_long = shown.chars().count() > LETTERS_SHOWN;
    let cut: String = shown.chars().filter(|letter| !letter.is_control()).take(LETTERS_SHOWN).collect();
    if is_long { cut + "…" } else { cut }
}

fn masked_word(word: &str, is_value: bool) -> String {
    if is_value {
        return "…".to_owned();
    }
    if let Some((name, _)) =
        word.split_once(['=', ':']).filter(|(name, value)| names_secret(name) && !value.is_empty())
    {
        return format!("{name}=…");
    }
    if word.to_ascii_uppercase().contains("SECRET-KEY") || may_be_a_key(word) {
        "…".to_owned()
    } else {
        word.to_owned()
    }
}

fn names_secret(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    ["password", "passwd", "passphrase", "senha", "secret", "token", "key", "pin"]
        .iter()
        .any(|name| word.contains(name))
}

/// Whether a line may be one of the manifest's: it has several cells, or a user's id.
fn may_be_a_row(line: &str) -> bool {
    let has_cells = [',', ';', '\t', '|'].iter().any(|&delimiter| {
        let cells: Vec<&str> = line.split(delimiter).collect();
        // A sentence has a space behind its comma.
        cells.len() >= 3 && cells[1..].iter().all(|cell| !cell.starts_with(' '))
    });
    let is_id = |word: &str| word.parse::<LeafUserId>().is_ok();
    has_cells || line.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').any(is_id)
}

/// Whether a word is as long and as mixed as keys and tokens are.
fn may_be_a_key(word: &str) -> bool {
    let longest = word.split(['/', '.', '-', '_', ':']).map(str::len).max().unwrap_or(0);
    longest >= 24 && word.chars().any(|letter| letter.is_ascii_digit() || letter.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diagnoses_stay_and_what_may_be_a_secret_does_not() {
        for (said, shown) in [
            ("gpg: decryption failed: No secret key\n", "gpg: decryption failed: No secret key"),
            (
                "age: error: no identity matched any of the recipients",
                "age: error: no identity matched any of the recipients",
            ),
            (
                "open /home/ops/growers.2026-11.csv: No such file",
                "open /home/ops/growers.2026-11.csv: No such file",
            ),
            ("tried AGE-SECRET-KEY-1QQQSYQCYQ5RQWZQF", "tried …"),
            ("passphrase: hunter2 refused", "passphrase: … refused"),
            ("PASSWORD=hunter2 refused", "PASSWORD=… refused"),
            ("bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "bearer …"),
            ("11111111-1111-1111-1111-111111111111 ana hunter2", "(a line that may be a row)"),
            ("ana;hunter2;x", "(a line that may be a row)"),
            ("one\u{1b}[2J\n\n two", "one[2J / two"),
        ] {
            assert_eq!(masked(said.as_bytes()), shown);
        }
    }

    #[test]
    fn of_a_chatty_command_the_end_is_shown() {
        let said = "a word that says nothing\n".repeat(100_000) + "the reason\n";
        let listener = Listener::start(std::io::Cursor::new(said)).unwrap();
        let told = listener.told();
        assert!(told.ends_with("the reason"), "{told}");
        assert!(told.len() < 1000, "{}", told.len());
    }
}
