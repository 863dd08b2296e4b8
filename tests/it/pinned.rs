//! What people and scripts rely on word for word: help texts, exit codes, explanations.

use std::collections::BTreeSet;

use stara_onboard::cli::ExitCode;
use stara_onboard::model::OutcomeCode;

use crate::support::{Bench, Invocation};

fn program(arguments: &[&str]) -> Invocation {
    let environment = std::env::vars_os().map(|(name, _)| name.into_string().unwrap_or_default());
    let invocation = Invocation::new(std::path::Path::new(env!("CARGO_MANIFEST_DIR"))).args(arguments);
    // What the environment says would be shown beside each flag.
    environment.filter(|name| name.starts_with("STARA")).fold(invocation, |all, name| all.env_remove(&name))
}

#[test]
fn the_help_of_every_verb_is_pinned() {
    let whole = program(&["--help"]).end().with_code(0).stdout;
    insta::assert_snapshot!("help", whole);
    let (_, verbs) = whole.split_once("Commands:\n").unwrap();
    let verbs: Vec<&str> = verbs.lines().take_while(|line| !line.is_empty()).collect();
    let names = verbs.iter().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let mut count = 0;
    for verb in names.filter_map(|line| line.split_whitespace().next()).filter(|verb| *verb != "help") {
        let help = program(&[verb, "--help"]).end().with_code(0).stdout;
        insta::assert_snapshot!(format!("help-{verb}"), help);
        count += 1;
    }
    assert!(count >= 5, "{whole}");
}

#[test]
fn the_version_is_that_of_the_package() {
    let version = program(&["--version"]).end().with_code(0).stdout;
    assert_eq!(version, concat!("stara-onboard ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn a_command_line_that_makes_no_sense_exits_with_2() {
    for arguments in [
        &[][..],
        &["sing"],
        &["run"],
        &["run", "x.csv", "--faster"],
        &["run", "x.csv", "--concurrency", "0"],
        &["run", "x.csv", "--timeout", "30"],
        &["run", "x.csv", "--stara-rate", "0/s"],
        &["run", "x.csv", "--leaf-rate", "10"],
        &["run", "x.csv", "--stara-dialect", "xml"],
        &["run", "x.csv", "--on-existing", "perhaps"],
        &["run", "x.csv", "--only", "no-uuid"],
        &["run", "x.csv", "--column", "login"],
        &["run", "x.csv", "-v", "-q"],
        &["explain", "99"],
        &["explain", "no-such-code"],
        &["status", "no-uuid"],
    ] {
        let ended = program(arguments).end().with_code(2);
        assert!(ended.stdout.is_empty() && !ended.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn no_flag_takes_a_secret() {
    let help = program(&["run", "--help"]).end().stdout;
    for flag in ["--leaf-token ", "--password", "--leaf-password", "--api-key", "--access-token"] {
        assert!(!help.contains(flag), "{flag} would stand in the list of processes");
    }
}

#[test]
fn every_outcome_and_every_exit_code_is_explained() {
    let mut said = BTreeSet::new();
    for code in OutcomeCode::ALL {
        let text = program(&["explain", code.as_str()]).end().with_code(0).stdout;
        for part in [code.meaning(), code.advice(), code.owner().as_str(), code.next_run().as_str()] {
            assert!(text.contains(part), "{part:?} isn't in\n{text}");
        }
        said.insert(text);
    }
    for code in ExitCode::ALL {
        let text = program(&["explain", &code.number().to_string()]).end().with_code(0).stdout;
        assert!(text.contains(code.meaning()) && text.contains(code.advice()), "{text}");
        said.insert(text);
    }
    assert_eq!(said.len(), OutcomeCode::ALL.len() + ExitCode::ALL.len());
    let list = program(&["explain"]).end().with_code(0).stdout;
    insta::assert_snapshot!("explain", list);
}

#[test]
fn the_readme_lists_exactly_the_exit_codes_there_are() {
    let readme = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(readme).expect("there is a README.md");
    let (_, table) = text.split_once("| code | meaning |\n").expect("it has a table of exit codes");
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let mut listed = Vec::new();
    for row in rows {
        let (_, rest) = row.split_once('|').unwrap();
        let (codes, meaning) = rest.split_once('|').unwrap();
        assert!(meaning.trim_matches(['|', ' ']).len() > 3, "{row}");
        // Codes with one meaning may share a row: `129 / 130 / 143`.
        listed.extend(codes.split('/').map(|code| code.trim().trim_matches('`').parse::<u8>().unwrap()));
    }
    assert_eq!(listed, ExitCode::ALL.map(ExitCode::number));
}

#[test]
fn an_error_says_what_happened_and_what_to_do() {
    let bench = Bench::new(&[]);
    let ended = bench.run_of("nowhere.csv", &[]).end().with_code(2);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert!(lines[0].starts_with("error: "), "{lines:?}");
    assert!(lines[1].starts_with("caused by: "), "{lines:?}");
    assert!(lines[2].starts_with("hint: "), "{lines:?}");
    assert_eq!(lines.len(), 3);
}
