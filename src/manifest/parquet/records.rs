//! One reading of a Parquet file's rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parquet::basic::Encoding;

use super::super::ManifestProblem;
use super::super::row::{IdCell, Record, judge};
use super::ParquetFile;
use super::buffers::Buffers;
use super::column::Column;
use super::file::ChunkRange;
use super::guard::unsound;
use super::pages::{ChunkFacts, Pages};
use super::schema::{Leaf, ValueType};

/// How many rows are decoded at a time.
const SLICE_ROWS: u64 = 1024;

/// The rows of a Parquet file, one after another.
pub(in super::super) struct ParquetRecords {
    file: ParquetFile,
    position: Arc<AtomicU64>,
    rows: u64,
    rows_done: u64,
    next_group: usize,
    group_rows_left: u64,
    /// How many rows of this group may be decoded at a time.
    slice_limit: u64,
    columns: Vec<Column>,
    buffers: Buffers,
    slice_rows: usize,
    slice_at: usize,
}

impl ParquetRecords {
    /// Begins at the first row; `position` follows how far it came, in bytes of the source.
    pub(in super::super) fn open(
        file: &ParquetFile,
        position: Arc<AtomicU64>,
    ) -> Result<Self, ManifestProblem> {
        Ok(Self {
            file: file.clone(),
            position,
            rows: file.count_rows()?,
            rows_done: 0,
            next_group: 0,
            group_rows_left: 0,
            slice_limit: SLICE_ROWS,
            columns: Vec::new(),
            buffers: Buffers::default(),
            slice_rows: 0,
            slice_at: 0,
        })
    }

    /// The next record; `None` at the end.
    pub(in super::super) fn next(&mut self) -> Result<Option<Record>, ManifestProblem> {
        if self.slice_at == self.slice_rows && !self.read_slice()? {
            return Ok(None);
        }
        let row = self.slice_at;
        self.slice_at += 1;
        self.rows_done += 1;
        let cell = |column: usize| match self.file.places.get(column) {
            Some(&Some(place)) => self.columns.get(place).map_or(&[][..], |column| column.cell(row)),
            _ => &[],
        };
        let id = cell(self.file.columns.leaf_user_id);
        // The leafUserId's is the first of the leaves.
        let id = match self.file.leaves.first() {
            Some(leaf) if leaf.values == ValueType::Uuid => IdCell::from_binary(id),
            _ => IdCell::from_text(id),
        };
        Ok(Some(judge(&self.file.columns, self.rows_done, id, cell)))
    }

    /// Decodes the next slice; `false` after the last.
    fn read_slice(&mut self) -> Result<bool, ManifestProblem> {
        while self.group_rows_left == 0 {
            if self.next_group == self.file.metadata.num_row_groups() {
                self.position.store(self.file.source.len(), Ordering::Relaxed);
                return Ok(false);
            }
            self.open_group()?;
        }
        let mut rows = self.group_rows_left.min(self.slice_limit);
        for column in &mut self.columns {
            rows = rows.min(column.rows_ready(&mut self.buffers)?);
        }
        self.group_rows_left -= rows;
        self.slice_rows = usize::try_from(rows).unwrap_or(0);
        self.slice_at = 0;
        for column in &mut self.columns {
            column.read(rows)?;
        }
        // The columns lie one behind the other, so how far a reading came is told by rows.
        let share = u128::from(self.file.source.len()) * u128::from(self.rows_done) / u128::from(self.rows);
        self.position.store(u64::try_from(share).unwrap_or(0), Ordering::Relaxed);
        Ok(true)
    }

    fn open_group(&mut self) -> Result<(), ManifestProblem> {
        let group = self.file.metadata.row_group(self.next_group);
        self.next_group += 1;
        self.group_rows_left = u64::try_from(group.num_rows()).unwrap_or(0);
        self.slice_limit = SLICE_ROWS;
        for column in &mut self.columns {
            column.release(&mut self.buffers);
        }
        self.columns.clear();
        for &Leaf { index, values } in &self.file.leaves {
            let chunk = group.columns().get(index).ok_or_else(|| unsound("a row group lacks a column"))?;
            let descriptor = self.file.metadata.file_metadata().schema_descr().column(index);
            if chunk.column_type() != descriptor.physical_type() || chunk.num_values() != group.num_rows() {
                return Err(unsound("a column contradicts the schema or its row group"));
            }
            let is_prefix_shared = chunk.encodings().any(|encoding| encoding == Encoding::DELTA_BYTE_ARRAY);
            if is_prefix_shared {
                self.slice_limit = 1;
            }
            let facts = ChunkFacts {
                range: ChunkRange::of(chunk, &self.file.source)?,
                compression: chunk.compression(),
                values,
                is_nullable: descriptor.max_def_level() > 0,
                is_prefix_shared,
                rows: self.group_rows_left,
            };
            let source = self.file.source.until(facts.range.end);
            self.columns.push(Column::new(values, Pages::new(source, &facts)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
