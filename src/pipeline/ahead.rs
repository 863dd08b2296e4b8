//! Makes what comes next on a thread of its own while what came before is being used.

use std::iter::from_fn;
use std::panic::resume_unwind;
use std::sync::mpsc::sync_channel;

/// How many items go over at a time: waking a thread for each would cost more than it gains.
const BATCH: usize = 512;

/// How many batches may lie ready.
const READY: usize = 2;

/// Gives `consume` the items in their order, while the next ones are made on another thread. Gives back what `consume`
/// gives; items that it leaves are dropped.
pub(super) fn make_ahead<I, R>(items: I, consume: impl FnOnce(&mut dyn Iterator<Item = I::Item>) -> R) -> R
where
    I: Iterator + Send,
    I::Item: Send,
{
    std::thread::scope(|scope| {
        let (ready, batches) = sync_channel(READY);
        scope.spawn(move || {
            let mut items = items;
            loop {
                let batch: Vec<I::Item> = items.by_ref().take(BATCH).collect();
                let is_end = batch.is_empty();
                // Where nobody takes it any more, nothing more is wanted.
                if ready.send(batch).is_err() || is_end {
                    return;
                }
            }
        });
        let mut batch = Vec::new().into_iter();
        let mut taken = from_fn(move || {
            if let Some(item) = batch.next() {
                return Some(item);
            }
            // The end is an empty batch. Without one the other thread panicked, which must not look like the end.
            let next =
                batches.recv().unwrap_or_else(|_| resume_unwind(Box::new("what comes next can't be made")));
            batch = next.into_iter();
            batch.next()
        });
        consume(&mut taken)
    })
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn everything_comes_once_and_in_its_order() {
        let came = make_ahead(0..10_000, |items| items.collect::<Vec<_>>());
        assert_eq!(came, (0..10_000).collect::<Vec<_>>());
    }

    #[test]
    fn a_panic_in_the_making_never_looks_like_the_end() {
        let mut has_ended = false;
        let panicking = (0..1_000).inspect(|item| assert_ne!(*item, 600));
        let caught = catch_unwind(AssertUnwindSafe(|| {
            make_ahead(panicking, |items| {
                items.for_each(drop);
                has_ended = true;
            });
        }));
        assert!(caught.is_err() && !has_ended);
    }

    #[test]
    fn whoever_has_enough_ends_the_making() {
        let mut endless = 0_u64..;
        assert_eq!(make_ahead(&mut endless, |items| items.nth(1_000)), Some(1_000));
        assert!(
            endless.next().unwrap() < 1_000 + 4 * BATCH as u64 + 1_000,
            "it was made far beyond what was taken"
        );
    }
}
