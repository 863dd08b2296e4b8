//! Tells whether a key was probably seen before, in memory of a fixed size.

use std::hash::{BuildHasher as _, Hash, RandomState};

/// How many blocks there are, each as long as a cache line: 12 MiB in all. Of a million different keys not one in a hundred
/// million is taken for an old one, of ten million about one in six hundred.
const BLOCKS: usize = 12 * 1024 * 1024 / size_of::<Block>();

/// One bit for each key in each of its words.
type Block = [u64; 8];

/// How many blocks lie on one page of memory: 4 KiB nearly everywhere, and where pages are larger nothing is lost.
const BLOCKS_A_PAGE: usize = 4_096 / size_of::<Block>();

/// A Bloom filter whose bits for one key lie in one cache line.
///
/// It never takes an old key for a new one; now and then it takes a new one for an old one.
pub(super) struct SeenBefore {
    blocks: Vec<Block>,
    /// Which pages were written to. One that is read first is the system's page of zeros, and to take that back at the first
    /// write it interrupts every processor: more than 0.5 µs a row of a hundred thousand.
    is_written: Vec<bool>,
    hasher: RandomState,
}

impl SeenBefore {
    /// Nothing was seen yet.
    pub(super) fn new() -> Self {
        Self {
            blocks: vec![[0; 8]; BLOCKS],
            is_written: vec![false; BLOCKS / BLOCKS_A_PAGE + 1],
            hasher: RandomState::new(),
        }
    }

    /// Remembers `key`, and says whether it was probably seen before.
    pub(super) fn see(&mut self, key: &impl Hash) -> bool {
        let hash = self.hasher.hash_one(key);
        // The upper bits choose the block, eight times six lower ones a bit of each of its words.
        let place = usize::try_from((u128::from(hash) * BLOCKS as u128) >> 64).unwrap_or_default();
        let page = place / BLOCKS_A_PAGE;
        let (Some(block), Some(is_written)) = (self.blocks.get_mut(place), self.is_written.get_mut(page))
        else {
            return true;
        };
        if !std::mem::replace(is_written, true) {
            *block = [0; 8];
        }
        let mut was_seen = true;
        for (part, word) in block.iter_mut().enumerate() {
            let mask = 1 << ((hash >> (part * 6)) & 0x3f);
            was_seen &= *word & mask != 0;
            *word |= mask;
        }
        was_seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_key_is_always_known_and_a_new_one_mostly_new() {
        let mut seen = SeenBefore::new();
        let mistaken = (0..300_000_u64).filter(|key| seen.see(key)).count();
        assert!(mistaken < 3, "{mistaken}");
        assert!((0..300_000_u64).all(|key| seen.see(&key)));
    }

    #[test]
    fn of_millions_of_keys_few_enough_are_mistaken_that_all_of_them_can_be_compared() {
        let mut seen = SeenBefore::new();
        let mistaken = (0..4_000_000_u64).filter(|key| seen.see(key)).count();
        assert!(mistaken < 500, "{mistaken}");
    }
}
