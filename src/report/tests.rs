//! The formats to the byte, and what becomes of files when something fails.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ::parquet::file::metadata::RowGroupMetaData;
use ::parquet::file::reader::{FileReader as _, SerializedFileReader};
use ::parquet::record::Field;

use super::csv::CsvEncoder;
use super::encode::Encode;
use super::jsonl::JsonlEncoder;
use super::page::PageEncoder;
use super::parquet::ParquetEncoder;
use super::{COLUMNS, ReportError, ReportFormat, ResultRecord, RunFacts, write_report};
use crate::model::{Login, Origin, OutcomeCode, Stage, UnixMillis};

#[derive(Debug, thiserror::Error)]
#[error("the ledger is gone")]
struct LedgerGone;

fn record(line: u64, outcome: OutcomeCode) -> ResultRecord {
    ResultRecord {
        line,
        leaf_user_id: Some("0a1b2c3d-0000-4000-8000-00000000abcd".parse().unwrap()),
        login: Some(Login::new("ana@example.com")),
        outcome,
        origin: None,
        stage: Some(Stage::Attach),
        http_status: None,
        attempts: Some(1),
        credential_id: None,
        credential_status: None,
        finished_at: Some(UnixMillis(1_795_269_800_125)),
        message: "said so".to_owned(),
        kept: Vec::new(),
        not_selected: false,
    }
}

fn attached() -> ResultRecord {
    ResultRecord {
        origin: Some(Origin::Created),
        stage: Some(Stage::Verify),
        http_status: Some(200),
        attempts: Some(2),
        credential_id: Some("c-1".to_owned()),
        credential_status: Some("OK".to_owned()),
        kept: vec!["São Bento, norte".to_owned(), "=1+1".to_owned()],
        ..record(2, OutcomeCode::Attached)
    }
}

fn invalid() -> ResultRecord {
    ResultRecord {
        line: 3,
        leaf_user_id: None,
        login: None,
        outcome: OutcomeCode::ManifestInvalid,
        stage: Some(Stage::Manifest),
        attempts: None,
        message: "column 2 (login) is \"empty\"\nor blank".to_owned(),
        kept: vec![String::new(), "007".to_owned()],
        ..record(3, OutcomeCode::ManifestInvalid)
    }
}

fn not_reached() -> ResultRecord {
    ResultRecord {
        login: Some(Login::new("+55 11 5555")),
        stage: None,
        attempts: None,
        finished_at: None,
        kept: vec!["\tx".to_owned(), "\r".to_owned()],
        ..record(4, OutcomeCode::NotReached)
    }
}

fn kept_columns() -> Vec<String> {
    vec!["farm".to_owned(), "-id".to_owned()]
}

fn written(format: ReportFormat, kept: &[String], records: Vec<ResultRecord>) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("results");
    let expected = records.len() as u64;
    let facts = RunFacts::of_columns(kept);
    let count = write_report(&path, format, &facts, records.into_iter().map(Ok::<_, LedgerGone>)).unwrap();
    assert_eq!(count, expected);
    fs::read(&path).unwrap()
}

fn names_in(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn parquet_reader(bytes: &[u8]) -> SerializedFileReader<File> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    SerializedFileReader::new(file).unwrap()
}

/// Reads Parquet back: the columns' names, and each row's values, the strings as they are and `null` for none.
fn read_parquet(bytes: &[u8]) -> (Vec<String>, Vec<Vec<String>>) {
    let reader = parquet_reader(bytes);
    let schema = reader.metadata().file_metadata().schema_descr();
    let names = schema.columns().iter().map(|column| column.name().to_owned());
    let names = names.collect();
    let rows = reader
        .get_row_iter(None)
        .unwrap()
        .map(|row| {
            row.unwrap()
                .get_column_iter()
                .map(|(_, field)| match field {
                    Field::Null => "null".to_owned(),
                    Field::Str(text) => text.clone(),
                    Field::Long(number) => format!("#{number}"),
                    other => panic!("no column is of the type of {other}"),
                })
                .collect()
        })
        .collect();
    (names, rows)
}

