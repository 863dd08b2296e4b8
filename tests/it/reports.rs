//! The report: one record a line in every format, and the same again from the ledger alone.

use std::collections::BTreeMap;
use std::path::Path;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;

use crate::support::{Bench, Grower, counts, csv_of, growers, read_results};

type Records = Vec<BTreeMap<String, Option<String>>>;

/// A manifest with every kind of line, and two more columns, one of them with formulas in it.
fn bench() -> (Bench, Vec<Grower>) {
    let mut rows = growers(6);
    rows[2] = rows[2].with_login("=cmd|' /C calc'!A0");
    rows[4] = rows[4].with_login("@agro \"quoted\", ção");
    let bench = Bench::new(&rows);
    let mut manifest = rows.clone();
    manifest[3] = rows[3].with_password("not the password");
    manifest.push(rows[0].clone());
    let mut lines: Vec<String> = csv_of(&manifest).lines().map(str::to_owned).collect();
    lines[0].push_str(",Fazenda,\"Obs, do técnico\"");
    for (number, line) in lines.iter_mut().enumerate().skip(1) {
        *line = format!("{line},Fazenda São João {number},-1+2{number}");
    }
    lines.push("no-uuid,x,y,\"several\nlines\",=1".to_owned());
    bench.write("growers.csv", lines.join("\n"));
    (bench, rows)
}

const KEEP: [&str; 4] = ["--keep-column", "Fazenda", "--keep-column", "Obs, do técnico"];

fn read_csv(path: &Path) -> Records {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let record = |record: csv::StringRecord| {
        let cells = record.iter().map(|cell| (!cell.is_empty()).then(|| cell.to_owned()));
        names.iter().cloned().zip(cells).collect()
    };
    reader.records().map(|read| record(read.unwrap())).collect()
}

fn read_jsonl(path: &Path) -> Records {
    let text = std::fs::read_to_string(path).unwrap();
    let cell = |value: serde_json::Value| match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text).filter(|text| !text.is_empty()),
        other => Some(other.to_string()),
    };
    let record = |line: &str| {
        let object: serde_json::Map<_, _> = serde_json::from_str(line).unwrap();
        object.into_iter().map(|(name, value)| (name, cell(value))).collect()
    };
    text.lines().map(record).collect()
}

