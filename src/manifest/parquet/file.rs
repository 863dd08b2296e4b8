//! A Parquet file that was opened: its footer and the columns to read.

use std::sync::Arc;

use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use super::super::columns::Columns;
use super::super::{ManifestProblem, ReadOptions, Source};
use super::footer;
use super::guard::unsound;
use super::schema::{Leaf, headers, leaf};

/// A Parquet file whose footer is known.
#[derive(Debug, Clone)]
pub(in super::super) struct ParquetFile {
    pub(super) source: Source,
    pub(super) metadata: Arc<ParquetMetaData>,
    pub(super) columns: Columns,
    /// The columns to read, each once.
    pub(super) leaves: Vec<Leaf>,
    /// By the index of a top-level column, where it stands in `leaves`.
    pub(super) places: Vec<Option<usize>>,
}

impl ParquetFile {
    /// Reads the footer and finds the columns.
    pub(in super::super) fn find(source: Source, options: &ReadOptions) -> Result<Self, ManifestProblem> {
        let metadata = footer::read(&source)?;
        let schema = metadata.file_metadata().schema_descr();
        let headers = headers(schema);
        let columns = Columns::find(&headers, options)?;
        let mut leaves = Vec::new();
        let mut places = vec![None; headers.len()];
        let fields =
            [Some(columns.leaf_user_id), columns.login, columns.password, columns.access_token_client];
        for column in fields.into_iter().flatten().chain(columns.kept.iter().copied()) {
            if places[column].is_none() {
                places[column] = Some(leaves.len());
                leaves.push(leaf(schema, column, column == columns.leaf_user_id)?);
            }
        }
        let file = Self { source, metadata: Arc::new(metadata), columns, leaves, places };
        match file.count_rows()? {
            0 => Err(ManifestProblem::NoRows),
            _ => Ok(file),
        }
    }

    /// Where the fields stand.
    pub(in super::super) fn columns(&self) -> &Columns {
        &self.columns
    }

    /// How many rows the footer promises.
    pub(super) fn count_rows(&self) -> Result<u64, ManifestProblem> {
        self.metadata
            .row_groups()
            .iter()
            .try_fold(0_u64, |sum, group| sum.checked_add(u64::try_from(group.num_rows()).ok()?))
            .ok_or_else(|| unsound("it has a negative number of rows"))
    }
}

/// Where a column chunk lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChunkRange {
    /// The offset of its first byte.
    pub(super) start: u64,
    /// The offset behind its last byte.
    pub(super) end: u64,
}

impl ChunkRange {
    /// Checks a chunk's place against the file.
    pub(super) fn of(chunk: &ColumnChunkMetaData, source: &Source) -> Result<Self, ManifestProblem> {
        let data = chunk.data_page_offset();
        // Some writers say 0 where there is no dictionary.
        let first =
            chunk.dictionary_page_offset().filter(|&offset| 0 < offset && offset < data).unwrap_or(data);
        let range = u64::try_from(first)
            .ok()
            .zip(u64::try_from(chunk.compressed_size()).ok())
            .and_then(|(start, length)| Some(Self { start, end: start.checked_add(length)? }))
            .filter(|range| range.end <= source.len() && chunk.file_path().is_none());
        range.ok_or_else(|| unsound("a column lies outside the file"))
    }
}
