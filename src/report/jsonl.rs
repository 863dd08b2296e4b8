//! Results as JSON lines: one object a record, every column in every object, `null` where there is no value.

use std::io::{self, BufWriter, Write};

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::cell::Cell;
use super::columns::COLUMNS;
use super::encode::Encode;
use super::record::ResultRecord;

/// What is handed to the file at once, in bytes.
const BUFFER: usize = 256 * 1024;

/// Writes records as JSON lines.
pub(super) struct JsonlEncoder<'a, W: Write> {
    writer: BufWriter<W>,
    kept_columns: &'a [String],
}

impl<'a, W: Write> JsonlEncoder<'a, W> {
    /// Begins a file, in which nothing stands before the first record.
    pub(super) fn new(file: W, kept_columns: &'a [String]) -> Self {
        Self { writer: BufWriter::with_capacity(BUFFER, file), kept_columns }
    }
}

impl<W: Write> Encode for JsonlEncoder<'_, W> {
    fn encode(&mut self, record: &ResultRecord) -> io::Result<()> {
        let object = Object { record, kept_columns: self.kept_columns };
        serde_json::to_writer(&mut self.writer, &object)?;
        self.writer.write_all(b"\n")
    }

    fn finish(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

struct Object<'a> {
    record: &'a ResultRecord,
    kept_columns: &'a [String],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(COLUMNS.len() + self.kept_columns.len()))?;
        for (name, cell) in COLUMNS.iter().zip(self.record.cells()) {
            match cell {
                Cell::Absent => object.serialize_entry(name, &())?,
                Cell::Number(number) => object.serialize_entry(name, &number)?,
                Cell::Text(text) => object.serialize_entry(name, &*text)?,
            }
        }
        for (name, cell) in self.kept_columns.iter().zip(&self.record.kept) {
            object.serialize_entry(name, cell)?;
        }
        object.end()
    }
}
