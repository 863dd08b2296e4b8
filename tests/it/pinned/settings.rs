//! Every flag, key and environment variable is in the documentation and in the file that `init` writes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Arg, CommandFactory as _};
use stara_onboard::cli::Cli;
use stara_onboard::settings::SECRETS;

use super::program;
use crate::support::Invocation;

/// Around what is generated in the page.
const MARKS: [&str; 2] =
    ["<!-- The tables below are generated -->\n", "<!-- The tables above are generated -->\n"];

/// How to write them anew.
const REFRESH: &str = "INSTA_UPDATE=always cargo test --test it -- pinned";

/// What has a variable, and may stand in no file all the same.
const OF_ONE_CALL: [&str; 5] = ["limit", "only", "retry-failed", "retry-rejected", "relearn"];

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CONFIGURATION.md")
}

/// A flag as the tables show it, with the verbs that take it.
#[derive(PartialEq)]
struct Flag {
    key: String,
    short: Option<char>,
    variable: Option<String>,
    default: String,
    verbs: Vec<String>,
}

impl Flag {
    /// Whether a file may hold it. The flag that names the file may not, nor what is meant for one call.
    fn is_setting(&self) -> bool {
        self.variable.is_some() && self.key != "config" && !OF_ONE_CALL.contains(&self.key.as_str())
    }
}

/// Every flag of every verb, in the order of the help.
fn flags() -> Vec<Flag> {
    let program = Cli::command();
    let mut flags = Vec::new();
    add(program.get_arguments(), "all", &mut flags);
    for verb in program.get_subcommands() {
        if verb.has_subcommands() {
            for below in verb.get_subcommands() {
                let name = format!("{} {}", verb.get_name(), below.get_name());
                add(below.get_arguments(), &name, &mut flags);
            }
        } else {
            add(verb.get_arguments(), verb.get_name(), &mut flags);
        }
    }
    flags
}

fn add<'a>(arguments: impl Iterator<Item = &'a Arg>, verb: &str, flags: &mut Vec<Flag>) {
    for argument in arguments {
        let Some(long) = argument.get_long() else { continue };
        let flag = Flag {
            key: long.to_owned(),
            short: argument.get_short(),
            variable: argument.get_env().map(|name| name.to_str().unwrap().to_owned()),
            default: default_of(argument),
            verbs: vec![verb.to_owned()],
        };
        let is_same = |known: &&mut Flag| {
            (&known.key, &known.variable, &known.default) == (&flag.key, &flag.variable, &flag.default)
        };
        match flags.iter_mut().find(is_same) {
            Some(known) => known.verbs.push(verb.to_owned()),
            None => flags.push(flag),
        }
    }
}

/// Clap's default, or what the help says about it.
fn default_of(argument: &Arg) -> String {
    let values: Vec<_> =
        argument.get_default_values().iter().map(|value| value.to_str().unwrap().to_owned()).collect();
    if !values.is_empty() {
        return values.join(", ");
    }
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let told = help.rsplit_once("[default: ").and_then(|(_, rest)| rest.split_once(']'));
    told.map(|(told, _)| told.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap_or_default()
}

fn tables() -> String {
    let cell =
        |text: &str| if text.is_empty() { String::new() } else { format!("`{}`", text.replace('|', "\\|")) };
    let mut text = String::from(
        "\n### Settings\n\n| key and flag | environment variable | default | verbs |\n|---|---|---|---|\n",
    );
    let flags = flags();
    for flag in flags.iter().filter(|flag| flag.is_setting()) {
        let variable = flag.variable.as_deref().unwrap_or_default();
        let row = [cell(&flag.key), cell(variable), cell(&flag.default), flag.verbs.join(", ")].join(" | ");
        writeln!(text, "| {row} |").unwrap();
    }
    text.push_str(
        "\n### Flags of one call\n\n| flag | environment variable | default | verbs |\n|---|---|---|---|\n",
    );
    for flag in flags.iter().filter(|flag| !flag.is_setting()) {
        let name = match flag.short {
            Some(short) => format!("`--{}`, `-{short}`", flag.key),
            None => format!("`--{}`", flag.key),
        };
        let variable = flag.variable.as_deref().unwrap_or_default();
        let row = [name, cell(variable), cell(&flag.default), flag.verbs.join(", ")].join(" | ");
        writeln!(text, "| {row} |").unwrap();
    }
    text.push('\n');
    text
}

#[test]
fn the_page_lists_every_flag_with_its_key_variable_default_and_verbs() {
    let text = std::fs::read_to_string(page()).unwrap();
    let (before, rest) = text.split_once(MARKS[0]).expect("the page lacks its first mark");
    let (listed, after) = rest.split_once(MARKS[1]).expect("the page lacks its second mark");
    let tables = tables();
    if std::env::var("INSTA_UPDATE").is_ok_and(|how| how == "always") {
        let [first, second] = MARKS;
        std::fs::write(page(), format!("{before}{first}{tables}{second}{after}")).unwrap();
    } else {
        assert!(listed == tables, "docs/CONFIGURATION.md isn't what the flags are: {REFRESH}\n{tables}");
    }
}

#[test]
fn the_file_that_the_page_shows_is_accepted() {
    let text = std::fs::read_to_string(page()).unwrap();
    let (_, rest) = text.split_once("```toml\n").expect("the page shows a file");
    let (shown, _) = rest.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("stara-onboard.toml"), shown).unwrap();
    let settings =
        Invocation::new(folder.path()).args(["audit", "--show-settings"]).end().with_code(0).stdout;
    let line = settings.lines().find(|line| line.starts_with("max-changes ")).unwrap();
    assert!(line.contains("  10  ") && line.contains("file stara-onboard.toml:"), "{line}");
}

#[test]
fn every_secret_is_named_in_the_page_and_in_the_help() {
    let text = std::fs::read_to_string(page()).unwrap();
    let help = program(&["run", "--help"]).end().with_code(0).stdout;
    for secret in SECRETS {
        assert!(text.contains(&format!("`{}`", secret.name)), "{}", secret.name);
        assert!(help.contains(secret.name), "{}", secret.name);
    }
}

#[test]
fn every_setting_and_variable_is_in_the_file_that_init_writes() {
    let written = program(&["init", "-"]).end().with_code(0).stdout;
    let flags = flags();
    let settings = flags.iter().filter(|flag| flag.is_setting());
    let mut count = 0;
    for flag in settings {
        let line = format!("#{} = ", flag.key);
        assert_eq!(written.lines().filter(|written| written.starts_with(&line)).count(), 1, "{line}");
        assert!(written.contains(flag.variable.as_deref().unwrap()), "{line}");
        count += 1;
    }
    assert!(count > 30, "{count}");
    for key in OF_ONE_CALL {
        assert!(written.contains(&format!(" --{key}")), "{key}");
        assert!(!written.contains(&format!("#{key} = ")), "{key}");
    }
    for flag in flags.iter().filter(|flag| flag.variable.is_none()) {
        let is_a_setting_elsewhere =
            flags.iter().any(|other| other.key == flag.key && other.variable.is_some());
        let line = format!("#{} = ", flag.key);
        assert!(is_a_setting_elsewhere || !written.contains(&line), "{line}");
    }
}
