//! What a settings file holds, before anybody has judged it.

use std::fmt;
use std::path::{Path, PathBuf};

/// A settings file: its entries in the order of their lines.
#[derive(Debug)]
pub struct SettingsFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its keys with their values.
    pub entries: Vec<FileEntry>,
    /// The tables that it opens, each with the line of its heading, the first line being 1.
    pub tables: Vec<(String, usize)>,
}

impl SettingsFile {
    /// A path of this file as seen from the working folder: a relative one is meant from the file's folder.
    #[must_use]
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.path.parent().map_or_else(|| path.to_owned(), |folder| folder.join(path))
    }
}

/// One key with its value.
#[derive(Debug)]
pub struct FileEntry {
    /// The table that it stands in, as `run` or `state.prune`; `None` at the top.
    pub table: Option<String>,
    /// The key, as it is written.
    pub key: String,
    /// Its line, the first being 1.
    pub line: usize,
    /// Its value.
    pub value: FileValue,
}

/// A value as the file writes it. Its `Debug` doesn't show it, for it may be a secret in the wrong place.
#[derive(Clone, PartialEq, Eq)]
pub enum FileValue {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// `true` or `false`.
    Boolean(bool),
    /// Several values.
    List(Vec<FileValue>),
    /// Something that no setting can be, as a date.
    Other,
}

impl fmt::Debug for FileValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Text(_) => "Text",
            Self::Integer(_) => "Integer",
            Self::Boolean(_) => "Boolean",
            Self::List(_) => "List",
            Self::Other => "Other",
        })
    }
}
