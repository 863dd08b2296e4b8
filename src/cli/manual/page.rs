//! One page of the manual.

use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::exit_code::ExitCode;
use crate::cli::usage::with_plain_usage;

/// The section of the manual for commands that anybody may give.
const SECTION: &str = "1";

/// What stands at the head of every page.
const MANUAL: &str = "User Commands";

/// What stands at the foot of every page.
const SOURCE: &str = concat!("stara-onboard ", env!("CARGO_PKG_VERSION"));

/// The files that matter wherever the tool runs, unless something else is asked for.
const FILES: [(&str, &str); 4] = [
    (
        "state/ledger.db",
        "The ledger: what is done, and what the next run is to do. Beside it lie its key and its lock.",
    ),
    ("state/sandbox.db", "The ledger of rehearsals."),
    ("state/*.results.csv", "The results of the latest run of a manifest."),
    (
        "stara-onboard.toml",
        "Settings, where there is such a file in the working folder; stara-onboard-init(1) writes one.",
    ),
];

/// What somebody begins with.
const EXAMPLES: [&str; 5] = [
    "stara-onboard check growers.csv",
    "stara-onboard run growers.csv --sandbox=storm",
    "stara-onboard plan growers.csv",
    "stara-onboard run growers.csv",
    "stara-onboard explain stara-login-rejected",
];

/// A page, and the file it belongs in.
#[derive(Debug)]
pub(super) struct Page {
    /// As `stara-onboard-run.1`.
    pub(super) file: String,
    /// What `man` formats.
    pub(super) text: String,
}

impl Page {
    /// The tool's page, and then that of each verb in the order of the help.
    pub(super) fn all(program: Command) -> io::Result<Vec<Self>> {
        let mut program = with_plain_usage(program.disable_help_subcommand(true));
        program.build();
        let usage = program.render_usage().to_string();
        let mut program = program.override_usage(usage.trim_start_matches("Usage: ").to_owned());
        program.build();
        let mut pages = Vec::new();
        add(&program, None, &mut pages)?;
        Ok(pages)
    }
}

fn add(command: &Command, above: Option<&str>, pages: &mut Vec<Page>) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    pages.push(Page { file: format!("{name}.{SECTION}"), text: text(command, name, above)? });
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    verbs.into_iter().try_for_each(|verb| add(verb, Some(name), pages))
}

fn text(command: &Command, name: &str, above: Option<&str>) -> io::Result<String> {
    let man = Man::new(command.clone());
    let mut text = Vec::new();
    // The date stays empty, so that the same sources give the same pages.
    let title = format!(".TH {name} {SECTION} \"\" \"{SOURCE}\" \"{MANUAL}\"\n");
    text.extend_from_slice(title.as_bytes());
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    man.render_options_section(&mut text)?;
    if let Some(further) = command.get_after_help() {
        as_it_stands("NOTES", further.to_string().lines()).to_writer(&mut text)?;
    }
    match above {
        None => own_sections().to_writer(&mut text)?,
        Some(above) => see_also(above).to_writer(&mut text)?,
    }
    String::from_utf8(text).map_err(io::Error::other)
}

/// Text whose lines are to stay as they are.
fn as_it_stands<'a>(heading: &str, lines: impl IntoIterator<Item = &'a str>) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [heading]).control("nf", []);
    for line in lines {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    roff
}

/// What holds for the tool as a whole.
fn own_sections() -> Roff {
    let mut roff = as_it_stands("EXAMPLES", EXAMPLES);
    roff.control("SH", ["EXIT STATUS"]);
    for code in ExitCode::ALL {
        roff.control("TP", []).text([bold(code.number().to_string())]).text([roman(code.meaning())]);
    }
    roff.control("SH", ["ENVIRONMENT"]);
    roff.text([roman(
        "Each option names its variable. Secrets stand in the environment or in files, never in options.",
    )]);
    roff.control("SH", ["FILES"]);
    for (file, meaning) in FILES {
        roff.control("TP", []).text([bold(file)]).text([roman(meaning)]);
    }
    roff
}

fn see_also(above: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    let mut names = vec![above];
    if above != env!("CARGO_PKG_NAME") {
        names.push(env!("CARGO_PKG_NAME"));
    }
    let names: Vec<String> = names.into_iter().map(|name| format!("{name}({SECTION})")).collect();
    roff.text([roman(format!("{}, which has the exit codes and the files", names.join(", ")))]);
    roff
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn the_examples_are_taken() {
        for example in EXAMPLES {
            Cli::try_parse_from(example.split(' ')).expect(example);
        }
    }

    #[test]
    fn the_same_sources_give_the_same_pages_without_a_date() {
        let text =
            || Page::all(Cli::command()).unwrap().into_iter().map(|page| page.text).collect::<String>();
        assert_eq!(text(), text());
        assert!(text().starts_with(".TH stara-onboard 1 \"\" "));
    }
}
