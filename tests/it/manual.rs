//! The manual, as `man` formats it.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Command;

use clap::CommandFactory as _;
use stara_onboard::cli::{Cli, ExitCode};

use crate::support::Bench;

/// The manual in a folder called `manual`, and the names of its files.
fn written() -> (Bench, BTreeSet<String>) {
    let bench = Bench::new(&[]);
    bench.program().args(["man", "manual"]).end().with_code(0);
    let entries = std::fs::read_dir(bench.path("manual")).unwrap();
    let files = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    (bench, files)
}

/// Every verb, as the names of its page's file go on behind that of the tool.
fn verbs() -> Vec<String> {
    let program = Cli::command();
    let mut verbs = Vec::new();
    for verb in program.get_subcommands() {
        verbs.push(verb.get_name().to_owned());
        verbs.extend(verb.get_subcommands().map(|below| format!("{}-{}", verb.get_name(), below.get_name())));
    }
    verbs
}

/// Whether there is `man`. Where there is none, says so past the tests' capture.
fn has_man() -> bool {
    let found = Command::new("man").arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        std::io::stderr()
            .write_all(b"SKIPPED: there is no man, so that the manual isn't formatted\n")
            .unwrap();
    }
    found
}

/// A page as a reader sees it, with its words one space apart; what `man` warns of fails the test.
fn formatted(bench: &Bench, page: &str) -> String {
    let path = bench.path("manual").join(page);
    let output = Command::new("man")
        .args(["--warnings", "--local-file", "--encoding=UTF-8", "--no-hyphenation"])
        .arg(path)
        .env("MANWIDTH", "100")
        .env("MANROFFOPT", "")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_tool_and_every_verb_have_a_page_and_nothing_else_has() {
    let (_bench, files) = written();
    let expected: BTreeSet<String> = verbs().iter().map(|verb| format!("stara-onboard-{verb}.1")).collect();
    let tool = "stara-onboard.1".to_owned();
    assert_eq!(files, expected.into_iter().chain([tool]).collect());
}

#[test]
fn every_page_names_every_flag_with_its_help_and_man_has_nothing_to_warn_of() {
    if !has_man() {
        return;
    }
    let (bench, files) = written();
    let mut program = Cli::command();
    program.build();
    let mut count = 0;
    for file in &files {
        let text = formatted(&bench, file);
        let name = file.trim_end_matches(".1");
        assert!(text.contains(&format!("NAME {name} - ")), "{name}: {text}");
        let path = name.strip_prefix("stara-onboard").unwrap().trim_start_matches('-');
        let verb = path.split('-').filter(|name| !name.is_empty()).fold(&program, |command, name| {
            command.get_subcommands().find(|verb| verb.get_name() == name).unwrap()
        });
        for flag in verb.get_arguments() {
            let long = flag.get_long().map(|long| format!("--{long}")).unwrap_or_default();
            assert!(text.contains(&long), "{name} lacks {long}");
            let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
            let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains(&help), "{name} {long} lacks {help}: {text}");
            count += 1;
        }
    }
    assert!(count > 200, "{count}");
}

#[test]
fn the_page_of_the_tool_has_every_exit_code() {
    if !has_man() {
        return;
    }
    let (bench, _) = written();
    let text = formatted(&bench, "stara-onboard.1");
    for code in ExitCode::ALL {
        assert!(text.contains(&format!("{} {}", code.number(), code.meaning())), "{code:?}: {text}");
    }
}

#[test]
fn without_a_folder_all_pages_go_to_stdout() {
    let (bench, files) = written();
    let all = bench.program().args(["man"]).end().with_code(0).stdout;
    assert_eq!(all.matches(".TH ").count(), files.len());
    for file in files {
        let page = std::fs::read_to_string(bench.path("manual").join(&file)).unwrap();
        assert!(all.contains(&page), "{file}");
    }
}

#[test]
fn a_folder_that_can_not_be_made_is_named() {
    let bench = Bench::new(&[]);
    bench.write("taken", "");
    bench
        .program()
        .args(["man", "taken/manual"])
        .end()
        .with_code(2)
        .saying("taken/manual")
        .saying("hint: name a folder");
}
