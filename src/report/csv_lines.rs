//! Comma-separated values, line after line, with formulas defused.
//!
//! UTF-8 without a byte-order mark; quoted as RFC 4180 says, only where it must be. Lines end with LF alone: spreadsheets
//! read either, and to line-oriented tools a CR would be part of the last cell.

use std::fmt::Write as _;
use std::io::{self, Write};

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};

/// What is handed to the file at once, in bytes.
const BUFFER: usize = 256 * 1024;

/// Writes cells and ends lines.
pub(super) struct CsvLines<W: Write> {
    writer: Writer<W>,
    number: String,
}

impl<W: Write> CsvLines<W> {
    /// Begins a file with its header line.
    pub(super) fn new<'a>(file: W, columns: impl IntoIterator<Item = &'a str>) -> io::Result<Self> {
        let writer = WriterBuilder::new()
            .quote_style(QuoteStyle::Necessary)
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(BUFFER)
            .from_writer(file);
        let mut lines = Self { writer, number: String::new() };
        for name in columns {
            lines.text(name)?;
        }
        lines.end_line()?;
        Ok(lines)
    }

    /// Writes a cell of text.
    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        if is_formula(text) {
            self.writer.write_field(format!("'{text}"))?;
        } else {
            self.writer.write_field(text)?;
        }
        Ok(())
    }

    /// Writes a cell with a number.
    pub(super) fn number(&mut self, number: u64) -> io::Result<()> {
        self.number.clear();
        write!(self.number, "{number}").map_err(io::Error::other)?;
        self.writer.write_field(&self.number)?;
        Ok(())
    }

    /// Ends the line.
    pub(super) fn end_line(&mut self) -> io::Result<()> {
        self.writer.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// Hands everything to the file.
    pub(super) fn flush(&mut self) -> io::Result<()> {
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
