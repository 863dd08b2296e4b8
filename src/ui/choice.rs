//! Which show a run gets.

use std::fmt;
use std::str::FromStr;

/// How progress is shown: `--progress`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Progress {
    /// Bars when stderr is a terminal that can be drawn on, else plain lines.
    #[default]
    Auto,
    /// Bars on stderr. Without a terminal that can be drawn on: plain lines.
    Bar,
    /// A plain line on stderr every ten seconds.
    Lines,
    /// JSON lines on stdout; `docs/PROGRESS.md` describes them.
    Json,
    /// Nothing.
    None,
}

impl Progress {
    /// Every choice.
    pub const ALL: [Self; 5] = [Self::Auto, Self::Bar, Self::Lines, Self::Json, Self::None];

    /// The choice's name in flags.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Bar => "bar",
            Self::Lines => "lines",
            Self::Json => "json",
            Self::None => "none",
        }
    }

    /// The choice that is made in the end: one of `Bar`, `Lines`, `Json` and `None`.
    #[must_use]
    pub const fn resolve(self, is_drawable: bool) -> Self {
        match self {
            Self::Auto | Self::Bar if is_drawable => Self::Bar,
            Self::Auto | Self::Bar | Self::Lines => Self::Lines,
            Self::Json => Self::Json,
            Self::None => Self::None,
        }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A text that names no way to show progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is none of auto, bar, lines, json and none")]
pub struct ParseProgressError;

impl FromStr for Progress {
    type Err = ParseProgressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|progress| progress.as_str() == text).ok_or(ParseProgressError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_is_found_again_by_its_name() {
        for progress in Progress::ALL {
            assert_eq!(progress.as_str().parse(), Ok(progress));
            let message = ParseProgressError.to_string();
            assert!(message.contains(progress.as_str()), "{message}");
        }
        assert_eq!("bars".parse::<Progress>(), Err(ParseProgressError));
    }

    #[test]
    fn bars_need_a_terminal_and_lines_stand_in_for_them() {
        assert_eq!(Progress::Auto.resolve(true), Progress::Bar);
        assert_eq!(Progress::Bar.resolve(true), Progress::Bar);
        assert_eq!(Progress::Auto.resolve(false), Progress::Lines);
        assert_eq!(Progress::Bar.resolve(false), Progress::Lines);
        for terminal in [true, false] {
            assert_eq!(Progress::Lines.resolve(terminal), Progress::Lines);
            assert_eq!(Progress::Json.resolve(terminal), Progress::Json);
            assert_eq!(Progress::None.resolve(terminal), Progress::None);
        }
    }
}
