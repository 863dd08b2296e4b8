//! Numbers, times and hostile texts as people read them.

use std::fmt::Write as _;
use std::time::Duration;

use crate::model::UnixMillis;
pub(super) use crate::model::{count, counted};

/// A share in percent, never rounded to nothing or to all.
#[expect(clippy::cast_precision_loss, reason = "a share for people needs no 53 bits")]
pub(super) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 || part == 0 {
        return "0 %".to_owned();
    }
    if part == whole {
        return "100 %".to_owned();
    }
    let share = part as f64 / whole as f64 * 100.0;
    match share {
        share if share < 0.1 => "< 0.1 %".to_owned(),
        share if share > 99.9 => "> 99.9 %".to_owned(),
        share => format!("{share:.1} %"),
    }
}

/// A duration as people say it: the two greatest units.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) if seconds < 10 => format!("{:.1} s", duration.as_secs_f64()),
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// How many times a second something happened, on average.
#[expect(clippy::cast_precision_loss, reason = "an average for people needs no 53 bits")]
pub(super) fn average(number: u64, duration: Duration) -> Option<String> {
    let rate = number as f64 / duration.as_secs_f64();
    (rate.is_finite() && number > 0).then(|| rate_text(rate))
}

/// A rate with as many digits as matter.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "no host takes so many requests a second that they don't fit"
)]
pub(super) fn rate_text(rate: f64) -> String {
    match rate {
        rate if rate >= 1_000.0 => format!("{}/s", count(rate.round() as u64)),
        rate if rate >= 100.0 => format!("{rate:.0}/s"),
        rate if rate >= 10.0 => format!("{rate:.1}/s"),
        rate => format!("{rate:.2}/s"),
    }
}

/// An instant in UTC to the second, `2026-11-21 14:03:20`; readers are told elsewhere that it is UTC.
pub(super) fn instant(at: UnixMillis) -> String {
    let text = at.to_rfc3339();
    text.split_once('.').map_or(text.as_str(), |(seconds, _)| seconds).replace('T', " ")
}

/// The day and the minute of an instant.
pub(super) fn minute(at: UnixMillis) -> String {
    let text = instant(at);
    text.rsplit_once(':').map_or(text.clone(), |(minute, _)| minute.to_owned())
}

/// A text from outside, with what can't be seen or turns the direction of other text written out, cut to so many characters.
pub(super) fn visible(text: &str, most: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(most * 4));
    for (place, letter) in text.chars().enumerate() {
        if place == most {
            shown.push('…');
            break;
        }
        if is_deceptive(letter) {
            let _ = write!(shown, "[U+{:04X}]", u32::from(letter));
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Whether a character is invisible or changes how its neighbours are read. The script has the same list.
pub(super) const fn is_deceptive(letter: char) -> bool {
    matches!(
        letter,
        '\0'..='\x08' | '\x0b'..='\x1f' | '\x7f'..='\u{9f}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_durations_and_shares_read_well() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(percent(1, 100_000), "< 0.1 %");
        assert_eq!(percent(99_999, 100_000), "> 99.9 %");
        assert_eq!(percent(100_000, 100_000), "100 %");
        assert_eq!(percent(1, 8), "12.5 %");
        let said =
            [400, 12_000, 723_000, 7_500_000, 180_000_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(said, ["0.4 s", "12 s", "12 min 3 s", "2 h 5 min", "2 d 2 h"]);
        assert_eq!(average(100, Duration::from_secs(10)).as_deref(), Some("10.0/s"));
        assert_eq!(average(165_432, Duration::from_secs(100)).as_deref(), Some("1,654/s"));
        assert_eq!(average(100, Duration::ZERO), None);
        assert_eq!(instant(UnixMillis(1_795_269_800_125)), "2026-11-21 14:03:20");
        assert_eq!(minute(UnixMillis(1_795_269_800_125)), "2026-11-21 14:03");
    }

    #[test]
    fn what_turns_text_around_is_written_out() {
        assert_eq!(visible("a\u{202e}fdp.exe", 50), "a[U+202E]fdp.exe");
        assert_eq!(visible("São João\n", 50), "São João\n");
        assert_eq!(visible("abcdef", 3), "abc…");
    }
}