fn read_parquet(path: &Path) -> Records {
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let cell = |field: &Field| match field {
        Field::Null => None,
        Field::Str(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        other => Some(other.to_string()),
    };
    let record = |row: parquet::record::Row| {
        row.get_column_iter().map(|(name, field)| (name.clone(), cell(field))).collect()
    };
    reader.get_row_iter(None).unwrap().map(|row| record(row.unwrap())).collect()
}

/// The records as CSV shows them: the one format in which formulas are defused.
fn defused(records: &Records) -> Records {
    let is_formula = |cell: &String| cell.starts_with(['=', '+', '-', '@']);
    let defuse = |cell: &String| if is_formula(cell) { format!("'{cell}") } else { cell.clone() };
    let record = |record: &BTreeMap<String, Option<String>>| {
        record.iter().map(|(name, cell)| (name.clone(), cell.as_ref().map(defuse))).collect()
    };
    records.iter().map(record).collect()
}

#[test]
fn every_format_holds_the_same_records_and_only_csv_defuses_formulas() {
    let (bench, rows) = bench();
    let reports = ["--report", "r.csv", "--report", "r.JSONL", "--report", "out/r.parquet"];
    bench.program().args(["run", "growers.csv"]).args(KEEP).args(reports).end().with_code(3);
    let records = read_jsonl(&bench.path("r.JSONL"));
    assert_eq!(records.len(), 8);
    assert_eq!(records, read_parquet(&bench.path("out/r.parquet")));
    assert_eq!(defused(&records), read_csv(&bench.path("r.csv")));
    assert_ne!(defused(&records), records, "there is something to defuse");
    let cells = |name: &str| -> Vec<&str> {
        records.iter().map(|record| record[name].as_deref().unwrap_or_default()).collect()
    };
    assert_eq!(cells("line"), ["2", "3", "4", "5", "6", "7", "8", "9"]);
    assert_eq!(cells("login")[2], rows[2].login);
    assert_eq!(cells("Fazenda")[1], "Fazenda São João 2");
    assert_eq!(cells("Fazenda")[7], "", "in a shifted row any cell may be the password");
    assert_eq!(cells("Obs, do técnico")[0], "-1+21");
    let times = cells("finishedAt");
    assert!(times[0].ends_with('Z') && times[0].len() == "2026-11-21T14:03:20.125Z".len(), "{times:?}");
    let names: Vec<String> = read_header(&bench.path("r.csv"));
    let expected = [
        "line",
        "leafUserId",
        "login",
        "outcome",
        "origin",
        "stage",
        "httpStatus",
        "attempts",
        "credentialId",
        "credentialStatus",
        "finishedAt",
        "message",
        "advice",
        "owner",
        "nextRun",
        "Fazenda",
        "Obs, do técnico",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_page_is_made_again_from_the_ledger_alone_and_tells_the_same() {
    let (bench, _) = bench();
    let run = |night: &str| {
        let reports = ["--report", night, "--report", "all.csv"];
        bench
            .program()
            .args(["run", "growers.csv", "--retry-rejected"])
            .args(KEEP)
            .args(reports)
            .end()
            .with_code(3);
        std::fs::read_to_string(bench.path(night)).unwrap()
    };
    let first = run("first.html");
    assert!(!first.contains("id=\"nights\""), "there is nothing to compare the first night with");
    let second = run("second.HTM");
    assert!(second.contains("id=\"nights\"") && second.contains("id=\"latency\""));
    assert!(
        second
            .contains("<h1>5 of 8 rows are attached; 1 needs its grower, 1 needs you and 1 repeats another."),
        "{}",
        &second[..900]
    );
    let calls = bench.calls();
    bench.program().args(["report", "again.html", "all.csv"]).end().with_code(0);
    assert_eq!(bench.calls(), calls);
    let again = std::fs::read_to_string(bench.path("again.html")).unwrap();
    // How long the run took is known to the millisecond only once its end is recorded, after its own report.
    let told = |page: &str| page.split_once("<main>").unwrap().1.to_owned();
    assert!(told(&again) == told(&second), "the page differs");
    assert!(again.contains("<code>all.csv</code>"), "the report with every row is named");
}

fn read_header(path: &Path) -> Vec<String> {
    csv::Reader::from_path(path).unwrap().headers().unwrap().iter().map(str::to_owned).collect()
}

#[test]
fn the_report_is_made_again_from_the_ledger_alone() {
    let (bench, _) = bench();
    let names = ["r.csv", "r.jsonl", "r.parquet"];
    let reports: Vec<&str> = names.iter().flat_map(|name| ["--report", name]).collect();
    bench.program().args(["run", "growers.csv"]).args(KEEP).args(&reports).end().with_code(3);
    let before = names.map(|name| std::fs::read(bench.path(name)).unwrap());
    for name in names.into_iter().chain(["growers.csv"]) {
        std::fs::remove_file(bench.path(name)).unwrap();
    }
    let calls = bench.calls();
    bench.program().args(["report", "r.csv", "r.jsonl"]).args(["--report", "r.parquet"]).end().with_code(0);
    assert_eq!(names.map(|name| std::fs::read(bench.path(name)).unwrap()), before);
    assert_eq!(bench.calls(), calls);
    // Without a name it goes where the run's would have gone.
    bench.program().args(["report"]).end().with_code(0);
    assert_eq!(std::fs::read(bench.path("state/growers.results.csv")).unwrap(), before[0]);
}

#[test]
fn lines_records_and_counts_add_up() {
    let (bench, _) = bench();
    for limit in ["2", "0", "9"] {
        bench.run(&["--limit", limit]);
        let results = bench.results();
        let status = bench.status(&[]);
        let sum: u64 =
            status["outcomes"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!((results.len(), sum, &status["runs"][0]["lines"]), (8, 8, &8.into()));
        let counted = counts(&results);
        for (code, count) in status["outcomes"].as_object().unwrap() {
            assert_eq!(*count, counted[code.as_str()], "{code}");
        }
        for result in &results {
            let code: stara_onboard::model::OutcomeCode = result.outcome.parse().unwrap();
            assert_eq!(result.advice, code.advice());
            assert_eq!(result.owner, code.owner().as_str());
            assert_eq!(result.next_run, code.next_run().as_str());
        }
    }
}

#[test]
fn a_report_that_makes_no_sense_is_refused_before_any_call() {
    let (bench, _) = bench();
    for (arguments, expected) in [
        (&["--report", "r.xlsx"][..], "names no report format"),
        (&["--keep-column", "Senha"], "no column is called \"Senha\""),
        (&["--keep-column", "password"], "would put a column of secrets into the report"),
        (&["--keep-column", "Fazenda", "--keep-column", "Fazenda"], "is kept twice"),
        (&["--keep-column", "outcome"], "has a column `outcome` of its own"),
    ] {
        let ended = bench.program().args(["run", "growers.csv"]).args(arguments).end();
        ended.with_code(2).saying(expected);
    }
    assert_eq!(bench.calls(), 0);
}

#[test]
fn a_report_that_cannot_be_written_loses_nothing() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    std::fs::create_dir(bench.path("taken.csv")).unwrap();
    let ended = bench.program().args(["run", "growers.csv", "--report", "taken.csv"]).end();
    ended.with_code(8).saying("can't write the report taken.csv").saying("stara-onboard report");
    bench.expect_one_effect_each(&rows);
    let calls = bench.calls();
    bench.program().args(["report", "free.jsonl"]).end().with_code(0);
    let free = read_results(&bench.path("free.jsonl"));
    assert!(free.iter().all(|result| result.outcome == "attached") && free.len() == 3);
    assert_eq!(bench.calls(), calls);
}

#[test]
fn a_report_is_never_written_over_the_manifest() {
    let bench = Bench::new(&growers(2));
    bench.run(&[]).with_code(0);
    let before = std::fs::read(bench.path("growers.csv")).unwrap();
    for name in ["growers.csv", "./growers.csv"] {
        bench.program().args(["report", name]).end().with_code(2).saying("is the manifest");
    }
    assert_eq!(std::fs::read(bench.path("growers.csv")).unwrap(), before);
}

#[test]
fn nothing_that_is_needed_is_written_over_whatever_flag_names_it() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    bench.write("token", "a token");
    let needed = ["growers.csv", "token", "state/ledger.db", "state/ledger.key", "state/ledger.lock"];
    let before = needed.map(|name| std::fs::read(bench.path(name)).unwrap());
    let calls = bench.calls();
    for name in needed {
        for verb in [
            &["run", "growers.csv"][..],
            &["plan", "growers.csv"],
            &["audit", "growers.csv"],
            &["detach", "growers.csv"],
        ] {
            let program = bench.program().args(verb).args(["--log-file", name, "--leaf-token-file", "token"]);
            program.env_remove("LEAF_TOKEN").end().with_code(2).saying("would be written over by --log-file");
        }
    }
    for flags in [&["--log-file", "results.jsonl"][..], &["--report", "a.csv", "--magic-links", "a.csv"]] {
        bench.run(flags).with_code(2).saying("would be written over by");
    }
    assert_eq!(needed.map(|name| std::fs::read(bench.path(name)).unwrap()), before);
    assert_eq!(bench.calls(), calls);
}
