//! Reading a manifest: opening it, which for a CSV reads it once to decide its encoding, and its records.

use divan::Bencher;
use divan::counter::ItemsCount;
use stara_onboard::manifest::Format;

use crate::place::{Place, ROWS};

#[divan::bench(args = [Format::Csv, Format::Parquet])]
fn open(bencher: Bencher<'_, '_>, format: Format) {
    let place = Place::new();
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| place.manifest(format, ROWS));
}

#[divan::bench(args = [Format::Csv, Format::Parquet])]
fn read(bencher: Bencher<'_, '_>, format: Format) {
    let place = Place::new();
    let manifest = place.manifest(format, ROWS);
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        manifest
            .records()
            .expect("records")
            .try_fold(0, |rows, record| record.map(|_| rows + 1))
            .expect("rows")
    });
}
