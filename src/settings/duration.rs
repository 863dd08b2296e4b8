//! Durations as flags write them: `500ms`, `30s`, `15m`, `2h`, `90d`.

use std::time::Duration;

/// A text that is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no duration: write 500ms, 30s, 15m, 2h or 90d")]
pub struct ParseDurationError;

/// Reads a whole number with one of the units ms, s, m, h and d.
///
/// # Errors
///
/// When it is something else.
pub fn parse_duration(text: &str) -> Result<Duration, ParseDurationError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| ParseDurationError)?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(ParseDurationError),
    };
    number.checked_mul(milliseconds).map(Duration::from_millis).ok_or(ParseDurationError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_duration("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(parse_duration("90d"), Ok(Duration::from_secs(90 * 86_400)));
        assert_eq!(parse_duration("2h"), Ok(Duration::from_secs(7_200)));
        for text in ["", "30", "s", "-1s", "1.5s", "1 s", "99999999999999999999s", "9999999999999999h"] {
            assert_eq!(parse_duration(text), Err(ParseDurationError), "{text}");
        }
    }
}