#[test]
fn csv_is_this_to_the_byte() {
    let bytes = written(ReportFormat::Csv, &kept_columns(), vec![attached(), invalid(), not_reached()]);
    let expected = concat!(
        "line,leafUserId,login,outcome,origin,stage,httpStatus,attempts,credentialId,credentialStatus,",
        "finishedAt,message,advice,owner,nextRun,farm,'-id\n",
        "2,0a1b2c3d-0000-4000-8000-00000000abcd,ana@example.com,attached,created,verify,200,2,c-1,OK,",
        "2026-11-21T14:03:20.125Z,said so,Nothing to do.,nobody,\"does nothing, as long as the row is unchanged\",\"São Bento, norte\",'=1+1\n",
        "3,,,manifest-invalid,,manifest,,,,,",
        "2026-11-21T14:03:20.125Z,\"column 2 (login) is \"\"empty\"\"\nor blank\",",
        "\"Correct the line the message names, then run again.\",you,reads the line again,,007\n",
        "4,0a1b2c3d-0000-4000-8000-00000000abcd,'+55 11 5555,not-reached,,,,,,,",
        ",said so,Run the same command again to go on.,nobody,tries again,'\tx,\"'\r\"\n",
    );
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn json_lines_are_this_to_the_byte() {
    let bytes = written(ReportFormat::Jsonl, &kept_columns(), vec![attached(), invalid(), not_reached()]);
    let expected = concat!(
        r#"{"line":2,"leafUserId":"0a1b2c3d-0000-4000-8000-00000000abcd","login":"ana@example.com","#,
        r#""outcome":"attached","origin":"created","stage":"verify","httpStatus":200,"attempts":2,"#,
        r#""credentialId":"c-1","credentialStatus":"OK","finishedAt":"2026-11-21T14:03:20.125Z","#,
        r#""message":"said so","advice":"Nothing to do.","owner":"nobody","nextRun":"does nothing, as long as the row is unchanged","farm":"São Bento, norte","-id":"=1+1"}"#,
        "\n",
        r#"{"line":3,"leafUserId":null,"login":null,"outcome":"manifest-invalid","origin":null,"#,
        r#""stage":"manifest","httpStatus":null,"attempts":null,"credentialId":null,"credentialStatus":null,"#,
        r#""finishedAt":"2026-11-21T14:03:20.125Z","message":"column 2 (login) is \"empty\"\nor blank","#,
        r#""advice":"Correct the line the message names, then run again.","owner":"you","#,
        r#""nextRun":"reads the line again","farm":"","-id":"007"}"#,
        "\n",
        r#"{"line":4,"leafUserId":"0a1b2c3d-0000-4000-8000-00000000abcd","login":"+55 11 5555","#,
        r#""outcome":"not-reached","origin":null,"stage":null,"httpStatus":null,"attempts":null,"#,
        r#""credentialId":null,"credentialStatus":null,"finishedAt":null,"message":"said so","#,
        r#""advice":"Run the same command again to go on.","owner":"nobody","nextRun":"tries again","farm":"\tx","-id":"\r"}"#,
        "\n",
    );
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn parquet_reads_back_exactly() {
    let bytes = written(ReportFormat::Parquet, &kept_columns(), vec![attached(), invalid(), not_reached()]);
    let (names, rows) = read_parquet(&bytes);
    assert_eq!(names[..15], COLUMNS);
    assert_eq!(names[15..], ["farm", "-id"]);
    let id = "0a1b2c3d-0000-4000-8000-00000000abcd";
    let at = "2026-11-21T14:03:20.125Z";
    assert_eq!(
        rows,
        [
            [
                "#2",
                id,
                "ana@example.com",
                "attached",
                "created",
                "verify",
                "#200",
                "#2",
                "c-1",
                "OK",
                at,
                "said so",
                "Nothing to do.",
                "nobody",
                "does nothing, as long as the row is unchanged",
                "São Bento, norte",
                "=1+1",
            ],
            [
                "#3",
                "null",
                "null",
                "manifest-invalid",
                "null",
                "manifest",
                "null",
                "null",
                "null",
                "null",
                at,
                "column 2 (login) is \"empty\"\nor blank",
                "Correct the line the message names, then run again.",
                "you",
                "reads the line again",
                "",
                "007",
            ],
            [
                "#4",
                id,
                "+55 11 5555",
                "not-reached",
                "null",
                "null",
                "null",
                "null",
                "null",
                "null",
                "null",
                "said so",
                "Run the same command again to go on.",
                "nobody",
                "tries again",
                "\tx",
                "\r",
            ],
        ]
    );
}

#[test]
fn every_outcome_is_written_with_its_advice_in_every_format() {
    let records: Vec<ResultRecord> =
        OutcomeCode::ALL.iter().zip(2..).map(|(&code, line)| record(line, code)).collect();
    let expected: Vec<(String, String)> =
        OutcomeCode::ALL.iter().map(|code| (code.as_str().to_owned(), code.advice().to_owned())).collect();

    let csv = written(ReportFormat::Csv, &[], records.clone());
    let csv: Vec<(String, String)> = ::csv::Reader::from_reader(csv.as_slice())
        .records()
        .map(|record| record.unwrap())
        .map(|record| (record[3].to_owned(), record[12].to_owned()))
        .collect();
    assert_eq!(csv, expected);

    let jsonl = String::from_utf8(written(ReportFormat::Jsonl, &[], records.clone())).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let jsonl: Vec<(String, String)> = jsonl
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|object| (text(&object["outcome"]), text(&object["advice"])))
        .collect();
    assert_eq!(jsonl, expected);

    let (_, rows) = read_parquet(&written(ReportFormat::Parquet, &[], records));
    let rows: Vec<(String, String)> = rows.iter().map(|row| (row[3].clone(), row[12].clone())).collect();
    assert_eq!(rows, expected);
}

#[test]
fn a_report_without_records_is_a_valid_file() {
    assert_eq!(written(ReportFormat::Csv, &[], Vec::new()), (COLUMNS.join(",") + "\n").as_bytes());
    assert_eq!(written(ReportFormat::Jsonl, &[], Vec::new()), b"");
    let (names, rows) = read_parquet(&written(ReportFormat::Parquet, &[], Vec::new()));
    assert_eq!(names, COLUMNS);
    assert!(rows.is_empty());
}

#[test]
fn parquet_row_groups_are_bounded_in_rows() {
    let records = (1..=20_000).map(|line| record(line, OutcomeCode::Attached));
    let bytes = written(ReportFormat::Parquet, &[], records.collect());
    let reader = parquet_reader(&bytes);
    let groups = reader.metadata().row_groups().iter();
    let rows: Vec<i64> = groups.map(RowGroupMetaData::num_rows).collect();
    assert_eq!(rows, [8_192, 8_192, 3_616]);
    let last = reader.get_row_iter(None).unwrap().last().unwrap().unwrap();
    assert_eq!(last.get_column_iter().next().unwrap().1, &Field::Long(20_000));
}

#[test]
fn parquet_row_groups_are_bounded_in_bytes() {
    let kept = vec!["notes".to_owned()];
    let records = (1..=20).map(|line| ResultRecord {
        kept: vec!["x".repeat(1024 * 1024)],
        ..record(line, OutcomeCode::Attached)
    });
    let bytes = written(ReportFormat::Parquet, &kept, records.collect());
    let reader = parquet_reader(&bytes);
    let groups = reader.metadata().row_groups().iter();
    let rows: Vec<i64> = groups.map(RowGroupMetaData::num_rows).collect();
    assert_eq!(rows, [8, 8, 4]);
}

#[test]
fn a_report_takes_the_place_of_the_old_one_and_only_its_owner_can_read_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("growers.results.csv");
    fs::write(&path, "old").unwrap();
    let records = [Ok::<_, LedgerGone>(record(2, OutcomeCode::Attached))];
    assert_eq!(write_report(&path, ReportFormat::Csv, &RunFacts::default(), records).unwrap(), 1);
    assert!(fs::read_to_string(&path).unwrap().starts_with("line,"));
    assert_eq!(names_in(directory.path()), ["growers.results.csv"]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn records_that_cannot_be_read_leave_the_old_report_and_no_other_file() {
    for format in ReportFormat::ALL {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("results");
        fs::write(&path, "old").unwrap();
        let records = [Ok(record(2, OutcomeCode::Attached)), Err(LedgerGone)];
        let error = write_report(&path, format, &RunFacts::default(), records).unwrap_err();
        assert!(matches!(error, ReportError::Records { .. }), "{error}");
        assert!(error.to_string().contains(&path.display().to_string()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names_in(directory.path()), ["results"]);
    }
}

#[test]
fn a_record_with_too_few_or_many_kept_cells_is_refused_by_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("results");
    let records = [Ok::<_, LedgerGone>(attached())];
    let error = write_report(&path, ReportFormat::Csv, &RunFacts::of_columns(&["farm".to_owned()]), records)
        .unwrap_err();
    assert!(error.to_string().ends_with("line 2 carries 2 kept cells, not 1"), "{error}");
    assert!(names_in(directory.path()).is_empty());
}

#[test]
fn a_kept_column_with_a_reports_own_name_is_refused_before_anything_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("results");
    let records = [Ok::<_, LedgerGone>(record(2, OutcomeCode::Attached))];
    let error =
        write_report(&path, ReportFormat::Jsonl, &RunFacts::of_columns(&["login".to_owned()]), records)
            .unwrap_err();
    assert!(matches!(error, ReportError::KeptColumn { .. }), "{error}");
    assert!(names_in(directory.path()).is_empty());
}

#[test]
fn a_target_that_cannot_be_replaced_is_an_error_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("missing/results.csv");
    let records = || [Ok::<_, LedgerGone>(record(2, OutcomeCode::Attached))];
    let error = write_report(&nowhere, ReportFormat::Csv, &RunFacts::default(), records()).unwrap_err();
    assert!(error.to_string().contains("missing/results.csv"), "{error}");

    let occupied = directory.path().join("results.csv");
    fs::create_dir(&occupied).unwrap();
    let error = write_report(&occupied, ReportFormat::Csv, &RunFacts::default(), records()).unwrap_err();
    assert!(matches!(error, ReportError::File { .. }), "{error}");
    assert_eq!(names_in(directory.path()), ["results.csv"]);
}

#[test]
fn a_record_shows_neither_login_nor_kept_cells_when_debugged() {
    let shown = format!("{:?}", attached());
    assert!(shown.contains("Login(…)") && shown.contains("2 cells"), "{shown}");
    assert!(!shown.contains("ana@") && !shown.contains("Bento"), "{shown}");
}

/// A disk on which nothing more fits.
struct FullDisk;

impl std::io::Write for FullDisk {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_called_a_full_disk_by_every_format() {
    let encoded = |encoder: std::io::Result<Box<dyn Encode>>| {
        let mut encoder = encoder?;
        encoder.encode(&record(2, OutcomeCode::Attached))?;
        encoder.finish()
    };
    for error in [
        encoded(CsvEncoder::new(FullDisk, &[]).map(|encoder| Box::new(encoder) as _)),
        encoded(Ok(Box::new(JsonlEncoder::new(FullDisk, &[])))),
        encoded(ParquetEncoder::new(FullDisk, &[]).map(|encoder| Box::new(encoder) as _)),
        encoded(Ok(Box::new(PageEncoder::new(FullDisk, &RunFacts::default())))),
    ] {
        assert_eq!(error.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    }
}
