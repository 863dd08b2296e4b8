//! How fast a host may be asked.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A host's rate, as `--stara-rate` and `--leaf-rate` give it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// No quota of our own; only the rows in flight bound it.
    Unlimited,
    /// A quota the user knows: this many requests in this time, spread evenly, never exceeded.
    Fixed {
        /// Requests allowed in a period.
        requests: u32,
        /// The period: one second or one minute.
        per: Duration,
    },
    /// An unpublished quota: the host's start figure is used.
    Auto,
}

impl Rate {
    /// The even distance between two requests; `None` without a quota of the user's own.
    #[must_use]
    pub fn period(self) -> Option<Duration> {
        match self {
            Self::Fixed { requests, per } => Some(per / requests.max(1)),
            Self::Unlimited | Self::Auto => None,
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => formatter.write_str("none"),
            Self::Auto => formatter.write_str("auto"),
            Self::Fixed { requests, per } if per.as_secs() == 60 => write!(formatter, "{requests}/min"),
            Self::Fixed { requests, .. } => write!(formatter, "{requests}/s"),
        }
    }
}

/// A text that is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no rate: write 10/s, 300/min, auto or none")]
pub struct ParseRateError;

/// The highest rate that can be asked for, in requests per second; a misprint rather than a wish beyond it.
const HIGHEST: u32 = 1_000_000;

impl FromStr for Rate {
    type Err = ParseRateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => return Ok(Self::Unlimited),
            "auto" => return Ok(Self::Auto),
            _ => {}
        }
        let (number, unit) = text.split_once('/').ok_or(ParseRateError)?;
        let requests: u32 = number.parse().map_err(|_| ParseRateError)?;
        let per = match unit {
            "s" => Duration::from_secs(1),
            "min" => Duration::from_secs(60),
            _ => return Err(ParseRateError),
        };
        if requests == 0 || requests > HIGHEST {
            return Err(ParseRateError);
        }
        Ok(Self::Fixed { requests, per })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_written_alike() {
        for text in ["10/s", "300/min", "none", "auto"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        assert_eq!("300/min".parse::<Rate>().unwrap().period(), Some(Duration::from_millis(200)));
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for text in ["", "10", "0/s", "-1/s", "10/h", "1.5/s", "10 /s", "99999999999/s"] {
            assert_eq!(text.parse::<Rate>(), Err(ParseRateError), "{text}");
        }
    }
}
