//! A manifest that was opened: everything that is found out once, before its rows are read.

use std::io::Read as _;
use std::sync::Arc;

use super::columns::Columns;
use super::csv::{Layout, Text};
use super::parquet::ParquetFile;
use super::{Field, Format, ManifestError, ManifestProblem, ReadOptions, Records, Source, foreign};

/// A manifest whose format, encoding and columns are known.
#[derive(Debug)]
pub struct Manifest {
    source: Source,
    warnings: Vec<String>,
    contents: Contents,
}

/// What a manifest turned out to be.
#[derive(Debug)]
pub(super) enum Contents {
    /// A CSV.
    Csv(Layout),
    /// A Parquet file.
    Parquet(ParquetFile),
}

impl Manifest {
    /// Finds out how `source` is to be read, in constant memory. A CSV is read once as a whole to decide its encoding.
    ///
    /// # Errors
    ///
    /// When the source can't be read, is damaged, empty or of another format, lacks a needed column or has no rows. The
    /// message names the source and what helps.
    pub fn open(source: Source, options: &ReadOptions) -> Result<Self, ManifestError> {
        let name = source.name().to_owned();
        Self::find(source, options).map_err(|problem| problem.of(&name))
    }

    fn find(source: Source, options: &ReadOptions) -> Result<Self, ManifestProblem> {
        let (contents, warnings) = match format_of(&source, options.format)? {
            Format::Csv => {
                let (text, warning) = Text::find(source.clone(), options.encoding)?;
                let layout =
                    Layout::find(text.clone(), options).map_err(|problem| in_truth(problem, &text))?;
                (Contents::Csv(layout), Vec::from_iter(warning))
            }
            Format::Parquet => (Contents::Parquet(ParquetFile::find(source.clone(), options)?), Vec::new()),
        };
        Ok(Self { source, warnings, contents })
    }

    /// What people should know about how the manifest is read.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Whether there is a column for accessTokenClient.
    #[must_use]
    pub fn has_access_token_client(&self) -> bool {
        self.columns().access_token_client.is_some()
    }

    /// The number of a field's column, from 1, where there is one.
    #[must_use]
    pub fn column_of(&self, field: Field) -> Option<u32> {
        let columns = self.columns();
        let index = match field {
            Field::LeafUserId => Some(columns.leaf_user_id),
            Field::Login => columns.login,
            Field::Password => columns.password,
            Field::AccessTokenClient => columns.access_token_client,
        };
        index.and_then(|index| u32::try_from(index + 1).ok())
    }

    /// The headers of the columns that hold login and password.
    #[must_use]
    pub fn login_headers(&self) -> [&str; 2] {
        let [login, password] = &self.columns().login_headers;
        [login, password]
    }

    /// The manifest's format.
    #[must_use]
    pub fn format(&self) -> Format {
        match self.contents {
            Contents::Csv(_) => Format::Csv,
            Contents::Parquet(_) => Format::Parquet,
        }
    }

    /// The size of the source in bytes, compressed as it is.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.source.len()
    }

    /// Begins a reading of all records, which is independent of every other one and takes constant memory.
    ///
    /// # Errors
    ///
    /// When the source can no longer be read.
    pub fn records(&self) -> Result<Records, ManifestError> {
        Records::open(&self.contents, &self.source).map_err(|problem| problem.of(self.source.name()))
    }

    fn columns(&self) -> &Columns {
        match &self.contents {
            Contents::Csv(layout) => &layout.columns,
            Contents::Parquet(file) => file.columns(),
        }
    }
}

/// What encryption adds to a file's name.
const ENCRYPTED_ENDINGS: [&str; 5] = [".age", ".gpg", ".pgp", ".asc", ".enc"];

/// The name that an encrypted file had before it was encrypted; of another one its own.
#[must_use]
pub fn inner_name(name: &str) -> &str {
    let has = |ending: &&&str| {
        let start = name.len().checked_sub(ending.len()).filter(|start| *start > 0);
        start.and_then(|start| name.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
    };
    ENCRYPTED_ENDINGS.iter().find(has).map_or(name, |ending| &name[..name.len() - ending.len()])
}

/// Tells what a text is in which no table was found, where that shows.
fn in_truth(problem: ManifestProblem, text: &Text) -> ManifestProblem {
    let mut start = Vec::new();
    let reading = text.open(Arc::default());
    // What can't be read any more has been told with the problem.
    let _ = reading.map(|bytes| bytes.take(foreign::LOOKED_AT as u64).read_to_end(&mut start));
    foreign::instead_of(problem, &start)
}

/// Decides the format by the first bytes, which don't lie as a name may, and tells people when they chose otherwise.
fn format_of(source: &Source, choice: Option<Format>) -> Result<Format, ManifestProblem> {
    let mut magic = [0; foreign::LOOKED_AT];
    let read = source.read_at(&mut magic, 0).map_err(ManifestProblem::Read)?;
    let start = &magic[..read];
    let wrong = |expected: Format, found, hint| {
        Err(ManifestProblem::WrongFormat { expected: expected.with_article(), found, hint })
    };
    let named = match inner_name(source.name()).rsplit_once('.') {
        Some((_, ending)) if ending.eq_ignore_ascii_case("parquet") => Format::Parquet,
        _ => Format::Csv,
    };
    let expected = choice.unwrap_or(named);
    match (expected, start) {
        (_, []) => Err(ManifestProblem::Empty),
        // The magic numbers of Parquet, and of Parquet with an encrypted footer.
        (Format::Csv, [b'P', b'A', b'R', b'1', ..]) if choice.is_some() => {
            wrong(Format::Csv, "a Parquet file", "say --format parquet")
        }
        (_, [b'P', b'A', b'R', b'1', ..]) => Ok(Format::Parquet),
        (_, [b'P', b'A', b'R', b'E', ..]) => {
            wrong(Format::Parquet, "an encrypted one", "write it without encryption")
        }
        (expected, start) if let Some((found, hint)) = foreign::of_bytes(source.name(), start) => {
            wrong(expected, found, hint)
        }
        (Format::Parquet, _) => wrong(Format::Parquet, "something else", "say --format csv if it is a CSV"),
        (Format::Csv, _) => Ok(Format::Csv),
    }
}

#[cfg(test)]
mod tests;
