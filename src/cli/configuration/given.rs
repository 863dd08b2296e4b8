//! The command line, parsed over environment, file and defaults.

use std::ffi::OsString;

use clap::builder::Resettable;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory as _, FromArgMatches as _};

use super::DeclaredVerb;
use super::declared::vocabulary;
use super::inject::{self, FileDefaults};
use super::locate::Located;
use super::opening::Opening;
use super::show::Shown;
use super::{locate, matching, variables};
use crate::cli::arguments::Cli;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::usage::with_plain_usage;
use crate::settings::{FileError, SettingsFile};

/// What a command line asks for.
#[derive(Debug)]
pub(in crate::cli) enum Given {
    /// A verb, to be carried out.
    Verb(Box<Cli>),
    /// `--show-settings`: the text to be printed, and nothing else.
    Settings(String),
}

/// Why a command line can't be carried out.
#[derive(Debug)]
pub(in crate::cli) enum Refusal {
    /// By clap; asking for help or the version is one of these.
    Clap(clap::Error),
    /// By us: the settings file can't be used.
    Failure(Failure),
}

impl From<clap::Error> for Refusal {
    fn from(error: clap::Error) -> Self {
        Self::Clap(error)
    }
}

/// Parses a command line whose first word is the program, with the settings file that belongs to it.
pub(in crate::cli) fn parse(words: &[OsString]) -> Result<Given, Refusal> {
    let program = with_plain_usage(Cli::command());
    let heeding = without_empty_variables(program.clone());
    let said = match matching::without_file(&heeding, words) {
        // Asked for help, which shows all variables.
        Err(error) if !error.use_stderr() => program.clone().try_get_matches_from(words)?,
        said => said?,
    };
    let (path, said) = verb(&said);
    let verbs = DeclaredVerb::all(&program);
    let Some(declared) = verbs.into_iter().find(|verb| verb.path() == path) else {
        return Ok(Given::Verb(Box::new(Cli::from_arg_matches(&heeding.try_get_matches_from(words)?)?)));
    };
    // What can't be set can't be wrong: `explain` must answer whatever is the matter with the file.
    let has_settings = declared.settings().next().is_some();
    let file = if has_settings { read(&program, said).map_err(Refusal::Failure)? } else { None };
    let defaults =
        file.as_ref().map_or_else(FileDefaults::new, |file| inject::defaults(declared, file, said));
    let is_shown = said.get_flag("show_settings");
    let matches = matching::with_file(&heeding, declared, words, &defaults, is_shown)?;
    let names = || std::env::vars_os().map(|(name, _)| name);
    let warnings = if has_settings { variables::warnings(&program, names()) } else { Vec::new() };
    if is_shown {
        Opening::new(None, warnings).tell(false, false);
        let shown = Shown {
            verb: declared,
            said,
            matches: verb(&matches).1,
            file: file.as_ref(),
            defaults: &defaults,
        };
        return Ok(Given::Settings(shown.render(is_set)));
    }
    let mut cli = Cli::from_arg_matches(&matches)?;
    cli.verb.spare_real_files(|id| said.value_source(id) == Some(ValueSource::CommandLine));
    match cli.verb.output_mut() {
        Some(output) => {
            output.opening = Opening::new(file.map(|file| file.path), warnings);
            output.opening.tell(output.quiet, output.log_file().is_some());
        }
        None => Opening::new(None, warnings).tell(false, false),
    }
    Ok(Given::Verb(Box::new(cli)))
}

/// The program, to which an empty variable counts as absent, as that of a secret does: to a container or a unit it is often the
/// only way to say so.
pub(in crate::cli) fn without_empty_variables(command: Command) -> Command {
    let heed = |argument: Arg| {
        let value = argument.get_env().and_then(std::env::var_os);
        if value.is_some_and(|value| value.is_empty()) { argument.env(Resettable::Reset) } else { argument }
    };
    command.mut_args(heed).mut_subcommands(without_empty_variables)
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

/// The names that lead to the verb, and what is said to it.
fn verb(matches: &ArgMatches) -> (Vec<&str>, &ArgMatches) {
    let (mut path, mut matches) = (Vec::new(), matches);
    while let Some((name, below)) = matches.subcommand() {
        path.push(name);
        matches = below;
    }
    (path, matches)
}

fn read(program: &Command, matches: &ArgMatches) -> Result<Option<SettingsFile>, Failure> {
    let file = match locate::locate(matches) {
        None => return Ok(None),
        Some(Located::Named(path)) => SettingsFile::read(&path)?,
        Some(Located::Found(path)) => SettingsFile::read_found(&path)?,
    };
    let refused = inject::judge(program, &vocabulary(program), &file);
    if refused.is_empty() {
        Ok(Some(file))
    } else {
        Err(FileError::Refused { path: file.path, refused }.into())
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let hint = match &error {
            FileError::Unreadable { .. } => "nothing was done; name another file with --config, or none",
            FileError::Distrusted { .. } => {
                "nothing was done; whoever writes to it decides to which hosts passwords are sent: read it on purpose \
                 with --config stara-onboard.toml, or go on without it by --config none"
            }
            _ => "nothing was done; correct the file, or go on without it by --config none",
        };
        Self::new(ExitCode::Usage, error, hint)
    }
}
