//! Tells whether a key was probably seen before, in memory of a fixed size.

use std::hash::{BuildHasher as _, Hash, RandomState};

/// How many blocks there are, each as long as a cache line: 16 MiB in all. With five million keys about one in a thousand
/// new ones is taken for an old one.
const BLOCKS: usize = 1 << 18;

/// The words of a block.
const WORDS: usize = 8;

/// A Bloom filter whose bits for one key lie in one cache line.
///
/// It never takes an old key for a new one; now and then it takes a new one for an old one.
pub(super) struct SeenBefore {
    blocks: Vec<[u64; WORDS]>,
    hasher: RandomState,
}

impl SeenBefore {
    /// Nothing was seen yet.
    pub(super) fn new() -> Self {
        Self { blocks: vec![[0; WORDS]; BLOCKS], hasher: RandomState::new() }
    }

    /// Remembers `key`, and says whether it was probably seen before.
    pub(super) fn see(&mut self, key: &impl Hash) -> bool {
        let hash = self.hasher.hash_one(key);
        // The upper bits choose the block, four times nine lower ones a bit of it each.
        let block = &mut self.blocks[usize::try_from(hash >> (64 - 18)).unwrap_or(0)];
        let mut was_seen = true;
        for part in 0..4 {
            let bit = (hash >> (part * 9)) & 0x1ff;
            let (word, mask) = (usize::try_from(bit >> 6).unwrap_or(0), 1 << (bit & 63));
            was_seen &= block[word] & mask != 0;
            block[word] |= mask;
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
        assert!(mistaken < 300, "{mistaken}");
        assert!((0..300_000_u64).all(|key| seen.see(&key)));
    }
}
