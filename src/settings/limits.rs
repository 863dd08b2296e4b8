//! `--max-invalid` and `--max-failures`: a number, or a part of all.

use crate::pipeline::{FailureLimit, InvalidLimit};

/// A text that is no such limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is neither a number nor a percentage: write 50 or 10%")]
pub struct ParseLimitError;

/// Reads `50` or `10%`.
///
/// # Errors
///
/// When it is something else.
pub fn parse_invalid_limit(text: &str) -> Result<InvalidLimit, ParseLimitError> {
    Ok(match parse(text)? {
        Limit::Number(lines) => InvalidLimit::Lines(lines),
        Limit::Percent(percent) => InvalidLimit::Percent(percent),
    })
}

/// Reads `50` or `10%`.
///
/// # Errors
///
/// When it is something else.
pub fn parse_failure_limit(text: &str) -> Result<FailureLimit, ParseLimitError> {
    Ok(match parse(text)? {
        Limit::Number(rows) => FailureLimit::Rows(rows),
        Limit::Percent(percent) => FailureLimit::Percent(percent),
    })
}

enum Limit {
    Number(u64),
    Percent(f64),
}

fn parse(text: &str) -> Result<Limit, ParseLimitError> {
    let Some(percent) = text.strip_suffix('%') else {
        return text.parse().map(Limit::Number).map_err(|_| ParseLimitError);
    };
    match percent.parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Limit::Percent(percent)),
        _ => Err(ParseLimitError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_a_percentage() {
        assert_eq!(parse_invalid_limit("50"), Ok(InvalidLimit::Lines(50)));
        assert_eq!(parse_invalid_limit("2.5%"), Ok(InvalidLimit::Percent(2.5)));
        assert_eq!(parse_failure_limit("100%"), Ok(FailureLimit::Percent(100.0)));
        for text in ["", "%", "-1", "101%", "NaN%", "some"] {
            assert_eq!(parse_invalid_limit(text), Err(ParseLimitError), "{text}");
        }
    }
}
