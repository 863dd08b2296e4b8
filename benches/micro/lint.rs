//! The lint of rows that are read already.

use divan::Bencher;
use divan::counter::ItemsCount;
use stara_onboard::manifest::{Format, LintOptions, Linter, Record};

use crate::place::{Place, ROWS};

#[divan::bench]
fn rows(bencher: Bencher<'_, '_>) {
    let place = Place::new();
    let manifest = place.manifest(Format::Csv, ROWS);
    let records: Vec<Record> =
        manifest.records().expect("records").map(|record| record.expect("a record")).collect();
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let mut linter = Linter::new(&manifest, LintOptions::default());
        for record in &records {
            linter.read(record);
        }
        linter.finish()
    });
}
