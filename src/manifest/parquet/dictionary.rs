//! The values that a column's pages refer to by number.

use super::super::ManifestProblem;
use super::buffers::Buffers;
use super::pages::contradicting;
use super::schema::ValueType;
use super::values::{Place, prefixed};

/// Of how many values one's place is kept; the others are found from there. The places of all would take a quarter as much memory
/// as short values do.
const STRIDE: u32 = 8;

/// A dictionary, or the room for one.
#[derive(Default)]
pub(super) struct Dictionary {
    bytes: Vec<u8>,
    layout: Layout,
}

#[derive(Default)]
enum Layout {
    /// There is no dictionary.
    #[default]
    None,
    /// Values of any length, each with its length before it, by where every so many-th of them begins.
    Prefixed { starts: Vec<u32>, count: u32 },
    /// Values of one length.
    Fixed { width: usize, count: u32 },
}

impl Dictionary {
    /// Whether there is one.
    pub(super) fn is_there(&self) -> bool {
        !matches!(self.layout, Layout::None)
    }

    /// What the places of its values are in.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes a dictionary page of so many values.
    pub(super) fn fill(
        &mut self,
        bytes: Vec<u8>,
        count: u32,
        values: ValueType,
    ) -> Result<(), ManifestProblem> {
        self.layout = match values.width() {
            Some(width) if bytes.len() == count as usize * width => Layout::Fixed { width, count },
            // Text, or values of one length that a writer gave a length each, which others bear with, too.
            _ => {
                let mut starts = Vec::with_capacity(count.div_ceil(STRIDE) as usize);
                let mut at = 0;
                for index in 0..count {
                    if index % STRIDE == 0 {
                        starts.push(u32::try_from(at).map_err(|_| contradicting())?);
                    }
                    prefixed(&bytes, &mut at).ok_or_else(contradicting)?;
                }
                Layout::Prefixed { starts, count }
            }
        };
        self.bytes = bytes;
        Ok(())
    }

    /// Where a value stands; `None` if there aren't so many.
    pub(super) fn place(&self, index: u32) -> Option<Place> {
        match &self.layout {
            Layout::None => None,
            Layout::Prefixed { starts, count } => {
                let start = starts.get((index / STRIDE) as usize).filter(|_| index < *count)?;
                let mut at = *start as usize;
                for _ in 0..index % STRIDE {
                    prefixed(&self.bytes, &mut at)?;
                }
                prefixed(&self.bytes, &mut at)
            }
            Layout::Fixed { width, count } => {
                let start = (index < *count).then_some(index as usize * width)?;
                Place::new(start, *width)
            }
        }
    }

    /// Lets go of it.
    pub(super) fn release(&mut self, buffers: &mut Buffers) {
        self.layout = Layout::None;
        buffers.give_back(&mut self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(bytes: Vec<u8>, count: u32, values: ValueType) -> Dictionary {
        let mut dictionary = Dictionary::default();
        dictionary.fill(bytes, count, values).unwrap();
        dictionary
    }

    #[test]
    fn every_value_is_found_by_its_number_and_none_beyond() {
        let mut bytes = Vec::new();
        for index in 0..20_u8 {
            bytes.extend_from_slice(&u32::from(index % 3).to_le_bytes());
            bytes.extend(std::iter::repeat_n(index, usize::from(index % 3)));
        }
        let dictionary = filled(bytes, 20, ValueType::Text);
        for index in 0..20_u8 {
            let value = dictionary.place(u32::from(index)).and_then(|place| place.of(dictionary.bytes()));
            assert_eq!(value, Some(&vec![index; usize::from(index % 3)][..]));
        }
        assert_eq!(dictionary.place(20), None);
    }

    #[test]
    fn values_of_one_length_are_found_with_and_without_a_length_of_their_own() {
        let plain = filled(b"abcdef".to_vec(), 3, ValueType::FixedText(2));
        let prefixed = filled(b"\x02\0\0\0ab\x02\0\0\0cd".to_vec(), 2, ValueType::FixedText(2));
        for dictionary in [plain, prefixed] {
            let value = dictionary.place(1).and_then(|place| place.of(dictionary.bytes()));
            assert_eq!(value, Some(&b"cd"[..]));
            assert_eq!(dictionary.place(3), None);
        }
    }
}
