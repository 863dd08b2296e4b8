//! Decodes the values of a page one after another: not into values of their own, but into where they stand.
//!
//! Source: the Apache Parquet format's `Encodings.md`.

use parquet::basic::Encoding;

use super::bits::Hybrid;
use super::delta::{Integers, pass_over};
use super::dictionary::Dictionary;
use super::pages::DataPage;

/// The largest cell, in bytes.
pub(super) const LARGEST_CELL: usize = 64 * 1024;

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    /// Its first byte.
    pub(super) start: u32,
    /// How many bytes it has.
    pub(super) length: u32,
}

impl Place {
    /// So many bytes from `start` on; `None` where a page can't be so large.
    pub(super) fn new(start: usize, length: usize) -> Option<Self> {
        Some(Self { start: u32::try_from(start).ok()?, length: u32::try_from(length).ok()? })
    }

    /// The bytes of this place.
    pub(super) fn of(self, bytes: &[u8]) -> Option<&[u8]> {
        bytes.get(self.start as usize..)?.get(..self.length as usize)
    }
}

/// The value at `at` that has its length before it, in four bytes. `at` is moved behind it.
pub(super) fn prefixed(bytes: &[u8], at: &mut usize) -> Option<Place> {
    let (length, rest) = bytes.get(*at..)?.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    let start = *at + 4;
    *at = (length <= rest.len()).then_some(start + length)?;
    Place::new(start, length)
}

/// In what the places of a page's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The page itself.
    Page,
    /// The dictionary.
    Dictionary,
    /// Bytes that were put together from the page's.
    Built,
}

/// The values of one page that are left.
pub(super) enum Values {
    /// Each with its length before it.
    Prefixed { at: usize },
    /// One behind the other, of one length.
    Fixed { at: usize, width: usize },
    /// Numbers of values in the dictionary.
    Indices(Hybrid),
    /// All lengths, and all values behind them.
    Lengths { lengths: Integers, at: usize },
    /// How much each has in common with the one before, the lengths of what it hasn't, and that.
    Shared { common: Integers, lengths: Integers, at: usize, last: Vec<u8> },
    /// All first bytes, all second bytes and so on.
    Streams { at: usize, next: usize, count: usize, width: usize },
}

impl Values {
    /// The values of `page`, of which so many aren't null; `width` is what all have, if all have the same.
    pub(super) fn open(
        page: &DataPage,
        encoding: Encoding,
        width: Option<usize>,
        count: usize,
    ) -> Option<Self> {
        let (bytes, at) = (&page.bytes, page.section);
        let section = bytes.get(at..)?;
        match (encoding, width) {
            (Encoding::PLAIN, Some(width)) if section.len() == count.checked_mul(width)? => {
                Some(Self::Fixed { at, width })
            }
            // Values of one length, too, were given a length each by a writer, which others bear with.
            (Encoding::PLAIN, _) => Some(Self::Prefixed { at }),
            (Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY, _) => {
                Hybrid::with_width(bytes, at).map(Self::Indices)
            }
            (Encoding::DELTA_LENGTH_BYTE_ARRAY, None) => {
                let (_, rest) = pass_over(section, count as u64)?;
                let lengths = Integers::new(bytes, at)?;
                Some(Self::Lengths { lengths, at: bytes.len() - rest.len() })
            }
            (Encoding::DELTA_BYTE_ARRAY, _) => {
                let (_, rest) = pass_over(section, count as u64)?;
                let (_, suffixes) = pass_over(rest, count as u64)?;
                Some(Self::Shared {
                    common: Integers::new(bytes, at)?,
                    lengths: Integers::new(bytes, bytes.len() - rest.len())?,
                    at: bytes.len() - suffixes.len(),
                    last: Vec::new(),
                })
            }
            (Encoding::BYTE_STREAM_SPLIT, Some(width)) => {
                let is_sound = section.len() == count.checked_mul(width)?;
                is_sound.then_some(Self::Streams { at, next: 0, count, width })
            }
            _ => None,
        }
    }

    /// In what its places are.
    pub(super) const fn origin(&self) -> Origin {
        match self {
            Self::Prefixed { .. } | Self::Fixed { .. } | Self::Lengths { .. } => Origin::Page,
            Self::Indices(_) => Origin::Dictionary,
            Self::Shared { .. } | Self::Streams { .. } => Origin::Built,
        }
    }

    /// Where the next value stands; `None` where the page breaks the format. What stands nowhere as a whole is appended to
    /// `built`, but for a value that is larger than a cell may be.
    pub(super) fn next(
        &mut self,
        bytes: &[u8],
        dictionary: &Dictionary,
        built: &mut Vec<u8>,
    ) -> Option<Place> {
        match self {
            Self::Prefixed { at } => prefixed(bytes, at),
            Self::Fixed { at, width } => {
                let place = Place::new(*at, *width)?;
                *at += *width;
                place.of(bytes).map(|_| place)
            }
            Self::Indices(indices) => dictionary.place(indices.next(bytes)?),
            Self::Lengths { lengths, at } => {
                let place = Place::new(*at, usize::try_from(lengths.next(bytes)?).ok()?)?;
                *at += place.of(bytes)?.len();
                Some(place)
            }
            Self::Shared { common, lengths, at, last } => {
                let common = usize::try_from(common.next(bytes)?).ok()?;
                let length = usize::try_from(lengths.next(bytes)?).ok()?;
                let rest = Place::new(*at, length)?.of(bytes)?;
                *at += length;
                last.get(..common)?;
                let place = Place::new(built.len(), common + length)?;
                if common + length <= LARGEST_CELL {
                    last.truncate(common);
                    last.extend_from_slice(rest);
                    built.extend_from_slice(last);
                }
                Some(place)
            }
            Self::Streams { at, next, count, width } => {
                let place = Place::new(built.len(), *width)?;
                for stream in 0..*width {
                    built.push(*bytes.get(*at + stream * *count + *next)?);
                }
                *next += 1;
                Some(place)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_ends_beyond_its_page_is_refused() {
        let bytes = [2, 0, 0, 0, b'a', b'b', 3, 0, 0, 0, b'c', b'd'];
        let mut at = 0;
        assert_eq!(prefixed(&bytes, &mut at).unwrap().of(&bytes), Some(&b"ab"[..]));
        assert_eq!(prefixed(&bytes, &mut at), None);
        assert_eq!(prefixed(&[0xff; 4], &mut 0), None);
        let mut beyond = usize::MAX;
        assert_eq!(prefixed(&bytes, &mut beyond), None);
    }
}
