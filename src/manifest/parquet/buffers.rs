//! The large pieces of memory of one reading, handed back and used again.
//!
//! Pages of a megabyte come one after another, by the hundred. Were each given back to the allocator and taken anew, it would
//! keep the old ones for a while beside the new ones, and the reading would take twice what it holds.

/// The smallest piece kept. Writers make pages of a mebibyte and a little more; with one size for nearly all of them, none is ever
/// too small for the next one. What isn't written to takes no memory.
const PIECE: usize = 1280 * 1024;

/// Larger capacities are multiples of this, so that a page which is a little larger than the one before fits in its place.
const STEP: usize = 256 * 1024;

/// Less than this is taken as it comes: the allocator has room for it.
const SMALL: usize = 64 * 1024;

/// Larger pieces than this, which hardly any writer makes, are given back to the allocator at once.
const LARGEST_KEPT: usize = 8 * 1024 * 1024;

/// Pieces of memory that nobody uses at the moment.
#[derive(Default)]
pub(super) struct Buffers {
    free: Vec<Vec<u8>>,
}

impl Buffers {
    /// A piece of `size` bytes, whose contents are of no meaning.
    pub(super) fn take(&mut self, size: usize) -> Vec<u8> {
        if size < SMALL {
            return vec![0; size];
        }
        let fitting = (0..self.free.len()).filter(|&at| self.free[at].capacity() >= size);
        let best = fitting.min_by_key(|&at| self.free[at].capacity());
        // Where none is large enough, the largest makes way: what is held never grows by more than is needed.
        let chosen = best.or_else(|| (0..self.free.len()).max_by_key(|&at| self.free[at].capacity()));
        let mut bytes = chosen.map(|at| self.free.swap_remove(at)).unwrap_or_default();
        if bytes.capacity() < size {
            drop(bytes);
            // Zeros that nobody wrote take no memory, so a size that a damaged file claims costs nothing.
            bytes = vec![0; size.next_multiple_of(STEP).max(PIECE)];
        }
        bytes.resize(size, 0);
        bytes
    }

    /// Takes back a piece that is no longer used.
    pub(super) fn give_back(&mut self, bytes: &mut Vec<u8>) {
        let bytes = std::mem::take(bytes);
        if (PIECE..=LARGEST_KEPT).contains(&bytes.capacity()) {
            self.free.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_page_takes_the_place_of_the_one_before() {
        let mut buffers = Buffers::default();
        let mut page = buffers.take(100_000);
        let place = page.as_ptr();
        buffers.give_back(&mut page);
        let page = buffers.take(1_100_000);
        assert_eq!((page.as_ptr(), page.len()), (place, 1_100_000));
    }

    #[test]
    fn the_smallest_that_fits_is_taken_and_a_huge_one_is_not_kept() {
        let mut buffers = Buffers::default();
        for size in [3_000_000, 2_000_000, 20_000_000, 1_000] {
            let mut bytes = vec![1; size];
            buffers.give_back(&mut bytes);
        }
        assert_eq!(buffers.free.len(), 2);
        assert!(buffers.take(200_000).capacity() < 3_000_000);
        assert_eq!(buffers.take(20_000_000).len(), 20_000_000);
        assert!(buffers.free.is_empty(), "the one that was too small made way");
    }
}
