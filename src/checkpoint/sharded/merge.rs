//! Brings what several ledgers hold into one order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Gives what several sources hold in the order of their places, mostly lines of a manifest, each source being in that order
/// itself. It holds one item of each source. Behind an error there is nothing more.
#[derive(Debug)]
pub struct Merged<I, P, T> {
    sources: Vec<I>,
    /// The next item of each source.
    heads: Vec<Option<T>>,
    /// The places of those items, and which sources they are of.
    order: BinaryHeap<Reverse<(P, usize)>>,
    /// The source whose next item isn't read yet.
    unread: std::ops::Range<usize>,
}

impl<I, P, T, E> Merged<I, P, T>
where
    I: Iterator<Item = Result<(P, T), E>>,
    P: Ord,
{
    /// Merges sources of items with their places.
    #[must_use]
    pub fn new(sources: Vec<I>) -> Self {
        let heads = sources.iter().map(|_| None).collect();
        let unread = 0..sources.len();
        Self { sources, heads, order: BinaryHeap::new(), unread }
    }

    /// Reads the next items of the sources whose last one is gone.
    fn read(&mut self) -> Result<(), E> {
        for source in std::mem::take(&mut self.unread) {
            if let Some(next) = self.sources.get_mut(source).and_then(Iterator::next) {
                let (place, item) = next?;
                self.order.push(Reverse((place, source)));
                self.heads[source] = Some(item);
            }
        }
        Ok(())
    }
}

impl<I, P, T, E> Iterator for Merged<I, P, T>
where
    I: Iterator<Item = Result<(P, T), E>>,
    P: Ord,
{
    type Item = Result<(P, T), E>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.read() {
            self.order.clear();
            return Some(Err(error));
        }
        let Reverse((place, source)) = self.order.pop()?;
        self.unread = source..source + 1;
        self.heads[source].take().map(|item| Ok((place, item)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Lines = Vec<Result<(u64, usize), &'static str>>;

    fn merged(sources: Vec<Lines>) -> Lines {
        Merged::new(sources.into_iter().map(Vec::into_iter).collect()).collect()
    }

    #[test]
    fn behind_an_error_nothing_more_is_given() {
        let first = vec![Ok((2, 0)), Err("the disk"), Ok((5, 0))];
        let given = merged(vec![first, vec![Ok((3, 1)), Ok((9, 1))]]);
        assert_eq!(given, [Ok((2, 0)), Err("the disk")]);
        assert_eq!(merged(vec![Vec::new(), vec![Err("the disk")]]), [Err("the disk")]);
        assert_eq!(merged(Vec::new()), []);
    }

    proptest! {
        #[test]
        fn however_lines_are_divided_they_come_in_their_order(owners in prop::collection::vec(0_usize..7, 0..200)) {
            let lines: Vec<_> = (2_u64..).zip(owners).collect();
            let of = |source| lines.iter().filter(|(_, owner)| *owner == source).map(|line| Ok(*line)).collect();
            let expected: Lines = lines.iter().map(|line| Ok(*line)).collect();
            prop_assert_eq!(merged((0..7).map(of).collect()), expected);
        }
    }
}
