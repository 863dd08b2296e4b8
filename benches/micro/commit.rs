//! What the writer makes durable: an intent and an outcome a row, handed over by so many rows side by side. With one row each
//! commit is one write and one flush to the disk; with 256 many rows share one.

use divan::Bencher;
use divan::counter::ItemsCount;
use futures::stream::{self, StreamExt as _};
use stara_onboard::checkpoint::{Intent, LedgerWriter};
use stara_onboard::manifest::Format;
use stara_onboard::model::UnixMillis;

use crate::place::{Place, attached, stage_as_run};

/// How many rows each measurement takes: so few that one at a time doesn't take for ever.
const ROWS: u32 = 512;

#[divan::bench(args = [1, 64, 256], sample_count = 20)]
fn rows_side_by_side(bencher: Bencher<'_, '_>, side_by_side: usize) {
    let place = Place::new();
    let mut ledger = place.ledger();
    let run = stage_as_run(&mut ledger, &place.manifest(Format::Csv, ROWS), false).run;
    let users = place.users(run);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    let (writer, handle) = LedgerWriter::start(ledger, &[]).expect("the writer");
    bencher.counter(ItemsCount::new(users.len())).bench_local(|| {
        let rows = users.iter().map(|(user, login)| {
            let handle = &handle;
            async move {
                let intent = Intent {
                    at: UnixMillis(1_795_269_800_000),
                    attaches: 1,
                    acknowledged: false,
                    over_nothing: false,
                    replacing: false,
                    removing: None,
                    login: Some(login.clone()),
                    run: Some(run),
                };
                handle.intend(*user, intent).await.expect("an intent");
                handle.finish(attached(*user, login.clone(), run)).await.expect("an outcome");
            }
        });
        runtime.block_on(stream::iter(rows).buffer_unordered(side_by_side).count())
    });
    runtime.block_on(writer.finish(handle)).expect("the ledger");
}
