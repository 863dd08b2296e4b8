//! Integers packed in bits, the lowest bit first, and the encoding that mixes them with runs of one value.
//!
//! Source: "Run Length Encoding / Bit-Packing Hybrid" in the Apache Parquet format's `Encodings.md`.

use super::varint::varint;

/// The integer of `width` bits, at most 64, that begins at bit `offset`; `None` beyond the end.
pub(super) fn packed(bytes: &[u8], offset: u64, width: u32) -> Option<u64> {
    if width == 0 {
        return Some(0);
    }
    let start = usize::try_from(offset / 8).ok()?;
    let shift = u32::try_from(offset % 8).ok()?;
    // At most 7 + 64 bits, which lie in 9 bytes.
    let size = (shift + width).div_ceil(8) as usize;
    let mut padded = [0; 16];
    padded[..size].copy_from_slice(bytes.get(start..start.checked_add(size)?)?);
    let shifted = u128::from_le_bytes(padded) >> shift;
    let value = shifted & ((1_u128 << width) - 1);
    u64::try_from(value).ok()
}

/// Decodes integers of one width, one after another, without holding what they are decoded from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hybrid {
    at: usize,
    end: usize,
    width: u32,
    left: u64,
    run: Run,
}

/// What the values that are left are.
#[derive(Debug, Clone, Copy)]
enum Run {
    /// All the same.
    Repeated(u32),
    /// Packed from this bit on.
    Packed(u64),
}

impl Default for Run {
    fn default() -> Self {
        Self::Repeated(0)
    }
}

impl Hybrid {
    /// Begins at `start`, and reads nothing behind `end`; `None` for values of more than 32 bits.
    pub(super) fn new(start: usize, end: usize, width: u32) -> Option<Self> {
        (width <= 32).then_some(Self { at: start, end, width, ..Self::default() })
    }

    /// Begins with the byte that tells the width, as indices of a dictionary do. Where there is none there are no values.
    pub(super) fn with_width(bytes: &[u8], start: usize) -> Option<Self> {
        match bytes.get(start) {
            Some(&width) => Self::new(start + 1, bytes.len(), u32::from(width)),
            None => Self::new(start, start, 0),
        }
    }

    /// The next value of `bytes`, always the same; `None` beyond the end or where they break the format.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Option<u32> {
        while self.left == 0 {
            self.enter(bytes.get(..self.end)?)?;
        }
        self.left -= 1;
        match &mut self.run {
            Run::Repeated(value) => Some(*value),
            Run::Packed(offset) => {
                let value = packed(bytes.get(..self.end)?, *offset, self.width)?;
                *offset += u64::from(self.width);
                u32::try_from(value).ok()
            }
        }
    }

    fn enter(&mut self, bytes: &[u8]) -> Option<()> {
        let (header, rest) = varint(bytes.get(self.at..)?)?;
        self.at = bytes.len() - rest.len();
        let count = header >> 1;
        if header & 1 == 0 {
            let size = self.width.div_ceil(8) as usize;
            let mut value = [0; 4];
            value[..size].copy_from_slice(rest.get(..size)?);
            self.at += size;
            (self.left, self.run) = (count, Run::Repeated(u32::from_le_bytes(value)));
        } else {
            let size = usize::try_from(count.checked_mul(u64::from(self.width))?).ok()?;
            self.left = count.checked_mul(8)?;
            self.run = Run::Packed(self.at as u64 * 8);
            // Some writers leave out what fills the last group.
            self.at = self.at.saturating_add(size).min(bytes.len());
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], width: u32) -> Vec<u32> {
        let mut values = Hybrid::new(0, bytes.len(), width).unwrap();
        std::iter::from_fn(|| values.next(bytes)).collect()
    }

    #[test]
    fn the_example_of_the_format_is_read() {
        // 0 to 7 in three bits each, from Encodings.md.
        assert_eq!(all(&[3, 0b1000_1000, 0b1100_0110, 0b1111_1010], 3), [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn runs_and_packed_values_follow_each_other() {
        let bytes = [8, 1, 3, 0b1010_0101, 0, 4, 0];
        assert_eq!(all(&bytes, 1), [1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 0, 1]);
        assert_eq!(all(&bytes[..6], 1).len(), 12);
        assert_eq!(all(&[6, 0x34, 0x12], 12), [0x1234; 3]);
        assert_eq!(all(&[6], 0), [0, 0, 0]);
    }

    #[test]
    fn an_integer_may_take_all_bits_and_lie_across_nine_bytes() {
        let mut bytes = [0; 9];
        bytes[0] = 0b1000_0000;
        bytes[8] = 0b0111_1111;
        assert_eq!(packed(&bytes, 7, 64), Some(1 | 0x7f << 57));
        assert_eq!(packed(&[0xff; 9], 8, 64), Some(u64::MAX));
        assert_eq!(packed(&[0xff; 9], 9, 64), None);
        assert_eq!(packed(&[], 1_000, 0), Some(0));
    }

    #[test]
    fn damage_gives_an_end_and_no_endless_run_of_empty_runs() {
        assert!(all(&[0; 1_000], 0).is_empty());
        assert!(all(&[0xff; 12], 8).is_empty());
        assert_eq!(all(&[5, 7], 8), [7]);
        assert!(Hybrid::new(0, 9, 33).is_none());
    }
}
