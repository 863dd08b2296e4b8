//! Results as comma-separated values, for people with a spreadsheet.

use std::io::{self, Write};

use super::cell::Cell;
use super::columns::COLUMNS;
use super::csv_lines::CsvLines;
use super::encode::Encode;
use super::record::ResultRecord;

/// Writes records as CSV.
pub(super) struct CsvEncoder<W: Write> {
    lines: CsvLines<W>,
}

impl<W: Write> CsvEncoder<W> {
    /// Begins a file with its header line.
    pub(super) fn new(file: W, kept_columns: &[String]) -> io::Result<Self> {
        let columns = COLUMNS.into_iter().chain(kept_columns.iter().map(String::as_str));
        Ok(Self { lines: CsvLines::new(file, columns)? })
    }
}

impl<W: Write> Encode for CsvEncoder<W> {
    fn encode(&mut self, record: &ResultRecord) -> io::Result<()> {
        for cell in record.cells() {
            match cell {
                Cell::Absent => self.lines.text("")?,
                Cell::Number(number) => self.lines.number(number)?,
                Cell::Text(text) => self.lines.text(&text)?,
            }
        }
        for kept in &record.kept {
            self.lines.text(kept)?;
        }
        self.lines.end_line()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.lines.flush()
    }
}
