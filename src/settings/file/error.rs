//! A settings file that can't be used.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::complaint::Complaint;
use super::found::Distrust;

/// Why a settings file can't be used. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It can't be read.
    #[error("the settings file {} can't be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Nobody named it, and somebody else may have written it.
    #[error("the settings file {} {why}", path.display())]
    Distrusted {
        /// Which.
        path: PathBuf,
        /// What speaks against it.
        why: Distrust,
    },
    /// It is larger than any settings file is.
    #[error("the settings file {} is larger than {limit} bytes", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// The most that is read, in bytes.
        limit: u64,
    },
    /// It isn't UTF-8.
    #[error("the settings file {} isn't UTF-8 text", path.display())]
    NotText {
        /// Which.
        path: PathBuf,
    },
    /// It isn't TOML.
    #[error("{}, line {line}: {message}", path.display())]
    Syntax {
        /// Which.
        path: PathBuf,
        /// The line, the first being 1.
        line: usize,
        /// What the parser expected.
        message: String,
    },
    /// Some of its settings can't be used.
    #[error("the settings file {} can't be used{}", path.display(), listed(refused))]
    Refused {
        /// Which.
        path: PathBuf,
        /// What is wrong, line by line.
        refused: Vec<Refused>,
    },
}

/// What is wrong with one line of a settings file.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    /// The line, the first being 1.
    pub line: usize,
    /// What is wrong.
    pub complaint: Complaint,
}

/// How many lines are listed one by one: with more of them it isn't the right file.
const LISTED: usize = 20;

fn listed(refused: &[Refused]) -> String {
    let mut text = String::new();
    for Refused { line, complaint } in refused.iter().take(LISTED) {
        // Writing into a string can't fail.
        let _ = write!(text, "\n  line {line}: {complaint}");
    }
    let more = refused.len().saturating_sub(LISTED);
    if more > 0 {
        let _ = write!(text, "\n  and {more} more; is it a settings file of stara-onboard?");
    }
    text
}
