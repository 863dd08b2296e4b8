//! Results as comma-separated values, for people with a spreadsheet.
//!
//! UTF-8 without a byte-order mark; quoted as RFC 4180 says, only where it must be. Lines end with LF alone: spreadsheets
//! read either, and to line-oriented tools a CR would be part of the last cell.

use std::io::{self, Write};

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};

use super::cell::Cell;
use super::columns::COLUMNS;
use super::encode::Encode;
use super::record::ResultRecord;

/// What is handed to the file at once, in bytes.
const BUFFER: usize = 256 * 1024;

/// Writes records as CSV.
pub(super) struct CsvEncoder<W: Write> {
    writer: Writer<W>,
    number: String,
}

impl<W: Write> CsvEncoder<W> {
    /// Begins a file with its header line.
    pub(super) fn new(file: W, kept_columns: &[String]) -> io::Result<Self> {
        let writer = WriterBuilder::new()
            .quote_style(QuoteStyle::Necessary)
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(BUFFER)
            .from_writer(file);
        let mut encoder = Self { writer, number: String::new() };
        for name in COLUMNS.into_iter().chain(kept_columns.iter().map(String::as_str)) {
            encoder.text(name)?;
        }
        encoder.end_line()?;
        Ok(encoder)
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        if is_formula(text) {
            self.writer.write_field(format!("'{text}"))?;
        } else {
            self.writer.write_field(text)?;
        }
        Ok(())
    }

    fn number(&mut self, number: u64) -> io::Result<()> {
        use std::fmt::Write as _;
        self.number.clear();
        write!(self.number, "{number}").map_err(io::Error::other)?;
        self.writer.write_field(&self.number)?;
        Ok(())
    }

    fn end_line(&mut self) -> io::Result<()> {
        self.writer.write_record(None::<&[u8]>)?;
        Ok(())
    }
}

impl<W: Write> Encode for CsvEncoder<W> {
    fn encode(&mut self, record: &ResultRecord) -> io::Result<()> {
        for cell in record.cells() {
            match cell {
                Cell::Absent => self.text("")?,
                Cell::Number(number) => self.number(number)?,
                Cell::Text(text) => self.text(&text)?,
            }
        }
        for kept in &record.kept {
            self.text(kept)?;
        }
        self.end_line()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Whether a spreadsheet might take the cell for a formula and carry it out.
///
/// Source: OWASP, "CSV Injection". It names the four signs, tab, CR and LF, and the signs' full-width forms, which some
/// language versions read like the plain ones. Such a cell gets one leading `'`; a reader that wants the exact text uses
/// JSON lines or Parquet.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_carry_out_is_a_formula() {
        for text in ["=1+1", "+55 11", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠x"]
        {
            assert!(is_formula(text), "{text:?}");
        }
        for text in ["", "a=1", " =1", "'=1", "ana@example.com", "007", "ação", "—"] {
            assert!(!is_formula(text), "{text:?}");
        }
    }
}
