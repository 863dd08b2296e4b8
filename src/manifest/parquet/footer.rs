//! Checks a footer before it is given to the `parquet` crate, which builds the schema by recursion and takes memory for
//! as many children as an element claims to have.
//!
//! Source: `FileMetaData` and `SchemaElement` in the Apache Parquet format's `parquet.thrift`.

use std::sync::Arc;

use parquet::file::metadata::{
    ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader, ParquetStatisticsPolicy,
};

use super::super::{ManifestProblem, Source};
use super::guard::{guarded, unsound};
use super::thrift::{Compact, LIST, STRUCT};

/// The largest footer read, in bytes. It becomes a multiple of that in memory; a manifest of a thousand row groups has
/// about one megabyte.
const LARGEST_FOOTER: u64 = 16 * 1024 * 1024;

/// The most elements a schema may have.
const MOST_ELEMENTS: usize = 10_000;

/// How deep groups may lie in each other.
const DEEPEST: usize = 64;

/// The footer's length and the magic number, which end every file.
const TAIL: usize = 8;

/// Reads and checks the footer of a file.
pub(super) fn read(source: &Source) -> Result<ParquetMetaData, ManifestProblem> {
    let mut tail = [0; TAIL];
    let body = source.len().checked_sub(TAIL as u64).ok_or_else(|| unsound("it is cut off"))?;
    let read = source.read_at(&mut tail, body).map_err(ManifestProblem::Read)?;
    let [a, b, c, d, magic @ ..] = tail;
    if read < TAIL || &magic != b"PAR1" {
        return Err(unsound("it is cut off, or it wasn't written to its end"));
    }
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    if length > LARGEST_FOOTER {
        return Err(unsound("its footer is larger than 16 MiB"));
    }
    let start = body.checked_sub(length).ok_or_else(|| unsound("its footer is longer than the file"))?;
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    let read = source.read_at(&mut bytes, start).map_err(ManifestProblem::Read)?;
    bytes.truncate(read);
    check(&bytes).ok_or_else(|| unsound("its footer is damaged"))?;
    guarded(|| {
        let mut options = ParquetMetaDataOptions::new();
        // Nothing here looks at statistics, and they may hold cells.
        options.set_column_stats_policy(ParquetStatisticsPolicy::SkipAll);
        options.set_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll);
        options.set_size_stats_policy(ParquetStatisticsPolicy::SkipAll);
        ParquetMetaDataReader::decode_metadata_with_options(&bytes, Some(&Arc::new(options)))
    })
}

/// Walks the whole footer, and checks every schema in it.
fn check(bytes: &[u8]) -> Option<()> {
    Compact::new(bytes).structure(|compact, field| match (field.id, field.kind) {
        (2, LIST) => check_schema(compact),
        (_, kind) => compact.skip(kind),
    })
}

/// A schema is a tree in preorder, where every element says how many children follow it.
fn check_schema(compact: &mut Compact<'_>) -> Option<()> {
    let (kind, size) = compact.list()?;
    if kind != STRUCT || size == 0 || size > MOST_ELEMENTS {
        return None;
    }
    // How many children each open group still waits for.
    let mut open = vec![1];
    for _ in 0..size {
        while open.last() == Some(&0) {
            open.pop();
        }
        *open.last_mut()? -= 1;
        let children = children(compact)?;
        if children > size || open.len() > DEEPEST {
            return None;
        }
        open.push(children);
    }
    open.iter().all(|&left| left == 0).then_some(())
}

/// Passes over a schema element and says how many children it has.
fn children(compact: &mut Compact<'_>) -> Option<usize> {
    let mut children = 0;
    compact.structure(|compact, field| {
        match field.id {
            5 => children = usize::try_from(compact.i32_of(field)?).ok()?,
            _ => compact.skip(field.kind)?,
        }
        Some(())
    })?;
    Some(children)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A footer with nothing but a schema: each element has only its number of children.
    fn footer(children: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x29, 0xfc];
        let size = u8::try_from(children.len()).unwrap();
        bytes.extend_from_slice(&[size & 0x7f | 0x80, size >> 7]);
        for &count in children {
            bytes.extend_from_slice(&[0x55, count * 2, 0]);
        }
        bytes.push(0);
        bytes
    }

    #[test]
    fn a_schema_is_a_tree_that_uses_up_its_elements() {
        assert_eq!(check(&footer(&[2, 0, 1, 0])), Some(()));
        assert_eq!(check(&footer(&[2, 0])), None);
        assert_eq!(check(&footer(&[1, 0, 0])), None);
        assert_eq!(check(&footer(&[60, 0])), None);
    }

    #[test]
    fn groups_that_lie_too_deep_are_refused() {
        let mut chain = vec![1; 200];
        chain.push(0);
        assert_eq!(check(&footer(&chain)), None);
        chain.truncate(20);
        chain.push(0);
        assert_eq!(check(&footer(&chain)), Some(()));
    }
}
