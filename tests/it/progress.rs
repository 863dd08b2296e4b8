//! `--progress json`: what `docs/PROGRESS.md` describes is what is written, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stara_onboard::sandbox::{Answer, Calls, Fault, RetryAfter, Trouble, When};

use crate::support::{Bench, growers};

/// The fields of each type of line, and their types, by the tables of the manual.
fn documented() -> BTreeMap<String, BTreeMap<String, String>> {
    let manual = include_str!("../../docs/PROGRESS.md");
    let mut sections: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut section = String::new();
    for line in manual.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            title.trim_matches('`').clone_into(&mut section);
        }
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if line.starts_with("| `") {
            for name in cells[0].split(", ") {
                let fields = sections.entry(section.clone()).or_default();
                fields.insert(name.trim_matches('`').to_owned(), cells[1].to_owned());
            }
        }
    }
    let of_every_line = sections.remove("Fields of every line").unwrap();
    for fields in sections.values_mut() {
        fields.extend(of_every_line.clone());
    }
    sections
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Checks every line against the manual, and answers the types that were seen.
fn check(stdout: &str) -> BTreeSet<String> {
    let documented = documented();
    let mut seen = BTreeSet::new();
    let mut elapsed = 0;
    for line in stdout.lines() {
        let object: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
        let name = object["type"].as_str().unwrap();
        let fields = &documented[name];
        assert!(object.keys().eq(fields.keys().collect::<BTreeSet<_>>()), "{line}\n{fields:?}");
        for (field, value) in &object {
            let allowed: Vec<&str> = fields[field].split(" or ").collect();
            assert!(allowed.contains(&type_of(value)), "{field} of {line}");
        }
        assert_eq!(object["schema"], 1);
        let now = object["elapsedMs"].as_u64().unwrap();
        assert!(now >= elapsed, "time never goes back");
        elapsed = now;
        seen.insert(name.to_owned());
    }
    seen
}

#[test]
fn every_line_is_as_the_manual_describes_it() {
    let rows = growers(20);
    let bench = Bench::new(&rows[1..]);
    bench.write_manifest(&rows);
    let answer = Answer::new(429).retry_after(RetryAfter::Seconds(1));
    bench.inject(Fault::new(Calls::All, When::Nth(9), Trouble::Answer(answer)));
    let ended = bench.run(&["--progress", "json", "--concurrency", "2"]).with_code(3);
    let expected = ["ended", "held", "row", "staging", "started"].map(str::to_owned);
    assert!(check(&ended.stdout).is_superset(&BTreeSet::from(expected)), "{}", ended.stdout);
    let last: Value = serde_json::from_str(ended.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["type"], "ended");
    assert_eq!(last["outcomes"]["attached"], 19);
    assert_eq!((&last["rows"]["toDo"], &last["rows"]["failed"]), (&20.into(), &1.into()));
    let row = ended.stdout.lines().find(|line| line.contains("\"row\"")).unwrap();
    let row: Value = serde_json::from_str(row).unwrap();
    assert_eq!((&row["line"], &row["outcome"]), (&2.into(), &"leaf-user-unknown".into()));
    assert_eq!(row["leafUserId"], rows[0].id.to_string());
}

#[test]
fn an_early_end_is_told_with_its_reason() {
    let rows = growers(6);
    let bench = Bench::new(&rows);
    bench.inject(Fault::redirect());
    let ended = bench.run(&["--progress", "json"]).with_code(7);
    let draining = ended.stdout.lines().find(|line| line.contains("\"draining\"")).unwrap();
    let draining: Value = serde_json::from_str(draining).unwrap();
    assert!(draining["reason"].as_str().unwrap().contains("redirect"));
    assert!(check(&ended.stdout).contains("ended"));
}

#[test]
fn the_examples_of_the_manual_are_themselves_as_described() {
    let manual = include_str!("../../docs/PROGRESS.md");
    let examples = manual.split("```json\n").skip(1).filter_map(|rest| rest.split_once("```"));
    let shown: BTreeSet<String> = examples.flat_map(|(example, _)| check(example)).collect();
    assert_eq!(shown, documented().into_keys().collect());
}

#[test]
fn stdout_is_for_data_and_stderr_for_people() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    let spoken = bench.run(&["--limit", "1", "-vv"]).with_code(0);
    assert_eq!(spoken.stdout, "");
    let lines = bench.run(&["--limit", "1", "--progress", "json", "-vv"]).with_code(0);
    check(&lines.stdout);
    assert!(lines.stderr.contains("lines of the manifest"));
    let quiet = bench.run(&["-q"]).with_code(0);
    assert_eq!((quiet.stdout, quiet.stderr), (String::new(), String::new()));
}

#[test]
fn a_run_goes_on_when_its_reader_goes_away() {
    let rows = growers(40);
    let bench = Bench::slow(&rows);
    let script =
        "set -o pipefail; \"$PROGRAM\" run growers.csv --progress json --report results.jsonl | head -n 1";
    let mut command = std::process::Command::new("bash");
    let output = command
        .current_dir(bench.folder())
        .args(["-c", script])
        .env("PROGRAM", env!("CARGO_BIN_EXE_stara-onboard"))
        .envs(bench.environment())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    bench.expect_one_effect_each(&rows);
}

#[test]
fn without_a_terminal_there_are_plain_lines_and_no_control_characters() {
    let bench = Bench::new(&growers(3));
    for progress in ["auto", "lines", "bar", "none"] {
        let ended = bench.run(&["--progress", progress]).with_code(0);
        assert!(!ended.stderr.contains('\u{1b}'), "{progress}: {:?}", ended.stderr);
    }
}

#[test]
fn a_log_in_json_is_json_line_by_line() {
    let bench = Bench::new(&growers(3));
    let arguments = ["-vv", "--log-format", "json", "--log-file", "run.log", "--progress", "none"];
    bench.run(&arguments).with_code(0);
    bench.run(&[&arguments[..], &["--only", &growers(1)[0].id.to_string()]].concat()).with_code(0);
    let log = std::fs::read_to_string(bench.path("run.log")).unwrap();
    assert!(log.lines().count() > 3, "{log}");
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        assert!(entry["timestamp"].is_string() && entry["level"].is_string(), "{line}");
    }
}
