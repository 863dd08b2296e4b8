//! How fast a host may be asked.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A host's rate, as `--stara-rate` and `--leaf-rate` give it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// No quota of our own; only the rows in flight bound it.
    Unlimited,
    /// A quota the user knows: spread evenly, never exceeded.
    Fixed(Frequency),
    /// An unpublished quota, which the run finds by itself.
    Auto {
        /// The highest rate that is tried, where the user gives one.
        ceiling: Option<Frequency>,
    },
}

impl Rate {
    /// `auto` with the service's own ceiling.
    pub const AUTO: Self = Self::Auto { ceiling: None };
}

/// So many requests in so long a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frequency {
    /// Requests allowed in a period.
    pub requests: u32,
    /// The period: one second or one minute.
    pub per: Duration,
}

impl Frequency {
    /// The even distance between two requests.
    #[must_use]
    pub fn period(self) -> Duration {
        self.per / self.requests.max(1)
    }

    /// The requests of one second.
    #[must_use]
    pub fn per_second(self) -> f64 {
        f64::from(self.requests) / self.per.as_secs_f64()
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.per.as_secs() == 60 { "min" } else { "s" };
        write!(formatter, "{}/{unit}", self.requests)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => formatter.write_str("none"),
            Self::Fixed(quota) => quota.fmt(formatter),
            Self::Auto { ceiling: None } => formatter.write_str("auto"),
            Self::Auto { ceiling: Some(ceiling) } => write!(formatter, "auto:{ceiling}"),
        }
    }
}

/// A text that is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no rate: write 10/s, 300/min, auto, auto:50/s or none")]
pub struct ParseRateError;

/// The highest rate that can be asked for, in requests per second; a misprint rather than a wish beyond it.
const HIGHEST: u32 = 1_000_000;

impl FromStr for Rate {
    type Err = ParseRateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => return Ok(Self::Unlimited),
            "auto" => return Ok(Self::AUTO),
            _ => {}
        }
        match text.strip_prefix("auto:") {
            Some(ceiling) => Ok(Self::Auto { ceiling: Some(ceiling.parse()?) }),
            None => text.parse().map(Self::Fixed),
        }
    }
}

impl FromStr for Frequency {
    type Err = ParseRateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
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
        Ok(Self { requests, per })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_written_alike() {
        for text in ["10/s", "300/min", "none", "auto", "auto:200/s", "auto:30/min"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        assert_eq!("300/min".parse::<Frequency>().unwrap().period(), Duration::from_millis(200));
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for text in [
            "",
            "10",
            "0/s",
            "-1/s",
            "10/h",
            "1.5/s",
            "10 /s",
            "99999999999/s",
            "auto:",
            "auto:x",
            "auto:0/s",
        ] {
            assert_eq!(text.parse::<Rate>(), Err(ParseRateError), "{text}");
        }
    }
}
