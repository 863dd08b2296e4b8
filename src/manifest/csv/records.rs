//! One reading of a CSV's rows.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::super::ManifestProblem;
use super::super::columns::Columns;
use super::super::row::{IdCell, Record, judge, judge_width};
use super::Layout;
use super::record_reader::RecordReader;

/// The rows of a CSV, one after another.
pub(in super::super) struct CsvRecords {
    reader: RecordReader,
    columns: Columns,
}

impl CsvRecords {
    /// Begins at the first row; `position` follows how much of the source was used.
    pub(in super::super) fn open(layout: &Layout, position: Arc<AtomicU64>) -> Result<Self, ManifestProblem> {
        Ok(Self { reader: layout.open_rows(position)?, columns: layout.columns.clone() })
    }

    /// The next record; `None` at the end.
    pub(in super::super) fn next(&mut self) -> Result<Option<Record>, ManifestProblem> {
        if !self.reader.advance()? {
            return Ok(None);
        }
        let (reader, columns) = (&self.reader, &self.columns);
        let line = reader.record_line();
        let id = IdCell::from_text(reader.cell(columns.leaf_user_id));
        let cells = reader.cell_count();
        // Excel fills short rows up with empty cells, so only a cell with something in it is one too many.
        let surplus = (columns.width..cells).find(|&at| !reader.cell(at).is_empty());
        let cell = |at: usize| reader.cell(at);
        if surplus.is_some() || cells < columns.width {
            return Ok(Some(judge_width(columns, line, id, (cells, surplus), cell)));
        }
        Ok(Some(judge(columns, line, id, cell)))
    }
}

#[cfg(test)]
mod tests;
