//! What the command line declares, verb by verb.

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, Command};

use crate::settings::{Declaration, Standing, Vocabulary};

/// What has a variable or none, but makes no sense in a file in any case: it is about the file, or answers a question, or is
/// meant for one call. Left on in a file, `retry-rejected` would send every refused login again each night.
const NEVER_IN_A_FILE: [&str; 10] = [
    "help",
    "version",
    "config",
    "show-settings",
    "yes",
    "limit",
    "only",
    "retry-failed",
    "retry-rejected",
    "relearn",
];

/// A verb that does something, as `run` or `state prune`.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeclaredVerb<'a> {
    /// Its command.
    pub(super) command: &'a Command,
    /// The command above it, where there is one but the program's own.
    above: Option<&'a Command>,
}

impl<'a> DeclaredVerb<'a> {
    /// Every verb of the program, in the order of the help.
    pub(super) fn all(program: &'a Command) -> Vec<Self> {
        let mut verbs = Vec::new();
        for command in program.get_subcommands() {
            if command.has_subcommands() {
                let below = command.get_subcommands();
                verbs.extend(below.map(|below| Self { command: below, above: Some(command) }));
            } else {
                verbs.push(Self { command, above: None });
            }
        }
        verbs
    }

    /// The names that lead to it.
    pub(super) fn path(self) -> Vec<&'a str> {
        self.above.into_iter().chain([self.command]).map(Command::get_name).collect()
    }

    /// Its table in a file.
    pub(super) fn table(self) -> String {
        self.path().join(".")
    }

    /// Its flags, in the order of the help.
    pub(super) fn flags(self) -> impl Iterator<Item = &'a Arg> {
        self.command.get_arguments().filter(|argument| argument.get_long().is_some())
    }

    /// Its flags that may stand in a file.
    pub(super) fn settings(self) -> impl Iterator<Item = &'a Arg> {
        self.flags().filter(|argument| standing(argument) == Standing::Setting)
    }

    /// Its flags of one call that have an environment variable, and might be looked for in a file.
    pub(super) fn flags_of_one_call(self) -> impl Iterator<Item = &'a Arg> {
        self.flags().filter(|flag| standing(flag) == Standing::OneCall && flag.get_env().is_some())
    }

    /// The flag that a key of a file means.
    pub(super) fn setting(self, key: &str) -> Option<&'a Arg> {
        self.settings().find(|argument| argument.get_long() == Some(key))
    }
}

/// Whether it may stand in a file. What has no environment variable is about one call, too.
fn standing(argument: &Arg) -> Standing {
    match argument.get_long() {
        None => Standing::Positional,
        Some(long) if NEVER_IN_A_FILE.contains(&long) || argument.get_env().is_none() => Standing::OneCall,
        Some(_) => Standing::Setting,
    }
}

/// All that the program takes.
pub(super) fn vocabulary(program: &Command) -> Vocabulary {
    let mut declarations = Vec::new();
    for verb in DeclaredVerb::all(program) {
        let everywhere = program.get_arguments().filter(|argument| argument.is_global_set());
        for argument in verb.command.get_arguments().chain(everywhere) {
            let own_name = || argument.get_id().as_str().replace('_', "-");
            declarations.push(Declaration {
                table: verb.table(),
                key: argument.get_long().map_or_else(own_name, ToOwned::to_owned),
                variable: variable(argument),
                standing: standing(argument),
            });
        }
    }
    Vocabulary::new(declarations)
}

/// Its environment variable.
pub(super) fn variable(argument: &Arg) -> Option<String> {
    argument.get_env().map(|name| name.to_string_lossy().into_owned())
}

/// Whether it takes no value.
pub(super) fn is_switch(argument: &Arg) -> bool {
    !argument.get_action().takes_values()
}

/// Whether it may be given without a value.
pub(super) fn has_optional_value(argument: &Arg) -> bool {
    argument.get_num_args().is_some_and(|number| number.min_values() == 0)
}

/// Whether it may be given more than once.
pub(super) fn is_repeatable(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::Append) || argument.get_value_delimiter().is_some()
}

/// Whether its values are names of files.
pub(super) fn is_path(argument: &Arg) -> bool {
    argument.get_value_parser().type_id() == ValueParser::path_buf().type_id()
}

/// Whether its values are any text.
pub(super) fn is_free_text(argument: &Arg) -> bool {
    argument.get_value_parser().type_id() == ValueParser::string().type_id()
}

/// What holds where nobody says anything: clap's default, or what the help says about it in brackets.
pub(super) fn default_of(argument: &Arg) -> Option<String> {
    let defaults = argument.get_default_values();
    if !defaults.is_empty() {
        let texts: Vec<_> = defaults.iter().map(|value| value.to_string_lossy()).collect();
        return Some(texts.join(", "));
    }
    let help = help_of(argument);
    let (_, rest) = help.rsplit_once("[default: ")?;
    rest.split_once(']').map(|(default, _)| default.to_owned())
}

/// Its help in one line.
pub(super) fn help_of(argument: &Arg) -> String {
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    help.split_whitespace().collect::<Vec<_>>().join(" ")
}
