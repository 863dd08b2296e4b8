//! Which format a report has: its path's ending says so.

use std::fmt;
use std::path::{Path, PathBuf};

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportFormat {
    /// Comma-separated values for spreadsheets, with formulas defused.
    Csv,
    /// One JSON object a line, exact.
    Jsonl,
    /// Parquet, exact.
    Parquet,
    /// One page for people: what happened, who must act, and every row that isn't fine.
    Html,
}

impl ReportFormat {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Jsonl, Self::Parquet, Self::Html];

    /// The ending of the format's files, without the dot.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
            Self::Html => "html",
        }
    }

    /// Whether files of the format end so, in either case. Old programs on Windows called pages `.htm`.
    fn is_ending(self, ending: &str) -> bool {
        ending.eq_ignore_ascii_case(self.ending())
            || (self == Self::Html && ending.eq_ignore_ascii_case("htm"))
    }

    /// Whether every record stands in the format's files, whole.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        !matches!(self, Self::Html)
    }

    /// The format that a path's ending asks for, in either case.
    ///
    /// # Errors
    ///
    /// Names the endings there are when the path has another one or none.
    pub fn of_path(path: &Path) -> Result<Self, UnknownEndingError> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        Self::ALL
            .into_iter()
            .find(|format| ending.is_some_and(|ending| format.is_ending(ending)))
            .ok_or_else(|| UnknownEndingError { path: path.to_owned() })
    }
}

impl fmt::Display for ReportFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.ending())
    }
}

/// A path whose ending names no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ending of {path} names no report format; use .csv, .jsonl, .parquet or .html", path = path.display())]
pub struct UnknownEndingError {
    path: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_the_format_in_either_case() {
        for format in ReportFormat::ALL {
            let path = format!("state/growers.results.{format}");
            assert_eq!(ReportFormat::of_path(Path::new(&path)), Ok(format));
            assert_eq!(ReportFormat::of_path(Path::new(&path.to_uppercase())), Ok(format));
        }
        assert_eq!(ReportFormat::of_path(Path::new("night.HTM")), Ok(ReportFormat::Html));
    }

    #[test]
    fn another_ending_is_refused_with_the_ones_there_are() {
        for path in ["results", "results.xhtml", "results.csv.gz", "csv", ".csv", ""] {
            let message = ReportFormat::of_path(Path::new(path)).unwrap_err().to_string();
            for format in ReportFormat::ALL {
                assert!(message.contains(&format!(".{format}")), "{message}");
            }
            assert!(message.contains(path), "{message}");
        }
    }
}
