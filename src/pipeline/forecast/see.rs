//! Sees what Leaf holds for a forecast, and tells which part of that a run would see by Leaf's list.

use crate::checkpoint::{Ledger, LedgerError, Subjects};
use crate::pipeline::hosts::Hosts;
use crate::pipeline::journey::JourneyRules;
use crate::pipeline::listed::list_use_of;
use crate::pipeline::truth::{ListReading, ListUse, Looking, look_at_unseen, read_list};

/// What was seen, beside the sights in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Seen {
    /// Users of whom nothing could be seen.
    pub(super) failed: u64,
    /// How many pages of the list the run would read; `None` where it wouldn't read it.
    pub(super) pages_of_run: Option<u64>,
    /// Whether a row that the list shows to be attached would end with that.
    pub(super) is_list_proof: bool,
}

/// Looks at the users of rows that are to be carried out; with `refresh` at those of done ones, too.
pub(super) async fn see(
    hosts: &Hosts,
    ledger: &Ledger,
    rules: JourneyRules,
    list_use: ListUse,
    at_once: usize,
    refresh: bool,
) -> Result<Seen, LedgerError> {
    let of_run = list_use_of(list_use, rules);
    let rows_of_run = ledger.begin_seeing(Subjects::RowsToDo)?;
    let subjects = if refresh { Subjects::RowsWithWorkOrDone } else { Subjects::RowsWithWork };
    let subjects = ledger.begin_seeing(subjects)?;
    if !rules.precheck && !refresh {
        return Ok(Seen::default());
    }
    let begins = rows_of_run > 0 && of_run.begins(rows_of_run, ledger.users_at_leaf()?);
    let reading = if refresh {
        read_list(hosts, ledger, list_use, subjects).await?
    } else {
        read_list(hosts, ledger, of_run, rows_of_run).await?
    };
    let looking = if hosts.stop.is_draining() {
        Looking::default()
    } else {
        look_at_unseen(hosts, ledger, at_once).await?
    };
    let (pages, is_whole) =
        if refresh { pages_of_run(of_run, rows_of_run, reading) } else { (reading.pages, reading.pages > 0) };
    Ok(Seen {
        failed: looking.failed,
        pages_of_run: begins.then_some(pages),
        is_list_proof: begins && is_whole,
    })
}

/// How many pages a run over fewer users would have read of a list that was read for more, and whether all of them.
fn pages_of_run(list_use: ListUse, rows: u64, reading: ListReading) -> (u64, bool) {
    match reading.of {
        Some(pages) if list_use.goes_on(rows, pages) => (pages, true),
        Some(_) => (1, false),
        None if list_use.goes_on(rows, reading.pages) => (reading.pages, true),
        None => (rows.min(reading.pages), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_over_few_rows_reads_no_more_of_the_list_than_is_worth_it() {
        let reading = |pages, of| ListReading { pages, of, failed: 0 };
        let cheaper = ListUse::WhereCheaper;
        assert_eq!(pages_of_run(cheaper, 50, reading(20, Some(20))), (20, true));
        assert_eq!(pages_of_run(cheaper, 10, reading(20, Some(20))), (1, false));
        assert_eq!(pages_of_run(cheaper, 10, reading(20, None)), (10, false));
        assert_eq!(pages_of_run(ListUse::Always, 1, reading(20, None)), (20, true));
    }
}
