//! CSV manifests.
//!
//! Main types: [`Text`], a source as a stream of UTF-8; [`Layout`], its delimiter and columns, found once; and
//! [`CsvRecords`], one reading of its rows.
//!
//! This part may not judge a cell: it finds them, and `row` judges them.

mod layout;
mod record_reader;
mod records;
mod text;

pub(super) use layout::Layout;
pub(super) use records::CsvRecords;
pub(super) use text::Text;
