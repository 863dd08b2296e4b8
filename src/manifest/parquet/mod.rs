//! Parquet manifests.
//!
//! Main types: [`ParquetFile`], a file whose footer was read and whose columns were found, and [`ParquetRecords`], one
//! reading of its rows in slices, so that a row group of millions takes no more memory than one of ten.
//!
//! Footer and pages are read through the `parquet` crate, but nothing in a file is trusted to it that could make it take
//! gigabytes or overflow the stack: sizes, counts and nesting are checked here first, and pages are decompressed here
//! into buffers that can't grow. What still makes the crate panic becomes an error.
//!
//! This part may not judge a cell: it finds them, and `row` judges them.

mod bits;
mod buffers;
mod codec;
mod column;
mod delta;
mod dictionary;
mod file;
mod footer;
mod guard;
mod page_header;
mod pages;
mod records;
mod schema;
mod thrift;
mod values;
mod varint;

pub(super) use file::ParquetFile;
pub(super) use records::ParquetRecords;
