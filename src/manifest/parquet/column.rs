//! One column of one row group, a slice of rows at a time.

use std::sync::Arc;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType};
use parquet::schema::types::ColumnDescPtr;

use super::super::ManifestProblem;
use super::guard::{guarded, unsound};
use super::pages::{Pages, SharedPages};

/// The largest cell, in bytes. It keeps a slice small whatever the pages hold.
const LARGEST_CELL: usize = 64 * 1024;

/// Marks a null among the places of the values.
const NULL: u32 = u32::MAX;

/// Reads a column and keeps the cells of one slice.
pub(super) struct Column {
    descriptor: ColumnDescPtr,
    pages: SharedPages,
    reader: Reader,
    full_level: i16,
    levels: Vec<i16>,
    /// By row of the slice, the place of its value.
    places: Vec<u32>,
}

enum Reader {
    Text(ColumnReaderImpl<ByteArrayType>, Vec<ByteArray>),
    Fixed(ColumnReaderImpl<FixedLenByteArrayType>, Vec<FixedLenByteArray>),
}

impl Reader {
    /// Lets go of the values that were read.
    fn clear(&mut self) {
        match self {
            Self::Text(_, values) => values.clear(),
            Self::Fixed(_, values) => values.clear(),
        }
    }

    /// Reads so many more rows, fewer only where the pages end, and answers how many.
    fn read(&mut self, rows: usize, levels: &mut Vec<i16>) -> parquet::errors::Result<usize> {
        let (records, ..) = match self {
            Self::Text(reader, values) => reader.read_records(rows, Some(levels), None, values)?,
            Self::Fixed(reader, values) => reader.read_records(rows, Some(levels), None, values)?,
        };
        Ok(records)
    }

    /// Puts another reader of the same column in the place of this one, whose memory is given back.
    fn renew(&mut self, other: ColumnReader) {
        match (self, other) {
            (Self::Text(reader, _), ColumnReader::ByteArrayColumnReader(other)) => *reader = other,
            (Self::Fixed(reader, _), ColumnReader::FixedLenByteArrayColumnReader(other)) => *reader = other,
            // The descriptor is the same, and so is the type.
            _ => {}
        }
    }
}

impl Column {
    /// Begins before the first row.
    pub(super) fn open(descriptor: ColumnDescPtr, pages: Pages) -> Result<Self, ManifestProblem> {
        let full_level = descriptor.max_def_level();
        let pages = SharedPages::new(pages);
        let reader = match get_column_reader(Arc::clone(&descriptor), Box::new(pages.clone())) {
            ColumnReader::ByteArrayColumnReader(reader) => Reader::Text(reader, Vec::new()),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => Reader::Fixed(reader, Vec::new()),
            _ => return Err(unsound("a column isn't of the type its schema says")),
        };
        Ok(Self { descriptor, pages, reader, full_level, levels: Vec::new(), places: Vec::new() })
    }

    /// Reads the next `rows` rows in place of those before.
    pub(super) fn read(&mut self, rows: usize) -> Result<(), ManifestProblem> {
        self.levels.clear();
        self.reader.clear();
        let mut records = guarded(|| self.reader.read(rows, &mut self.levels))?;
        while records < rows && self.pages.resume() {
            self.reader.renew(get_column_reader(Arc::clone(&self.descriptor), Box::new(self.pages.clone())));
            records += guarded(|| self.reader.read(rows - records, &mut self.levels))?;
        }
        if records != rows {
            return Err(unsound("its columns are of different lengths"));
        }
        let (values, largest) = match &self.reader {
            Reader::Text(_, values) => (values.len(), values.iter().map(ByteArray::len).max()),
            Reader::Fixed(_, values) => (values.len(), values.iter().map(|value| value.len()).max()),
        };
        if largest > Some(LARGEST_CELL) {
            return Err(unsound("it has a cell of more than 64 KiB"));
        }
        self.place(rows, values)
    }

    /// A cell of the slice; empty for a null.
    pub(super) fn cell(&self, row: usize) -> &[u8] {
        let place = match self.places.get(row) {
            Some(&place) if place != NULL => place as usize,
            _ => return &[],
        };
        match &self.reader {
            Reader::Text(_, values) => values.get(place).map_or(&[], |value| value.data()),
            Reader::Fixed(_, values) => values.get(place).map_or(&[], |value| value.data()),
        }
    }

    /// Finds each row's value: only those at the full level have one.
    fn place(&mut self, rows: usize, values: usize) -> Result<(), ManifestProblem> {
        self.places.clear();
        let mut next = 0;
        if self.full_level == 0 {
            self.places.extend((0_u32..).take(rows));
            next = self.places.len();
        } else {
            for &level in &self.levels {
                if level == self.full_level {
                    self.places.push(u32::try_from(next).unwrap_or(NULL));
                    next += 1;
                } else {
                    self.places.push(NULL);
                }
            }
        }
        if self.places.len() == rows && next == values {
            Ok(())
        } else {
            Err(unsound("a column's levels and values don't match"))
        }
    }
}
