//! The first reading of a manifest into the ledger, and the decision for every line.

use divan::Bencher;
use divan::counter::ItemsCount;
use stara_onboard::checkpoint::LedgerWriter;
use stara_onboard::manifest::Format;

use crate::place::{Place, ROWS, attached, stage_as_run};

/// Into an empty ledger, with or without the lint.
#[divan::bench(args = [true, false])]
fn new_rows(bencher: Bencher<'_, '_>, is_linted: bool) {
    let prepared = || {
        let place = Place::new();
        (place.manifest(Format::Csv, ROWS), place.ledger(), place)
    };
    bencher.counter(ItemsCount::new(ROWS)).with_inputs(prepared).bench_local_values(
        |(manifest, mut ledger, place)| {
            let totals = stage_as_run(&mut ledger, &manifest, is_linted);
            (totals, ledger, place)
        },
    );
}

/// The night after: every row is done, and decided again.
#[divan::bench]
fn finished_rows(bencher: Bencher<'_, '_>) {
    let place = Place::new();
    let manifest = place.manifest(Format::Csv, ROWS);
    let mut ledger = place.ledger();
    let run = stage_as_run(&mut ledger, &manifest, true).run;
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut ledger = runtime.block_on(async {
        let (writer, handle) = LedgerWriter::start(ledger, &[]).expect("the writer");
        let ended =
            place.users(run).into_iter().map(|(user, login)| handle.finish(attached(user, login, run)));
        futures::future::try_join_all(ended).await.expect("outcomes");
        writer.finish(handle).await.expect("the ledger")
    });
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| stage_as_run(&mut ledger, &manifest, true));
}
