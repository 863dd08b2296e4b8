//! What is found out about a CSV once: its delimiter and its columns.

use std::str;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::super::columns::Columns;
use super::super::{Delimiter, ManifestProblem, ReadOptions};
use super::record_reader::RecordReader;
use super::text::Text;

/// How the rows of a CSV are to be read.
#[derive(Debug, Clone)]
pub(in super::super) struct Layout {
    text: Text,
    delimiter: Delimiter,
    /// Where the fields stand.
    pub(in super::super) columns: Columns,
}

/// How the header reads with one delimiter.
struct Candidate {
    delimiter: Delimiter,
    cells: usize,
    columns: Result<Columns, ManifestProblem>,
}

impl Layout {
    /// Finds the delimiter with which the header has the needed fields, and where they are.
    pub(in super::super) fn find(text: Text, options: &ReadOptions) -> Result<Self, ManifestProblem> {
        let candidates = match options.delimiter {
            Some(delimiter) => vec![Candidate::read(&text, delimiter, options)?],
            None => Delimiter::TRIED
                .into_iter()
                .map(|delimiter| Candidate::read(&text, delimiter, options))
                .collect::<Result<_, _>>()?,
        };
        // Among equals the earlier one wins: `max_by_key` would take the last.
        let best =
            candidates.into_iter().rev().max_by_key(|candidate| (candidate.columns.is_ok(), candidate.cells));
        let Some(Candidate { delimiter, columns, .. }) = best else {
            return Err(ManifestProblem::Empty);
        };
        let layout = Self { text, delimiter, columns: columns? };
        if layout.open_rows(Arc::default())?.advance()? { Ok(layout) } else { Err(ManifestProblem::NoRows) }
    }

    /// A reader that stands behind the header.
    pub(super) fn open_rows(&self, position: Arc<AtomicU64>) -> Result<RecordReader, ManifestProblem> {
        let mut reader = open(&self.text, self.delimiter, position)?;
        reader.advance()?;
        Ok(reader)
    }
}

impl Candidate {
    fn read(text: &Text, delimiter: Delimiter, options: &ReadOptions) -> Result<Self, ManifestProblem> {
        let mut reader = open(text, delimiter, Arc::default())?;
        match reader.advance() {
            Ok(true) => {}
            Ok(false) => return Err(ManifestProblem::Empty),
            // Which quotes open a cell depends on the delimiter, so another one may read the header well.
            Err(problem @ ManifestProblem::Runaway { .. }) => {
                return Ok(Self { delimiter, cells: 0, columns: Err(problem) });
            }
            Err(problem) => return Err(problem),
        }
        let cells = reader.cell_count();
        let headers: Result<Vec<&str>, _> = (0..cells).map(|at| str::from_utf8(reader.cell(at))).collect();
        let columns = match headers {
            Ok(headers) => Columns::find(&headers, options),
            Err(_) => Err(ManifestProblem::Malformed {
                encoding: text.encoding().name(),
                line: reader.record_line(),
            }),
        };
        Ok(Self { delimiter, cells, columns })
    }
}

fn open(
    text: &Text,
    delimiter: Delimiter,
    position: Arc<AtomicU64>,
) -> Result<RecordReader, ManifestProblem> {
    Ok(RecordReader::new(text.open(position)?, text.encoding(), delimiter))
}
