//! Rehearsals with the settings of a real job: none of its files is written over.

use super::FILE;
use crate::support::{Ended, Invocation, csv_of, growers};

/// What the files of the real job hold.
const REAL: &str = "the real ones\n";

/// A folder with a manifest, and the files of last night's job.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("growers.csv"), csv_of(&growers(3))).unwrap();
    for name in ["links.csv", "results.csv", "results.jsonl", "night.prom"] {
        std::fs::write(folder.path().join(name), REAL).unwrap();
    }
    folder
}

fn read(folder: &tempfile::TempDir, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).unwrap_or_default()
}

/// Expects that the files of the real job are as they were, and that the rehearsal wrote its own beside them.
#[track_caller]
fn expect_beside(folder: &tempfile::TempDir) {
    for name in ["links.csv", "results.csv", "results.jsonl", "night.prom"] {
        assert_eq!(read(folder, name), REAL, "{name}");
    }
    assert!(read(folder, "links.sandbox.csv").starts_with("leafUserId,"));
    assert!(read(folder, "results.sandbox.csv").contains(",attached,"));
    assert!(read(folder, "results.sandbox.jsonl").contains("\"attached\""));
    for name in ["night.sandbox.prom", "none.sandbox", "state/growers.results.csv"] {
        assert!(!folder.path().join(name).exists(), "{name}");
    }
}

fn rehearse(folder: &tempfile::TempDir, arguments: &[&str]) -> Ended {
    Invocation::new(folder.path()).args(["run", "growers.csv", "--sandbox"]).args(arguments).end()
}

const SETTINGS: &str =
    "magic-links = 'links.csv'\nmetrics = 'night.prom'\nreport = ['results.csv', 'results.jsonl']\n";

#[test]
fn a_rehearsal_writes_beside_the_files_that_the_settings_file_names() {
    let folder = folder();
    std::fs::write(folder.path().join(FILE), SETTINGS).unwrap();
    rehearse(&folder, &[]).with_code(0).saying("results.sandbox.csv");
    expect_beside(&folder);
}

#[test]
fn a_rehearsal_writes_beside_the_files_that_the_environment_names() {
    let folder = folder();
    // Of variables, one names one file.
    std::fs::write(folder.path().join(FILE), "report = 'unheeded.csv'\n").unwrap();
    for (report, metrics) in [("results.csv", "night.prom"), ("results.jsonl", "none")] {
        let state = format!("{report}.db");
        let run = Invocation::new(folder.path()).args(["run", "growers.csv", "--state", &state]);
        let run = run.env("STARA_ONBOARD_SANDBOX", "true").env("STARA_ONBOARD_REPORT", report);
        let run = run.env("STARA_ONBOARD_MAGIC_LINKS", "links.csv").env("STARA_ONBOARD_METRICS", metrics);
        run.end().with_code(0);
    }
    expect_beside(&folder);
}

#[test]
fn a_rehearsal_writes_what_the_command_line_names_as_it_is_named() {
    let folder = folder();
    std::fs::write(folder.path().join(FILE), SETTINGS).unwrap();
    let named = ["--magic-links", "links.csv", "--report", "results.csv", "--metrics", "night.prom"];
    rehearse(&folder, &named).with_code(0);
    assert!(read(&folder, "links.csv").starts_with("leafUserId,"));
    assert!(read(&folder, "results.csv").contains(",attached,"));
    assert!(read(&folder, "night.prom").contains("rehearsal=\"true\""));
    assert_eq!(read(&folder, "results.jsonl"), REAL);
    for name in ["links.sandbox.csv", "results.sandbox.csv", "results.sandbox.jsonl"] {
        assert!(!folder.path().join(name).exists(), "{name}");
    }
}

#[test]
fn none_stays_none_and_the_default_report_stays_where_it_is() {
    let folder = folder();
    std::fs::write(folder.path().join(FILE), "report = 'none'\nmagic-links = 'none'\n").unwrap();
    rehearse(&folder, &[]).with_code(0);
    assert!(!folder.path().join("none.sandbox").exists() && !folder.path().join("none").exists());
    rehearse(&folder, &["--config", "none"]).with_code(0);
    assert!(read(&folder, "state/growers.results.csv").contains("attached"));
}

#[test]
fn the_report_of_a_rehearsal_is_written_again_beside_the_real_one() {
    let folder = folder();
    rehearse(&folder, &[]).with_code(0);
    std::fs::write(folder.path().join(FILE), SETTINGS).unwrap();
    let report = |arguments: &[&str]| {
        let report = Invocation::new(folder.path()).args(["report", "--sandbox"]).args(arguments);
        report.end().with_code(0).stdout
    };
    assert_eq!(report(&[]), "results.sandbox.csv\nresults.sandbox.jsonl\n");
    assert_eq!((read(&folder, "results.csv"), read(&folder, "links.csv")), (REAL.into(), REAL.into()));
    assert!(!folder.path().join("links.sandbox.csv").exists());
    assert_eq!(report(&["--report", "results.csv"]), "results.csv\n");
    assert!(read(&folder, "results.csv").contains(",attached,"));
}
