//! Checks whether a text is UTF-8 while it streams by.

use std::str;

/// Checks a text that comes in blocks, and counts its lines up to the first malformed byte.
#[derive(Default)]
pub(super) struct Utf8Checker {
    /// The beginning of a character that the last block cut off.
    cut: Vec<u8>,
    line_feeds: u64,
}

/// The longest character in UTF-8, in bytes.
const LONGEST_CHARACTER: usize = 4;

impl Utf8Checker {
    /// Takes the next block, an empty one at the end, and says whether all is valid so far.
    pub(super) fn accepts(&mut self, mut block: &[u8]) -> bool {
        if block.is_empty() {
            return self.cut.is_empty();
        }
        while !self.cut.is_empty() {
            let [first, rest @ ..] = block else {
                return true;
            };
            self.cut.push(*first);
            block = rest;
            match str::from_utf8(&self.cut) {
                Ok(_) => self.cut.clear(),
                Err(error) if error.error_len().is_some() || self.cut.len() >= LONGEST_CHARACTER => {
                    return false;
                }
                Err(_) => {}
            }
        }
        match str::from_utf8(block) {
            Ok(_) => self.count(block),
            Err(error) => {
                let (valid, rest) = block.split_at(error.valid_up_to());
                self.count(valid);
                if error.error_len().is_some() {
                    return false;
                }
                self.cut.extend_from_slice(rest);
            }
        }
        true
    }

    fn count(&mut self, valid: &[u8]) {
        // Summing bytes is what the compiler turns into vector instructions; `filter().count()` it doesn't.
        let line_feeds: usize = valid.iter().map(|&byte| usize::from(byte == b'\n')).sum();
        self.line_feeds += line_feeds as u64;
    }

    /// The line of the first malformed byte, or else of the end, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line_feeds + 1
    }
}
