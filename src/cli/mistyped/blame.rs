//! Who said it: somebody on the command line, or a variable of the environment, which nobody sees who reads the command line.

use clap::builder::Resettable;
use clap::{Arg, Command};

use super::asked::Asked;

/// Where the word comes from that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// It was typed, or is missing there.
    CommandLine,
    /// One of these variables holds it.
    Environment(Vec<String>),
}

/// Finds out by asking what would be said if a variable said nothing.
pub(super) fn blame(error: &clap::Error, asked: &Asked<'_>) -> Origin {
    let parse =
        |program: Command| program.try_get_matches_from(asked.words).map_err(|error| error.to_string());
    let said = Err(error.to_string());
    if parse(asked.program.clone()).map(|_| ()) != said {
        // What the settings file holds plays a part, and that was judged before.
        return Origin::CommandLine;
    }
    let is_set = |argument: &&Arg| argument.get_env().is_some_and(|name| std::env::var_os(name).is_some());
    let mut variables = Vec::new();
    for argument in asked.arguments().filter(is_set) {
        let id = argument.get_id().as_str();
        if parse(without_variable(asked.program.clone(), &asked.path, id)).map(|_| ()) != said {
            variables.extend(argument.get_env().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    if variables.is_empty() { Origin::CommandLine } else { Origin::Environment(variables) }
}

/// The program, in which this argument of the verb heeds no variable.
fn without_variable(command: Command, path: &[String], id: &str) -> Command {
    match path.split_first() {
        Some((name, rest)) => command.mut_subcommand(name, |below| without_variable(below, rest, id)),
        None if command.get_arguments().any(|argument| argument.get_id() == id) => {
            command.mut_arg(id, |argument| argument.env(Resettable::Reset))
        }
        None => command,
    }
}
