//! Reads Thrift's compact protocol as far as footers and page headers need it.
//!
//! Source: the Apache Thrift compact protocol specification. `None` everywhere means that the bytes end too early or
//! break the protocol; nothing is allocated on the word of the bytes.

use super::varint::varint;

/// How deep structures may lie in each other. Parquet's own go five deep.
const DEEPEST: u32 = 32;

/// A place in bytes that hold compact Thrift.
pub(super) struct Compact<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A field of a structure, before its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FieldHeader {
    /// The field's id in the interface definition.
    pub(super) id: i16,
    /// The type of its value.
    pub(super) kind: u8,
}

/// A signed integer of 16, 32 or 64 bits.
pub(super) const INTEGERS: [u8; 3] = [4, 5, 6];
/// A list.
pub(super) const LIST: u8 = 9;
/// A structure.
pub(super) const STRUCT: u8 = 12;

impl<'a> Compact<'a> {
    /// Begins at the first of `bytes`.
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were read.
    pub(super) const fn position(&self) -> usize {
        self.at
    }

    /// Reads a structure to its end. `take` is given each field and has to read its value, or to pass over it.
    pub(super) fn structure(
        &mut self,
        mut take: impl FnMut(&mut Self, FieldHeader) -> Option<()>,
    ) -> Option<()> {
        let mut id = 0_i16;
        loop {
            let byte = self.byte()?;
            if byte == 0 {
                return Some(());
            }
            // The id is told as the distance from the one before, or written out where that doesn't fit.
            id = match i16::from(byte >> 4) {
                0 => i16::try_from(self.zigzag()?).ok()?,
                distance => id.checked_add(distance)?,
            };
            let kind = byte & 0x0f;
            take(self, FieldHeader { id, kind })?;
        }
    }

    /// The value of an integer field; `None` also if it is no integer of 32 bits.
    pub(super) fn i32_of(&mut self, field: FieldHeader) -> Option<i32> {
        if INTEGERS.contains(&field.kind) { i32::try_from(self.zigzag()?).ok() } else { None }
    }

    /// The beginning of a list: the type of its elements and their number.
    pub(super) fn list(&mut self) -> Option<(u8, usize)> {
        let byte = self.byte()?;
        let size = match byte >> 4 {
            15 => usize::try_from(self.varint()?).ok()?,
            short => usize::from(short),
        };
        // An element takes a byte at least.
        (size <= self.bytes.len() - self.at).then_some((byte & 0x0f, size))
    }

    /// Passes over a value of a type.
    pub(super) fn skip(&mut self, kind: u8) -> Option<()> {
        self.skip_within(kind, DEEPEST)
    }

    fn skip_within(&mut self, kind: u8, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match kind {
            // A boolean field's value is its type.
            1 | 2 => Some(()),
            3 => self.pass(1),
            4..=6 => self.varint().map(|_| ()),
            7 => self.pass(8),
            8 => {
                let length = self.varint()?;
                self.pass(usize::try_from(length).ok()?)
            }
            LIST | 10 => {
                let (kind, size) = self.list()?;
                (0..size).try_for_each(|_| self.skip_element(kind, depth))
            }
            11 => {
                let size = self.varint()?;
                if size == 0 {
                    return Some(());
                }
                let kinds = self.byte()?;
                (0..size).try_for_each(|_| {
                    self.skip_element(kinds >> 4, depth)?;
                    self.skip_element(kinds & 0x0f, depth)
                })
            }
            STRUCT => self.structure(|compact, field| compact.skip_within(field.kind, depth)),
            _ => None,
        }
    }

    /// Passes over an element of a collection, where a boolean takes a byte of its own.
    fn skip_element(&mut self, kind: u8, depth: u32) -> Option<()> {
        match kind {
            1 | 2 => self.pass(1),
            _ => self.skip_within(kind, depth),
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn pass(&mut self, count: usize) -> Option<()> {
        let end = self.at.checked_add(count)?;
        self.at = (end <= self.bytes.len()).then_some(end)?;
        Some(())
    }

    fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn varint(&mut self) -> Option<u64> {
        let (value, rest) = varint(self.bytes.get(self.at..)?)?;
        self.at = self.bytes.len() - rest.len();
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_and_unknown_ones_are_passed_over() {
        // 1: i32 -3; 3: binary "ab"; 4: list of two booleans; 6: struct {1: true}; 40 (long form): i32 150; end.
        let bytes =
            [0x15, 0x05, 0x28, 2, b'a', b'b', 0x19, 0x21, 1, 2, 0x2c, 0x11, 0, 0x05, 80, 0xac, 0x02, 0];
        let mut compact = Compact::new(&bytes);
        let mut integers = Vec::new();
        let end = compact.structure(|compact, field| match field.kind {
            5 => {
                integers.push((field.id, compact.i32_of(field)?));
                Some(())
            }
            kind => compact.skip(kind),
        });
        assert_eq!(end, Some(()));
        assert_eq!(integers, [(1, -3), (40, 150)]);
        assert_eq!(compact.position(), bytes.len());
    }

    #[test]
    fn lists_longer_than_the_bytes_and_bottomless_structures_are_refused() {
        assert_eq!(Compact::new(&[0xf5, 0xff, 0xff, 0xff, 0x7f]).skip(LIST), None);
        assert_eq!(Compact::new(&[0x1c; 10_000]).skip(STRUCT), None);
        assert_eq!(Compact::new(&[0xff; 20]).skip(5), None);
    }
}
