//! What every format can do.

use std::io;

use super::record::ResultRecord;

/// Writes records to a report in one format. What stands before the first record is written when it is made.
pub(super) trait Encode {
    /// Writes one record. Its kept cells are as many as the kept columns.
    fn encode(&mut self, record: &ResultRecord) -> io::Result<()>;

    /// Writes what stands behind the last record, and hands everything to the file.
    fn finish(&mut self) -> io::Result<()>;
}
