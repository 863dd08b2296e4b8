//! How many rows may lend their slots at a time.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

/// The most rows that have lent their slots to others. With a wait of 1.5 ms for a group and nothing but the disk to wait for, the tool
/// kept 0.85 of a bare program's speed with 64 and 0.92 with 192; each holds a row's memory.
const MOST: usize = 256;

/// How many may in any case. So few are back in time on every host, which shows when more of them would be, too.
const LEAST: usize = 16;

/// After how many rows that were back in time one more may lend its slot. Where a twentieth of a second was lost, to another program or
/// another guest of the machine, the number is as before after about a second of a fast host.
const IN_TIME_FOR_ONE_MORE: usize = 64;

/// From how many rows in flight on slots are lent. Fewer are kept to, row by row.
const ROWS_WORTH_LENDING: usize = 32;

/// Bounds the rows that have lent their slots. Where the disk is what they wait for, all may; where the host is, they would wait for
/// their slots in step with those that have them, and few do.
#[derive(Debug)]
pub(super) struct Lending {
    loans: Semaphore,
    bound: AtomicUsize,
    most: usize,
    in_time: AtomicUsize,
}

/// The loan of one slot. One that is dropped tells nothing.
#[derive(Debug)]
pub(super) struct Loan<'a> {
    lending: &'a Lending,
    place: SemaphorePermit<'a>,
}

impl Lending {
    /// For a run with so many rows in flight.
    pub(super) fn new(concurrency: usize) -> Self {
        Self::of_at_most(most_lent(concurrency))
    }

    fn of_at_most(most: usize) -> Self {
        let (loans, bound) = (Semaphore::new(most), AtomicUsize::new(most));
        Self { loans, bound, most, in_time: AtomicUsize::new(0) }
    }

    /// Lends a slot, unless too many are lent.
    pub(super) fn lend(&self) -> Option<Loan<'_>> {
        self.loans.try_acquire().ok().map(|place| Loan { lending: self, place })
    }

    /// Moves the bound by `step` of one, unless it is at its end already.
    fn moves(&self, step: impl Fn(usize) -> Option<usize>) -> bool {
        self.bound.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).is_ok()
    }
}

impl Loan<'_> {
    /// Ends a loan after which the row had a slot again in time.
    pub(super) fn end_in_time(self) {
        let Self { lending, place } = self;
        drop(place);
        let is_turn = lending.in_time.fetch_add(1, Ordering::Relaxed) % IN_TIME_FOR_ONE_MORE
            == IN_TIME_FOR_ONE_MORE - 1;
        if is_turn && lending.moves(|bound| (bound < lending.most).then_some(bound + 1)) {
            lending.loans.add_permits(1);
        }
    }

    /// Ends a loan after which the row waited for a slot too long.
    pub(super) fn end_late(self) {
        let Self { lending, place } = self;
        if lending.moves(|bound| (bound > LEAST).then(|| bound - 1)) {
            place.forget();
        }
    }
}

fn most_lent(concurrency: usize) -> usize {
    #[cfg(test)]
    if crate::model::simulated::is_on() {
        // The fewer slots there are, the sooner rows would wait for one another for ever.
        return concurrency;
    }
    if concurrency < ROWS_WORTH_LENDING { 0 } else { MOST }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(lending: &Lending) -> Vec<Loan<'_>> {
        std::iter::from_fn(|| lending.lend()).collect()
    }

    /// How many can lend their slots now.
    fn places(lending: &Lending) -> usize {
        all(lending).len()
    }

    fn end_all_late(lending: &Lending) {
        all(lending).into_iter().for_each(Loan::end_late);
    }

    #[test]
    fn where_rows_come_back_late_few_lend_their_slots_but_some_always_do() {
        let lending = Lending::of_at_most(40);
        lending.lend().unwrap().end_late();
        assert_eq!(places(&lending), 39);
        for _ in 0..100 {
            end_all_late(&lending);
        }
        assert_eq!(places(&lending), LEAST);
    }

    #[test]
    fn after_a_moment_in_which_all_were_late_as_many_as_before_lend_their_slots_again() {
        let lending = Lending::of_at_most(40);
        end_all_late(&lending);
        assert_eq!(places(&lending), LEAST);
        for _ in 0..(40 - LEAST) * IN_TIME_FOR_ONE_MORE {
            lending.lend().unwrap().end_in_time();
        }
        assert_eq!(places(&lending), 40);
        for _ in 0..10 * IN_TIME_FOR_ONE_MORE {
            lending.lend().unwrap().end_in_time();
        }
        assert_eq!(places(&lending), 40, "and never more");
    }

    #[test]
    fn a_row_that_is_abandoned_meanwhile_takes_no_place_with_it() {
        let lending = Lending::of_at_most(2);
        drop(lending.lend());
        assert_eq!(places(&lending), 2);
    }

    #[test]
    fn few_rows_in_flight_keep_their_slots() {
        assert_eq!(places(&Lending::new(ROWS_WORTH_LENDING - 1)), 0);
        assert_eq!(places(&Lending::new(ROWS_WORTH_LENDING)), MOST);
    }
}
