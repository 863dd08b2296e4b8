//! Writing results that are read already, in each format; and reading them from the ledger.

use std::convert::Infallible;

use divan::Bencher;
use divan::counter::ItemsCount;
use stara_onboard::manifest::Format;
use stara_onboard::model::{Login, Origin, OutcomeCode, Stage, UnixMillis};
use stara_onboard::report::{ReportFormat, ResultRecord, RunFacts, write_report};

use crate::place::{Place, ROWS, stage_as_run, user};

#[divan::bench(args = [ReportFormat::Csv, ReportFormat::Jsonl, ReportFormat::Parquet, ReportFormat::Html])]
fn write(bencher: Bencher<'_, '_>, format: ReportFormat) {
    let place = Place::new();
    let path = place.path("results");
    let records: Vec<ResultRecord> = (0..ROWS).map(record).collect();
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        write_report(&path, format, &RunFacts::default(), records.iter().cloned().map(Ok::<_, Infallible>))
            .expect("a report")
    });
}

#[divan::bench]
fn read_from_ledger(bencher: Bencher<'_, '_>) {
    let place = Place::new();
    let mut ledger = place.ledger();
    let run = stage_as_run(&mut ledger, &place.manifest(Format::Csv, ROWS), false).run;
    bencher
        .counter(ItemsCount::new(ROWS))
        .bench_local(|| ledger.with_results(run, |results| results.count()).expect("results"));
}

fn record(row: u32) -> ResultRecord {
    ResultRecord {
        line: u64::from(row) + 2,
        leaf_user_id: Some(user(row)),
        login: Some(Login::new(format!("grower{row}@fazenda.example"))),
        outcome: OutcomeCode::Attached,
        origin: Some(Origin::Created),
        stage: Some(Stage::Verify),
        http_status: Some(200),
        attempts: Some(1),
        credential_id: Some(user(row).to_string()),
        credential_status: Some("OK".to_owned()),
        finished_at: Some(UnixMillis(1_795_269_800_125 + i64::from(row))),
        message: String::new(),
        kept: Vec::new(),
        not_selected: false,
    }
}
