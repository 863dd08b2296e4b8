//! Why a manifest can't be read. No message holds a cell.

use std::io;

use super::compression::Compression;
use super::stream::StreamFault;
use super::{DiscreetError, Export, Field, Format, SourceChanged};
use crate::model::Secret;

/// A manifest that can't be read, or can't be read any further.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct ManifestError {
    /// What the source is called.
    pub name: String,
    /// What is wrong with it. The message tells it already, so it isn't a source that a chain would tell again.
    pub problem: ManifestProblem,
}

impl ManifestError {
    /// Whether the source isn't any longer what it was when it was opened.
    #[must_use]
    pub fn is_of_changed_source(&self) -> bool {
        matches!(&self.problem, ManifestProblem::Read(error) if SourceChanged::is_told_by(error))
    }

    /// What a terminal is told beside the message, and nothing else may keep.
    #[must_use]
    pub fn whole(&self) -> Option<&Secret> {
        match &self.problem {
            ManifestProblem::Read(error) => DiscreetError::whole_of(error),
            _ => None,
        }
    }
}

/// What is wrong with a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestProblem {
    /// The source can't be read.
    #[error("it can't be read: {0}")]
    Read(io::Error),
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// There is a header, and nothing below it.
    #[error("it has no rows below its header")]
    NoRows,
    /// The compressed data is damaged or cut off.
    #[error("its {compression} data is damaged or cut off")]
    Corrupt {
        /// The compression's name.
        compression: &'static str,
    },
    /// It is something else than it was said to be.
    #[error("it isn't {expected}, but looks like {found}; {hint}")]
    WrongFormat {
        /// What it was said to be.
        expected: &'static str,
        /// What it looks like.
        found: &'static str,
        /// What helps.
        hint: &'static str,
    },
    /// The text isn't valid in its encoding.
    #[error("line {line} isn't valid {encoding}{}", encoding_hint(encoding))]
    Malformed {
        /// The encoding it was read in.
        encoding: &'static str,
        /// The line of the first malformed byte.
        line: u64,
    },
    /// A record never ends, or is longer than any grower's.
    #[error(
        "the record that begins on line {line} {what}; a quote that is opened there and never closed would swallow \
         the growers after it"
    )]
    Runaway {
        /// The physical line on which the record begins.
        line: u64,
        /// What it does.
        what: &'static str,
    },
    /// A field has no column.
    #[error(
        "no column is named for {field}{}{}; {}",
        header_list(.known, *.others),
        slip(*.nearly),
        missing_advice(*.field, *.export)
    )]
    MissingColumn {
        /// The field.
        field: Field,
        /// The headers whose names are known.
        known: Vec<String>,
        /// How many others there are. They aren't shown, because one of them may be a password.
        others: usize,
        /// What the whole looks like, by its header.
        export: Option<Export>,
        /// The number, from 1, of a column whose name differs by a slip of the fingers. The name isn't shown.
        nearly: Option<usize>,
    },
    /// The first line holds a UUID, so it is no header.
    #[error("its first line looks like data, not like a header; put a line of column names above it")]
    NoHeader,
    /// The header holds NUL characters.
    #[error(
        "its header holds NUL characters; if it is UTF-16 without a byte-order mark, say --encoding utf-16"
    )]
    NulInHeader,
    /// Two columns are named for one field.
    #[error("two columns are named for {field}: \"{first}\" and \"{second}\"; say --column {field}=HEADER")]
    TwoColumns {
        /// The field.
        field: Field,
        /// The first of the headers.
        first: String,
        /// The second.
        second: String,
    },
    /// A column that was asked for by name isn't there.
    #[error("no column is called \"{header}\", as {asked_by} says{}", perhaps(.nearest.as_deref()))]
    NoSuchColumn {
        /// The header that was asked for.
        header: String,
        /// The flag that asked.
        asked_by: &'static str,
        /// The header that was probably meant.
        nearest: Option<String>,
    },
    /// Several columns bear the name that was asked for.
    #[error("several columns are called \"{header}\", so {asked_by} can't choose one")]
    SeveralColumns {
        /// The header that was asked for.
        header: String,
        /// The flag that asked.
        asked_by: &'static str,
    },
    /// One column was asked for as two fields.
    #[error("--column names \"{header}\" both for {first} and for {second}")]
    OneColumnTwice {
        /// The header.
        header: String,
        /// The first field.
        first: Field,
        /// The second field.
        second: Field,
    },
    /// A column with secrets was to be kept for the report.
    #[error("--keep-column \"{header}\" would put a column of secrets into the report")]
    SecretKept {
        /// The header that was asked for.
        header: String,
    },
    /// A Parquet column has a type that can't hold its field.
    #[error("column \"{header}\" {what}; write it as a string column")]
    ColumnType {
        /// The column's name.
        header: String,
        /// What is wrong with its type.
        what: String,
    },
    /// A Parquet file is damaged, or asks for more than a manifest can need.
    #[error("it isn't sound Parquet: {0}")]
    Parquet(String),
}

impl ManifestProblem {
    /// The error that tells of this problem in the source called `name`.
    pub(super) fn of(self, name: &str) -> ManifestError {
        ManifestError { name: name.to_owned(), problem: self }
    }

    /// Tells what came up through the byte stream. `encoding` and `line` say where a malformed text was met.
    pub(super) fn from_stream(error: io::Error, encoding: &'static str, line: u64) -> Self {
        match StreamFault::from_io(error) {
            StreamFault::Read(error) => Self::Read(error),
            StreamFault::Corrupt(compression) => Self::corrupt(compression),
            StreamFault::Malformed => Self::Malformed { encoding, line },
        }
    }

    fn corrupt(compression: Compression) -> Self {
        Self::Corrupt {
            compression: match compression {
                Compression::Zstd => "Zstandard",
                Compression::Gzip | Compression::None => "gzip",
            },
        }
    }
}

impl Format {
    /// The format with its article, as messages name it.
    pub(super) const fn with_article(self) -> &'static str {
        match self {
            Self::Csv => "a CSV",
            Self::Parquet => "a Parquet file",
        }
    }
}

fn encoding_hint(encoding: &str) -> &'static str {
    if encoding == "UTF-8" { "; say --encoding windows-1252 if it came out of Excel" } else { "" }
}

fn missing_advice(field: Field, export: Option<Export>) -> String {
    match export {
        Some(export) => format!("it looks like {}", export.name()),
        None => format!("say --column {field}=HEADER"),
    }
}

fn slip(column: Option<usize>) -> String {
    column.map_or_else(String::new, |number| format!("; column {number} is nearly called so"))
}

fn perhaps(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"))
}

fn header_list(known: &[String], others: usize) -> String {
    let known = known.iter().map(|header| format!("\"{header}\""));
    let others = match others {
        0 => None,
        1 => Some("1 name not shown here".to_owned()),
        others => Some(format!("{others} names not shown here")),
    };
    let names: Vec<String> = known.chain(others).collect();
    if names.is_empty() { String::new() } else { format!("; the header has {}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_without_a_single_known_name_is_counted() {
        let problem = ManifestProblem::MissingColumn {
            field: Field::Login,
            known: Vec::new(),
            others: 500,
            export: None,
            nearly: None,
        };
        let text = problem.of("growers.csv").to_string();
        assert!(
            text.contains("the header has 500 names not shown here; say --column login=HEADER"),
            "{text}"
        );
    }
}
