//! Arbitrary texts in a CSV report: no cell is a formula, and reading it back gives the same texts.

#![no_main]

use std::convert::Infallible;

use libfuzzer_sys::fuzz_target;
use stara_onboard::model::{Login, OutcomeCode};
use stara_onboard::report::{ReportFormat, ResultRecord, RunFacts, write_report};

fuzz_target!(|texts: Vec<String>| {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder");
    let path = folder.path().join("results.csv");
    let record = |(place, text): (usize, &String)| ResultRecord {
        line: place as u64 + 2,
        leaf_user_id: None,
        login: Some(Login::new(text.as_str())),
        outcome: OutcomeCode::Attached,
        origin: None,
        stage: None,
        http_status: None,
        attempts: None,
        credential_id: None,
        credential_status: Some(text.clone()),
        finished_at: None,
        message: String::new(),
        kept: vec![text.clone()],
        not_selected: false,
    };
    let records = texts.iter().enumerate().map(|text| Ok::<_, Infallible>(record(text)));
    let facts = RunFacts::of_columns(&["kept".to_owned()]);
    assert_eq!(write_report(&path, ReportFormat::Csv, &facts, records).expect("a report"), texts.len() as u64);
    let mut reader = csv::Reader::from_path(&path).expect("a CSV");
    let mut lines = 0;
    for (line, text) in reader.records().zip(&texts) {
        let line = line.expect("a line");
        lines += 1;
        for cell in &line {
            let first = cell.chars().next();
            assert!(!first.is_some_and(|first| "=+-@\t\r\n＝＋－＠".contains(first)), "a formula");
        }
        for cell in [&line[2], &line[line.len() - 1]] {
            assert!(cell == text || cell.strip_prefix('\'') == Some(text), "another text");
        }
    }
    assert_eq!(lines, texts.len());
});
