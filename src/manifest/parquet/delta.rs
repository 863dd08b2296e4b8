//! Walks over delta-encoded integers without decoding them, to learn how many there are before memory is taken for them.
//!
//! Source: "Delta Encoding" (`DELTA_BINARY_PACKED`) in the Apache Parquet format's `Encodings.md`.

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

    #[test]
    fn a_run_of_none_or_one_has_no_blocks() {
        assert_eq!(pass_over(&[0x80, 1, 4, 0, 0, 7], 9), Some((0, &[7][..])));
        assert_eq!(pass_over(&[0x80, 1, 4, 1, 8, 7], 9), Some((1, &[7][..])));
    }
}
