//! The header of a page.
//!
//! Source: `PageHeader` and the structures in it in the Apache Parquet format's `parquet.thrift`.

use parquet::basic::Encoding;

use super::thrift::{Compact, FieldHeader, STRUCT};

/// What stands in front of a page. Sizes are in bytes and not trusted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageHeader {
    /// The page's size when it is decompressed.
    pub(super) uncompressed_size: usize,
    /// The page's size in the file.
    pub(super) compressed_size: usize,
    /// What the page is.
    pub(super) kind: PageKind,
}

/// What a page is, with what its own header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PageKind {
    /// The values that data pages refer to.
    Dictionary {
        /// How many there are.
        values: u32,
    },
    /// Values after the first version of the format.
    DataV1 {
        /// How many there are, nulls included.
        values: u32,
        /// How they are encoded.
        encoding: Encoding,
        /// Whether definition levels are run-length encoded; the other way has been out of use since 2013.
        are_levels_run_length: bool,
    },
    /// Values after the second version, whose levels are never compressed.
    DataV2 {
        /// How many there are, nulls included.
        values: u32,
        /// How many of them are null.
        nulls: u32,
        /// How many rows there are.
        rows: u32,
        /// How the values are encoded.
        encoding: Encoding,
        /// The definition levels' size.
        definition_levels_size: u32,
        /// The repetition levels' size.
        repetition_levels_size: u32,
        /// Whether the values are compressed.
        is_compressed: bool,
    },
    /// A page without values.
    Index,
}

/// `RLE`, the only encoding of levels in use.
const RUN_LENGTH: i32 = 3;

impl PageHeader {
    /// Reads a header and its length; `None` if the bytes end too early or are no header.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut compact = Compact::new(bytes);
        let (mut kind, mut uncompressed, mut compressed) = (None, None, None);
        let mut details = None;
        compact.structure(|compact, field| {
            match field.id {
                1 => kind = Some(compact.i32_of(field)?),
                2 => uncompressed = Some(compact.i32_of(field)?),
                3 => compressed = Some(compact.i32_of(field)?),
                5 | 7 | 8 if field.kind == STRUCT => details = Some((field.id, Details::read(compact)?)),
                _ => compact.skip(field.kind)?,
            }
            Some(())
        })?;
        let kind = match (kind?, details) {
            (0, Some((5, details))) => details.data_v1()?,
            (1, _) => PageKind::Index,
            (2, Some((7, details))) => PageKind::Dictionary { values: details.unsigned(1)? },
            (3, Some((8, details))) => details.data_v2()?,
            _ => return None,
        };
        let header = Self {
            uncompressed_size: usize::try_from(uncompressed?).ok()?,
            compressed_size: usize::try_from(compressed?).ok()?,
            kind,
        };
        Some((header, compact.position()))
    }
}

/// The integers of the structure for one kind of page, by field id, and its one boolean.
struct Details {
    integers: [Option<i32>; 7],
    is_compressed: bool,
}

impl Details {
    fn read(compact: &mut Compact<'_>) -> Option<Self> {
        let mut details = Self { integers: [None; 7], is_compressed: true };
        compact.structure(|compact, field| details.take(compact, field))?;
        Some(details)
    }

    fn take(&mut self, compact: &mut Compact<'_>, field: FieldHeader) -> Option<()> {
        let slot = usize::try_from(field.id).ok().and_then(|id| self.integers.get_mut(id));
        match (slot, field.kind) {
            (Some(slot), 4..=6) => *slot = Some(compact.i32_of(field)?),
            // `is_compressed` of the second version; a boolean's type is its value.
            (None, 1 | 2) if field.id == 7 => self.is_compressed = field.kind == 1,
            _ => compact.skip(field.kind)?,
        }
        Some(())
    }

    fn integer(&self, id: usize) -> Option<i32> {
        self.integers.get(id).copied().flatten()
    }

    fn unsigned(&self, id: usize) -> Option<u32> {
        u32::try_from(self.integer(id)?).ok()
    }

    fn data_v1(&self) -> Option<PageKind> {
        Some(PageKind::DataV1 {
            values: self.unsigned(1)?,
            encoding: encoding(self.integer(2)?)?,
            are_levels_run_length: self.integer(3)? == RUN_LENGTH,
        })
    }

    fn data_v2(&self) -> Option<PageKind> {
        Some(PageKind::DataV2 {
            values: self.unsigned(1)?,
            nulls: self.unsigned(2)?,
            rows: self.unsigned(3)?,
            encoding: encoding(self.integer(4)?)?,
            definition_levels_size: self.unsigned(5)?,
            repetition_levels_size: self.unsigned(6)?,
            is_compressed: self.is_compressed,
        })
    }
}

/// The encodings that a column of strings can have.
fn encoding(number: i32) -> Option<Encoding> {
    match number {
        0 => Some(Encoding::PLAIN),
        2 => Some(Encoding::PLAIN_DICTIONARY),
        6 => Some(Encoding::DELTA_LENGTH_BYTE_ARRAY),
        7 => Some(Encoding::DELTA_BYTE_ARRAY),
        8 => Some(Encoding::RLE_DICTIONARY),
        9 => Some(Encoding::BYTE_STREAM_SPLIT),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_page_header_is_read_with_its_statistics_passed_over() {
        // type 0, sizes 100 and 50, field 5 {values 7, encoding 8, levels 3 and 3, statistics {5: "z"}}.
        let bytes = [
            0x15, 0, 0x15, 200, 1, 0x15, 100, 0x2c, 0x15, 14, 0x15, 16, 0x15, 6, 0x15, 6, 0x1c, 0x58, 1,
            b'z', 0, 0, 0,
        ];
        let (header, length) = PageHeader::read(&[&bytes[..], b"values"].concat()).unwrap();
        assert_eq!(length, bytes.len());
        assert_eq!((header.uncompressed_size, header.compressed_size), (100, 50));
        assert_eq!(
            header.kind,
            PageKind::DataV1 { values: 7, encoding: Encoding::RLE_DICTIONARY, are_levels_run_length: true }
        );
        for end in 0..bytes.len() {
            assert_eq!(PageHeader::read(&bytes[..end]), None);
        }
    }

    #[test]
    fn negative_sizes_are_no_header() {
        assert_eq!(PageHeader::read(&[0x15, 2, 0x15, 1, 0x15, 1, 0]), None);
    }
}
