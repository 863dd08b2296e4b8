//! Results as Parquet: snappy pages, UTF-8 strings, 64-bit integers, null where there is no value.

use std::io::{self, Write};
use std::sync::Arc;

use bytes::BytesMut;
use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnPath, Type};

use super::cell::Cell;
use super::columns::COLUMNS;
use super::encode::Encode;
use super::record::ResultRecord;

/// The most rows in a row group, which is held in memory until it is complete.
const ROWS_IN_GROUP: usize = 8 * 1024;

/// The most bytes of text in a row group: kept cells can be long, and memory must stay bounded.
const BYTES_IN_GROUP: usize = 8 * 1024 * 1024;

/// How many strings are handed to a column's writer at a time.
const BATCH: usize = 1024;

/// The columns that hold numbers.
const NUMBERS: [&str; 3] = ["line", "httpStatus", "attempts"];

/// The columns that every record has a value for; the kept columns are others of that kind.
const REQUIRED: [&str; 6] = ["line", "outcome", "message", "advice", "owner", "nextRun"];

/// The columns in which nearly every value is another: a dictionary of them would only cost time.
const DISTINCT: [&str; 5] = ["line", "leafUserId", "login", "credentialId", "finishedAt"];

/// Writes records as Parquet.
pub(super) struct ParquetEncoder<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Column>,
    rows: usize,
}

impl<W: Write + Send> ParquetEncoder<W> {
    /// Begins a file with the report's columns and the kept ones.
    pub(super) fn new(file: W, kept_columns: &[String]) -> io::Result<Self> {
        let kept = kept_columns.iter().map(|name| (name.as_str(), true));
        let names = COLUMNS.into_iter().map(|name| (name, REQUIRED.contains(&name))).chain(kept);
        let fields = names.map(|(name, required)| field(name, required).map(Arc::new));
        let schema = Type::group_type_builder("results")
            .with_fields(fields.collect::<Result<_, _>>().map_err(io_error)?)
            .build()
            .map_err(io_error)?;
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            // Minima and maxima for a whole chunk suffice to skip it; page indexes would grow with the file.
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true);
        for name in DISTINCT {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(name), false);
        }
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties.build()))
            .map_err(io_error)?;
        let columns = COLUMNS
            .into_iter()
            .map(|name| Column::new(NUMBERS.contains(&name), REQUIRED.contains(&name)))
            .chain(kept_columns.iter().map(|_| Column::new(false, true)))
            .collect();
        Ok(Self { writer, columns, rows: 0 })
    }

    fn write_row_group(&mut self) -> io::Result<()> {
        let mut group = self.writer.next_row_group().map_err(io_error)?;
        for column in &mut self.columns {
            let mut writer = group
                .next_column()
                .map_err(io_error)?
                .ok_or_else(|| io::Error::other("the schema has fewer columns than the record"))?;
            column.write(&mut writer).map_err(io_error)?;
            writer.close().map_err(io_error)?;
        }
        group.close().map_err(io_error)?;
        self.rows = 0;
        Ok(())
    }
}

impl<W: Write + Send> Encode for ParquetEncoder<W> {
    fn encode(&mut self, record: &ResultRecord) -> io::Result<()> {
        let kept = record.kept.iter().map(|cell| Cell::Text(cell.into()));
        for (column, cell) in self.columns.iter_mut().zip(record.cells().into_iter().chain(kept)) {
            column.push(&cell)?;
        }
        self.rows += 1;
        let bytes: usize = self.columns.iter().map(|column| column.text.len()).sum();
        if self.rows >= ROWS_IN_GROUP || bytes >= BYTES_IN_GROUP {
            self.write_row_group()?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.rows > 0 {
            self.write_row_group()?;
        }
        self.writer.finish().map_err(io_error)?;
        Ok(())
    }
}

/// One column of the row group that is being gathered. Text lies end to end in one buffer: sixteen strings a row, each
/// with an allocation of its own, would take more memory than their text.
struct Column {
    is_number: bool,
    is_required: bool,
    numbers: Vec<i64>,
    /// Its memory is used again for the next row group.
    text: BytesMut,
    lengths: Vec<usize>,
    /// For each row 1 if it has a value, else 0: Parquet's definition level of an optional column.
    levels: Vec<i16>,
}

impl Column {
    fn new(is_number: bool, is_required: bool) -> Self {
        Self {
            is_number,
            is_required,
            numbers: Vec::new(),
            text: BytesMut::new(),
            lengths: Vec::new(),
            levels: Vec::new(),
        }
    }

    fn push(&mut self, cell: &Cell<'_>) -> io::Result<()> {
        match cell {
            Cell::Absent => self.levels.push(0),
            Cell::Number(number) => {
                self.numbers.push(i64::try_from(*number).map_err(io::Error::other)?);
                self.levels.push(1);
            }
            Cell::Text(text) => {
                self.text.extend_from_slice(text.as_bytes());
                self.lengths.push(text.len());
                self.levels.push(1);
            }
        }
        Ok(())
    }

    /// Writes the rows gathered so far and forgets them.
    fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        if self.is_number {
            let levels = (!self.is_required).then_some(self.levels.as_slice());
            writer.typed::<Int64Type>().write_batch(&self.numbers, levels, None)?;
        } else {
            let text = ByteArray::from(self.text.split().freeze());
            let mut lengths = self.lengths.iter();
            let mut start = 0;
            for levels in self.levels.chunks(BATCH) {
                let present = levels.iter().filter(|&&level| level == 1).count();
                let strings: Vec<ByteArray> = lengths
                    .by_ref()
                    .take(present)
                    .map(|length| {
                        start += length;
                        text.slice(start - length, *length)
                    })
                    .collect();
                let levels = (!self.is_required).then_some(levels);
                writer.typed::<ByteArrayType>().write_batch(&strings, levels, None)?;
            }
        }
        self.numbers.clear();
        self.lengths.clear();
        self.levels.clear();
        Ok(())
    }
}

fn field(name: &str, is_required: bool) -> Result<Type, ParquetError> {
    let (physical, logical) = if NUMBERS.contains(&name) {
        (PhysicalType::INT64, None)
    } else {
        (PhysicalType::BYTE_ARRAY, Some(LogicalType::String))
    };
    let repetition = if is_required { Repetition::REQUIRED } else { Repetition::OPTIONAL };
    Type::primitive_type_builder(name, physical)
        .with_logical_type(logical)
        .with_repetition(repetition)
        .build()
}

/// The file's own error where there is one, so that a full disk is called a full disk.
fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}
