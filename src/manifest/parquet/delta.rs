//! Delta-encoded integers: walked over without decoding them, to learn where they end, and decoded one after another.
//!
//! Source: "Delta Encoding" (`DELTA_BINARY_PACKED`) in the Apache Parquet format's `Encodings.md`.

use super::bits::packed;
use super::varint::varint;

/// How many integers a run announces, and the bytes after it; `None` if it breaks the format.
///
/// `most` is how many there may be: with a bit width of zero, a few bytes announce billions.
pub(super) fn pass_over(bytes: &[u8], most: u64) -> Option<(u64, &[u8])> {
    let mut run = Run { bytes };
    let block_size = run.varint()?;
    let blocks_in_block = run.varint()?;
    let count = run.varint()?;
    run.varint()?;
    if count > most || blocks_in_block == 0 || blocks_in_block > block_size || block_size > 1 << 20 {
        return None;
    }
    let values_per_mini_block = block_size / blocks_in_block;
    // The first value stands in the header.
    let mut left = count.saturating_sub(1);
    while left > 0 {
        run.varint()?;
        let widths = run.take(blocks_in_block)?;
        for &width in widths {
            // Mini blocks that no value is left for have a width, but no bytes.
            if left > 0 {
                run.take(values_per_mini_block * u64::from(width) / 8)?;
                left = left.saturating_sub(values_per_mini_block);
            }
        }
    }
    Some((count, run.bytes))
}

/// Decodes a run that [`pass_over`] found sound, without holding what it is decoded from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Integers {
    at: usize,
    left: u64,
    value: i64,
    is_first: bool,
    values_per_mini_block: u64,
    mini_blocks: u64,
    /// Of the block: what every value has at least, where the widths stand, and how many mini blocks were entered.
    least: i64,
    widths: usize,
    entered: u64,
    /// Of the mini block: how many values are left, where the next one begins, and their width.
    left_here: u64,
    bit: u64,
    width: u32,
}

impl Integers {
    /// Begins at `start`.
    pub(super) fn new(bytes: &[u8], start: usize) -> Option<Self> {
        let mut run = Run { bytes: bytes.get(start..)? };
        let (block_size, mini_blocks) = (run.varint()?, run.varint()?);
        let (left, first) = (run.varint()?, run.zigzag()?);
        Some(Self {
            at: bytes.len() - run.bytes.len(),
            left,
            value: first,
            is_first: true,
            values_per_mini_block: block_size.checked_div(mini_blocks).filter(|&values| values > 0)?,
            mini_blocks,
            least: 0,
            widths: 0,
            entered: mini_blocks,
            left_here: 0,
            bit: 0,
            width: 0,
        })
    }

    /// The next integer of `bytes`, always the same; `None` beyond the end or where they break the format.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Option<i64> {
        self.left = self.left.checked_sub(1)?;
        if std::mem::take(&mut self.is_first) {
            return Some(self.value);
        }
        if self.left_here == 0 {
            self.enter(bytes)?;
        }
        let more = packed(bytes, self.bit, self.width)?;
        self.bit += u64::from(self.width);
        self.left_here -= 1;
        self.value = self.value.wrapping_add(self.least).wrapping_add(more.cast_signed());
        Some(self.value)
    }

    fn enter(&mut self, bytes: &[u8]) -> Option<()> {
        if self.entered == self.mini_blocks {
            let mut run = Run { bytes: bytes.get(self.at..)? };
            self.least = run.zigzag()?;
            self.widths = bytes.len() - run.bytes.len();
            run.take(self.mini_blocks)?;
            self.at = bytes.len() - run.bytes.len();
            self.entered = 0;
        }
        let width = *bytes.get(self.widths + usize::try_from(self.entered).ok()?)?;
        self.width = u32::from(width);
        if self.width > 64 {
            return None;
        }
        self.entered += 1;
        self.left_here = self.values_per_mini_block;
        self.bit = self.at as u64 * 8;
        let size = self.values_per_mini_block.checked_mul(u64::from(width))? / 8;
        self.at = self.at.checked_add(usize::try_from(size).ok()?)?;
        Some(())
    }
}

struct Run<'a> {
    bytes: &'a [u8],
}

impl<'a> Run<'a> {
    fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(usize::try_from(count).ok()?)?;
        self.bytes = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let (value, rest) = varint(self.bytes)?;
        self.bytes = rest;
        Some(value)
    }

    fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_passed_over_to_the_byte_behind_it() {
        // Block of 128 in 4 mini blocks, 34 values, first 5; minimum 0; widths 2 and 1 for the 33 values that follow.
        let mut bytes = vec![0x80, 1, 4, 34, 10, 0, 2, 1, 9, 9];
        bytes.extend_from_slice(&[0xff; 8 + 4]);
        bytes.extend_from_slice(b"rest");
        assert_eq!(pass_over(&bytes, 34), Some((34, &b"rest"[..])));
        assert_eq!(pass_over(&bytes, 33), None);
        assert_eq!(pass_over(&bytes[..15], 34), None);
    }

    fn all(bytes: &[u8]) -> Vec<i64> {
        let mut integers = Integers::new(bytes, 0).unwrap();
        std::iter::from_fn(|| integers.next(bytes)).collect()
    }

    #[test]
    fn the_examples_of_the_format_are_decoded() {
        // 1 to 5, which need no bit, and 7, 5, 3, 1, 2, 3, 4, 5 with two bits and the least distance -2: from Encodings.md, in
        // blocks of 128 values in 4 mini blocks.
        assert_eq!(all(&[0x80, 1, 4, 5, 2, 2, 0, 0, 0, 0]), [1, 2, 3, 4, 5]);
        let packed = [0b1100_0000, 0b0011_1111, 0, 0, 0, 0, 0, 0];
        let bytes = [&[0x80, 1, 4, 8, 14, 3, 2, 0, 0, 0][..], &packed].concat();
        assert_eq!(all(&bytes), [7, 5, 3, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn values_go_on_over_mini_blocks_of_several_widths() {
        // 34 values from 5 on: 32 of width 2 that are all 3, then one of width 1 that is 1.
        let mut bytes = vec![0x80, 1, 4, 34, 10, 0, 2, 1, 9, 9];
        bytes.extend_from_slice(&[0xff; 8 + 4]);
        let values = all(&bytes);
        assert_eq!((values.len(), values[1], values[32], values[33]), (34, 8, 5 + 32 * 3, 5 + 32 * 3 + 1));
        assert_eq!(all(&bytes[..12]).len(), 9, "the rest is cut off");
        assert!(Integers::new(&[0x80, 1, 0, 5, 2], 0).is_none());
    }

    #[test]
    fn a_run_of_none_or_one_has_no_blocks() {
        assert_eq!(pass_over(&[0x80, 1, 4, 0, 0, 7], 9), Some((0, &[7][..])));
        assert_eq!(pass_over(&[0x80, 1, 4, 1, 8, 7], 9), Some((1, &[7][..])));
    }
}
