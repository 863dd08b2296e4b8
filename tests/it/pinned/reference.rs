//! `docs/REFERENCE.md` is the help of every verb, read off the same declarations.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command, CommandFactory as _};
use stara_onboard::cli::Cli;

const OPENING: &str = "\
# Reference

Every verb with every argument and flag, generated from the declarations that `--help`, the manual and the completions come
from; a test keeps them alike. `stara-onboard man | man -l -` shows the same in a terminal. What a setting is called in a file
stands in [CONFIGURATION.md](CONFIGURATION.md), what a code means in [CODES.md](CODES.md).
";

fn page() -> String {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let mut text = OPENING.to_owned();
    let verbs = leaves(&program);
    text.push('\n');
    for (above, verb) in &verbs {
        let name = full_name(*above, verb);
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        writeln!(text, "- [`{name}`](#{}): {}", name.replace(' ', "-"), plain(&about)).unwrap();
    }
    text.push_str("\n## Everywhere\n\n");
    text.push_str(
        "`-h` and `--help` show the help of the tool or of a verb, `-V` and `--version` what this is.\n",
    );
    flags(&mut text, program.get_arguments().filter(|flag| flag.is_global_set()));
    for (above, verb) in verbs {
        write_verb(&mut text, &full_name(above, verb), verb);
    }
    text
}

/// The verbs that do something, each with the one above it.
fn leaves(program: &Command) -> Vec<(Option<&Command>, &Command)> {
    let mut verbs = Vec::new();
    for verb in program.get_subcommands() {
        if verb.has_subcommands() {
            verbs.extend(verb.get_subcommands().map(|below| (Some(verb), below)));
        } else {
            verbs.push((None, verb));
        }
    }
    verbs
}

fn full_name(above: Option<&Command>, verb: &Command) -> String {
    above.into_iter().chain([verb]).map(Command::get_name).collect::<Vec<_>>().join(" ")
}

fn write_verb(text: &mut String, name: &str, verb: &Command) {
    let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = verb.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    writeln!(text, "\n## {name}\n\n{}.\n\n```text\n{usage}\n```", plain(&about)).unwrap();
    let own: Vec<&Arg> =
        verb.get_arguments().filter(|argument| !argument.is_global_set() && !is_of_clap(argument)).collect();
    flags(text, own.iter().copied().filter(|argument| argument.is_positional()));
    let mut headings: Vec<Option<&str>> = Vec::new();
    for flag in own.iter().filter(|argument| !argument.is_positional()) {
        if !headings.contains(&flag.get_help_heading()) {
            headings.push(flag.get_help_heading());
        }
    }
    for heading in headings {
        if let Some(heading) = heading {
            writeln!(text, "\n**{heading}**").unwrap();
        }
        flags(
            text,
            own.iter().copied().filter(|flag| !flag.is_positional() && flag.get_help_heading() == heading),
        );
    }
    if let Some(further) = verb.get_after_help() {
        writeln!(text, "\n```text\n{}\n```", further.to_string().trim_end()).unwrap();
    }
}

/// A list with an empty line before it; nothing where there are none.
fn flags<'a>(text: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    for (number, argument) in arguments.enumerate() {
        if number == 0 {
            text.push('\n');
        }
        let short = argument.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let mut said = plain(&help);
        if argument.get_action().takes_values() {
            let words = argument.get_possible_values();
            if !words.is_empty() {
                let words: Vec<String> = words.iter().map(|word| format!("`{}`", word.get_name())).collect();
                write!(said, "; one of {}", words.join(", ")).unwrap();
            }
            let defaults =
                argument.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy()));
            let defaults: Vec<String> = defaults.collect();
            if !argument.is_hide_default_value_set() && !defaults.is_empty() {
                write!(said, "; default {}", defaults.join(", ")).unwrap();
            }
        }
        if let Some(variable) = argument.get_env() {
            write!(said, "; environment `{}`", variable.to_string_lossy()).unwrap();
        }
        writeln!(text, "- {short}`{argument}`: {said}").unwrap();
    }
}

/// Whether clap brings it by itself.
fn is_of_clap(argument: &Arg) -> bool {
    ["help", "version"].contains(&argument.get_id().as_str())
}

/// Text as Markdown shows it.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('<', "&lt;").replace('*', "\\*")
}

#[test]
fn the_reference_says_what_the_help_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/REFERENCE.md");
    let page = page();
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert!(
        written == page,
        "docs/REFERENCE.md isn't what the flags are: INSTA_UPDATE=always cargo test --test it -- pinned"
    );
}

#[test]
fn every_verb_is_in_the_reference_with_every_flag_of_its_help() {
    let page = page();
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let mut count = 0;
    for (above, verb) in leaves(&program) {
        let name = full_name(above, verb);
        let (_, rest) = page.split_once(&format!("\n## {name}\n")).expect(&name);
        let section = rest.split("\n## ").next().unwrap();
        let help = verb.clone().render_help().to_string();
        let told =
            help.lines().filter_map(|line| line.trim_start().split_once("--")).filter(|(before, _)| {
                before.is_empty() || before.len() == 4 && before.starts_with('-') && before.ends_with(", ")
            });
        for (_, flag) in told {
            let flag =
                flag.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').next().unwrap();
            let place = if ["config", "show-settings"].contains(&flag) { page.as_str() } else { section };
            let is_told = ["help"].contains(&flag) || place.contains(&format!("`--{flag}"));
            assert!(is_told, "{name} --{flag}");
            count += 1;
        }
    }
    assert!(count > 200, "{count}");
}
