//! The main job, as the README's first command does it: a manifest against the sandbox in the process.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::{Invocation, ResultLine, read_results};

fn sample(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests").join(name).display().to_string()
}

/// The program in a folder of its own, without a word about any service.
fn rehearse(folder: &Path, manifest: &str, arguments: &[&str]) -> Invocation {
    Invocation::new(folder).args(["run", &sample(manifest), "--sandbox"]).args(arguments)
}

#[test]
fn two_hundred_growers_are_onboarded_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let ended = rehearse(folder.path(), "growers.csv", &[]).end().with_code(0);
    assert!(folder.path().join("state/sandbox.db").is_file());
    let report = folder.path().join("state/growers.results.csv");
    let records: Vec<csv::StringRecord> =
        csv::Reader::from_path(&report).unwrap().records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 200);
    assert!(records.iter().all(|record| &record[3] == "attached"));
    ended.saying("200 attached").saying("Report: state/growers.results.csv");
}

#[test]
fn a_second_rehearsal_calls_nobody() {
    let folder = tempfile::tempdir().unwrap();
    for manifest in ["growers.csv", "growers.parquet", "growers.csv"] {
        let ended = rehearse(folder.path(), manifest, &["--report", "none"]).end().with_code(0);
        if manifest == "growers.parquet" {
            // One ledger for one target: the same users in another file are the same users.
            ended.saying("200 decided by earlier runs").saying("Stara 0 requests").saying("Leaf 0 requests");
        }
    }
    assert!(!folder.path().join("state/growers.results.csv").exists());
}

#[test]
fn a_rehearsal_speaks_either_dialect_and_needs_no_token() {
    let folder = tempfile::tempdir().unwrap();
    for dialect in ["form", "json"] {
        let arguments = ["--stara-dialect", dialect, "--state", dialect, "--report", "none"];
        rehearse(folder.path(), "growers.csv", &arguments).end().with_code(0).saying("200 attached");
    }
}

#[test]
fn a_rehearsal_leaves_the_real_ledger_alone() {
    let folder = tempfile::tempdir().unwrap();
    rehearse(folder.path(), "growers.csv", &["--limit", "1"]).end().with_code(0);
    let files: Vec<_> = folder.path().join("state").read_dir().unwrap().map(|file| file.unwrap()).collect();
    assert!(files.iter().all(|file| !file.file_name().to_string_lossy().starts_with("ledger")));
}

#[test]
fn a_rehearsal_sends_nothing_through_a_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let mut invocation = rehearse(folder.path(), "growers.csv", &["--limit", "2"]);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        // Nobody listens there.
        invocation = invocation.env(name, "http://127.0.0.1:1");
    }
    invocation.end().with_code(0);
}

#[test]
fn every_line_of_the_mixed_manifest_ends_as_its_readme_says() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--report", "mixed.jsonl", "--report", "mixed.csv"];
    let ended = rehearse(folder.path(), "mixed.csv", &arguments).end().with_code(3);
    let results = read_results(&folder.path().join("mixed.jsonl"));
    let ends: BTreeMap<u64, String> = results.iter().map(|result| (result.line, end_of(result))).collect();
    assert_eq!(ends, documented_ends());
    assert_eq!(results.len(), ends.len());
    ended.saying("29 lines of the manifest").saying("To go on:");
}

fn end_of(result: &ResultLine) -> String {
    match result.origin.as_deref() {
        Some("recovered") => format!("{}, origin recovered", result.outcome),
        _ => result.outcome.clone(),
    }
}

/// What the tables of `manifests/README.md` say of each line of `mixed.csv`, but for the line that is blank.
fn documented_ends() -> BTreeMap<u64, String> {
    let text = std::fs::read_to_string(sample("README.md")).unwrap();
    let mut ends = BTreeMap::new();
    for row in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let lines: Result<Vec<u64>, _> = cells[0].split(", ").map(str::parse).collect();
        let Ok(lines) = lines else { continue };
        let outcome = cells.last().unwrap().replace('`', "").replace(", both", "");
        if outcome != "–" {
            ends.extend(lines.into_iter().map(|line| (line, outcome.clone())));
        }
    }
    ends
}
