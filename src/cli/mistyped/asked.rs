//! A refused command line: the program, and the verb as far as one can be made out.

use std::ffi::OsString;

use clap::{Arg, Command, CommandFactory as _};

use crate::cli::arguments::Cli;
use crate::cli::configuration::without_empty_variables;
use crate::cli::usage::with_plain_usage;

/// What was asked for, as far as it can be made out.
pub(super) struct Asked<'a> {
    /// The program, of which no empty variable says anything.
    pub(super) program: Command,
    /// All words, the program's name being the first.
    pub(super) words: &'a [OsString],
    /// The names that lead to the verb; none where no verb was made out.
    pub(super) path: Vec<String>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(words: &'a [OsString]) -> Self {
        let program = without_empty_variables(with_plain_usage(Cli::command()));
        let mut path = Vec::new();
        let mut command = &program;
        for word in words.iter().skip(1).filter_map(|word| word.to_str()) {
            // Whatever stands before the verb belongs to the program.
            match command.find_subcommand(word) {
                Some(below) => (command, path) = (below, [path, vec![below.get_name().to_owned()]].concat()),
                None if path.is_empty() => {}
                None => break,
            }
        }
        Self { program, words, path }
    }

    /// The verb's command, or the program.
    pub(super) fn command(&self) -> &Command {
        self.path.iter().fold(&self.program, |command, name| command.find_subcommand(name).unwrap_or(command))
    }

    /// How the verb is called: `run`, `state prune`; empty where there is none.
    pub(super) fn verb(&self) -> String {
        self.path.join(" ")
    }

    /// Where to read on.
    pub(super) fn help(&self) -> String {
        format!("`{} --help` says what there is", self.call())
    }

    /// The program's name with the verb.
    pub(super) fn call(&self) -> String {
        let program = self.program.get_name();
        if self.path.is_empty() { program.to_owned() } else { format!("{program} {}", self.verb()) }
    }

    /// Everything that the verb takes, and the program before it.
    pub(super) fn arguments(&self) -> impl Iterator<Item = &Arg> {
        let own = self.command().get_arguments();
        own.chain(self.program.get_arguments().filter(|_| !self.path.is_empty()))
    }
}

/// A flag or value as people know it: `--leaf-rate` for `--leaf-rate <RATE>`, `MANIFEST` for `<MANIFEST>`.
pub(super) fn plain_name(shown: &str) -> String {
    match shown.strip_prefix("--") {
        Some(rest) => {
            let end = rest.find([' ', '=', '[', '<', '.']).unwrap_or(rest.len());
            format!("--{}", &rest[..end])
        }
        None => shown.trim_matches(|letter: char| "<>[].".contains(letter)).to_owned(),
    }
}
