//! Samples of cells in which every character is masked but those that a finding is about.

use std::fmt::Write as _;

/// What stands for the characters that aren't shown, however many they are: their number would help to guess a password.
pub(super) const MASK: &str = "••••••";

/// Half of it, where something is shown in the middle.
const HALF_MASK: &str = "•••";

/// Names `shown` by its code points, with masks where something stands before and behind it in `cell`.
///
/// `start` is the place of `shown` in `cell`, in bytes.
pub(super) fn sample(cell: &str, start: usize, shown: &str) -> String {
    let (is_first, is_last) = (start == 0, start + shown.len() == cell.len());
    let (before, behind) = match (is_first, is_last) {
        (true, true) => ("", ""),
        (true, false) => ("", MASK),
        (false, true) => (MASK, ""),
        (false, false) => (HALF_MASK, HALF_MASK),
    };
    let mut text = before.to_owned();
    for letter in shown.chars() {
        // Writing into a string can't fail.
        let _ = write!(text, "<U+{:04X}>", u32::from(letter));
    }
    text.push_str(behind);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_named_character_is_shown() {
        assert_eq!(sample("hunter2\u{a0}", 7, "\u{a0}"), "••••••<U+00A0>");
        assert_eq!(sample("\u{feff}hunter2", 0, "\u{feff}"), "<U+FEFF>••••••");
        assert_eq!(sample("h\u{c3}\u{a3}o", 1, "\u{c3}\u{a3}"), "•••<U+00C3><U+00A3>•••");
        assert_eq!(sample(" ", 0, " "), "<U+0020>");
    }
}
