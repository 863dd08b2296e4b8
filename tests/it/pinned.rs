//! What people and scripts rely on word for word: help texts, exit codes, explanations.

mod reference;
mod settings;
mod version;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use stara_onboard::cli::ExitCode;
use stara_onboard::manifest::LintKind;
use stara_onboard::model::{Finding, OutcomeCode, Sign};

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
fn every_code_is_explained() {
    let mut said = BTreeSet::new();
    let mut explained = |code: &str, parts: &[&str]| {
        let text = program(&["explain", code]).end().with_code(0).stdout;
        for part in parts {
            assert!(text.contains(part), "{part:?} isn't in\n{text}");
        }
        said.insert(text);
    };
    for code in OutcomeCode::ALL {
        let parts = [code.meaning(), code.advice(), code.owner().as_str(), code.next_run().as_str()];
        explained(code.as_str(), &parts);
    }
    for code in ExitCode::ALL {
        let parts = [code.meaning(), code.advice(), code.owner(), code.next_run()];
        explained(&code.number().to_string(), &parts);
    }
    for finding in Finding::ALL {
        let parts = [finding.meaning(), finding.advice(), finding.owner().as_str(), finding.next_run()];
        explained(finding.as_str(), &parts);
    }
    for sign in Sign::ALL {
        explained(sign.as_str(), &[sign.meaning()]);
    }
    for kind in LintKind::ALL {
        explained(kind.as_str(), &[kind.meaning(), kind.advice(), kind.next_run()]);
    }
    let json = program(&["explain", "--json"]).end().with_code(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(said.len(), json["codes"].as_array().unwrap().len());
    insta::assert_snapshot!("explain", program(&["explain"]).end().with_code(0).stdout);
}

#[test]
fn a_mistyped_code_is_answered_with_the_right_one() {
    program(&["explain", "stara-login-refused"])
        .end()
        .with_code(2)
        .saying("did you mean stara-login-rejected?");
    program(&["explain", "12"]).end().with_code(2).saying("there is no code \"12\"");
}

/// `docs/CODES.md` says what `explain` says. `INSTA_UPDATE=always` writes it anew.
#[test]
fn the_page_of_codes_says_what_explain_says() {
    let json = program(&["explain", "--json"]).end().with_code(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let headings = [
        ("outcome", "Outcomes of a row"),
        ("exitCode", "Exit codes"),
        ("finding", "Findings of an audit"),
        ("sign", "Signs of a plan"),
        ("lint", "Findings of check"),
    ];
    let mut page = String::from(
        "# Codes\n\nWhat `stara-onboard explain` says; a test keeps the two alike. A report carries advice, owner and next run \
         for each row.\n",
    );
    for (kind, heading) in headings {
        let _ = write!(page, "\n## {heading}\n");
        for code in json["codes"].as_array().unwrap().iter().filter(|code| code["kind"] == kind) {
            let said = |name: &str| code[name].as_str().map(|text| text.replace('<', "&lt;"));
            let _ = write!(page, "\n### `{}`\n\n{}\n", said("code").unwrap(), said("meaning").unwrap());
            let items = [("Who acts", "owner"), ("What to do", "advice"), ("The next run", "nextRun")];
            for (number, (label, name)) in items.into_iter().enumerate() {
                let Some(text) = said(name) else { continue };
                let gap = if number == 0 { "\n" } else { "" };
                let _ = writeln!(page, "{gap}- {label}: {text}");
            }
        }
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CODES.md");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), page);
}

#[test]
fn the_readme_lists_exactly_the_outcomes_there_are() {
    let readme = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(readme).expect("there is a README.md");
    let (_, table) = text.split_once("| code | who must act |").expect("it has a table of outcomes");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut listed = BTreeSet::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for code in cells[1].split(',').map(|code| code.trim().trim_matches('`')) {
            let code: OutcomeCode = code.parse().expect(code);
            assert_eq!(cells[2], code.owner().as_str(), "{code}");
            listed.insert(code);
        }
    }
    assert_eq!(listed, OutcomeCode::ALL.iter().copied().collect());
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
