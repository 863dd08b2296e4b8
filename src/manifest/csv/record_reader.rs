//! Splits a stream into records of cells, with the exact line of each and limits on how far one may run.

use std::io;
use std::ops::Range;

use csv_core::ReadRecordResult;

use super::super::encoding::Encoding;
use super::super::stream::Bytes;
use super::super::{Delimiter, ManifestProblem};

/// The longest record in bytes of UTF-8, its line end not counted. A grower's row has some hundred.
const MOST_BYTES: usize = 64 * 1024;

/// The most physical lines a record may cover.
const MOST_LINES: u64 = 20;

/// How much of the stream is read at a time.
const BLOCK_BYTES: usize = 64 * 1024;

/// Reads one record after another into buffers that are used again.
///
/// It drives `csv-core`, the parser inside the `csv` crate, by itself: `csv` takes the end of the file for the end of an
/// open quote, has no limit on a record, and tells a record's line before the blank lines that it skips.
pub(super) struct RecordReader {
    stream: Bytes,
    encoding: Encoding,
    parser: csv_core::Reader,
    block: Vec<u8>,
    block_start: usize,
    block_end: usize,
    is_at_end: bool,
    /// The line on which the next byte of the stream stands, from 1.
    line: u64,
    /// Whether the byte before is a carriage return whose line isn't counted yet, for a line feed may follow.
    is_after_return: bool,
    record_line: u64,
    cells: Vec<u8>,
    cell_ends: Vec<usize>,
    cell_count: usize,
}

/// How far the record that is being read came.
#[derive(Default)]
struct Extent {
    read: usize,
    cells_end: usize,
    last: u8,
}

impl RecordReader {
    /// Reads `stream`, which is UTF-8; `encoding` is what it was before, for messages.
    pub(super) fn new(stream: Bytes, encoding: Encoding, delimiter: Delimiter) -> Self {
        Self {
            stream,
            encoding,
            parser: csv_core::ReaderBuilder::new().delimiter(delimiter.as_byte()).build(),
            block: vec![0; BLOCK_BYTES],
            block_start: 0,
            block_end: 0,
            is_at_end: false,
            line: 1,
            is_after_return: false,
            record_line: 1,
            cells: vec![0; 1024],
            cell_ends: vec![0; 16],
            cell_count: 0,
        }
    }

    /// Goes to the next record; `false` at the end of the stream.
    pub(super) fn advance(&mut self) -> Result<bool, ManifestProblem> {
        self.cell_count = 0;
        if !self.skip_line_ends()? {
            return Ok(false);
        }
        self.record_line = self.line;
        let lines_before = self.parser.line();
        let mut extent = Extent::default();
        while !self.parse_some(&mut extent) {
            self.check(&extent, self.parser.line() - lines_before + 1)?;
            if self.block_start == self.block_end && !self.fill()? {
                // At the end of the file a line feed ends every record but one whose quote is still open.
                if !self.parse_end(&mut extent) {
                    return Err(self.runaway("is never closed"));
                }
                break;
            }
        }
        let line_feeds = self.parser.line() - lines_before;
        let inner_line_feeds = line_feeds - u64::from(extent.last == b'\n');
        self.check(&extent, inner_line_feeds + 1)?;
        self.line += inner_line_feeds + u64::from(extent.last == b'\n');
        self.is_after_return = extent.last == b'\r';
        Ok(true)
    }

    /// The physical line on which the record begins, from 1.
    pub(super) fn record_line(&self) -> u64 {
        self.record_line
    }

    /// How many cells the record has.
    pub(super) fn cell_count(&self) -> usize {
        self.cell_count
    }

    /// A cell's bytes by its index from 0; empty beyond the last one.
    pub(super) fn cell(&self, index: usize) -> &[u8] {
        self.cell_range(index).map_or(&[], |range| &self.cells[range])
    }

    fn cell_range(&self, index: usize) -> Option<Range<usize>> {
        let end = *self.cell_ends[..self.cell_count].get(index)?;
        let start = match index {
            0 => 0,
            _ => self.cell_ends[index - 1],
        };
        Some(start..end)
    }

    /// Skips to the first byte of the next record, over the rest of a line end and over blank lines.
    fn skip_line_ends(&mut self) -> Result<bool, ManifestProblem> {
        loop {
            while self.block_start < self.block_end {
                match self.block[self.block_start] {
                    b'\n' => {
                        self.line += 1;
                        self.is_after_return = false;
                    }
                    byte => {
                        // A return that no line feed follows ends a line by itself, as on the old Macintosh.
                        self.line += u64::from(self.is_after_return);
                        self.is_after_return = byte == b'\r';
                        if byte != b'\r' {
                            return Ok(true);
                        }
                    }
                }
                self.block_start += 1;
            }
            if !self.fill()? {
                return Ok(false);
            }
        }
    }

    /// Parses what is in the block; whether the record is complete.
    fn parse_some(&mut self, extent: &mut Extent) -> bool {
        while self.block_start < self.block_end {
            let input = &self.block[self.block_start..self.block_end];
            let (result, read, written, ends) = self.parser.read_record(
                input,
                &mut self.cells[extent.cells_end..],
                &mut self.cell_ends[self.cell_count..],
            );
            if read > 0 {
                extent.last = input[read - 1];
            }
            self.block_start += read;
            extent.read += read;
            if self.take(&result, written, ends, extent) {
                return true;
            }
        }
        false
    }

    /// Ends the record at the end of the stream; `false` if an open quote keeps it from ending.
    fn parse_end(&mut self, extent: &mut Extent) -> bool {
        loop {
            let (result, read, written, ends) = self.parser.read_record(
                b"\n",
                &mut self.cells[extent.cells_end..],
                &mut self.cell_ends[self.cell_count..],
            );
            if self.take(&result, written, ends, extent) {
                extent.last = b'\n';
                return true;
            }
            if read > 0 {
                return false;
            }
        }
    }

    /// Takes what the parser wrote, makes room for what it couldn't, and says whether the record is complete.
    fn take(&mut self, result: &ReadRecordResult, written: usize, ends: usize, extent: &mut Extent) -> bool {
        extent.cells_end += written;
        self.cell_count += ends;
        match result {
            ReadRecordResult::Record => return true,
            ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
            ReadRecordResult::OutputEndsFull => self.cell_ends.resize(self.cell_ends.len() * 2, 0),
            ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
        }
        false
    }

    fn check(&self, extent: &Extent, lines: u64) -> Result<(), ManifestProblem> {
        let line_end = usize::from(matches!(extent.last, b'\n' | b'\r'));
        if extent.read > MOST_BYTES + line_end {
            Err(self.runaway("is longer than 64 KiB"))
        } else if lines > MOST_LINES {
            Err(self.runaway("covers more than 20 lines"))
        } else {
            Ok(())
        }
    }

    fn runaway(&self, what: &'static str) -> ManifestProblem {
        ManifestProblem::Runaway { line: self.record_line, what }
    }

    /// Reads the next block; `false` at the end of the stream.
    fn fill(&mut self) -> Result<bool, ManifestProblem> {
        while !self.is_at_end {
            match self.stream.read(&mut self.block) {
                Ok(0) => self.is_at_end = true,
                Ok(read) => {
                    self.block_start = 0;
                    self.block_end = read;
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_at_end = true;
                    return Err(ManifestProblem::from_stream(error, self.encoding.name(), self.line));
                }
            }
        }
        Ok(false)
    }
}
