//! Prints a shell's script.

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use super::{bash, fish, words};
use crate::cli::arguments::Cli;
use crate::cli::exit_code::ExitCode;
use crate::cli::status::print;

/// The arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell that completes
    pub shell: Shell,
}

/// Prints the script on stdout.
pub(in crate::cli) fn completions(arguments: &CompletionsArguments) -> ExitCode {
    print(&script(arguments.shell));
    ExitCode::Done
}

fn script(shell: Shell) -> String {
    let mut program = words::known(Cli::command());
    let name = program.get_name().to_owned();
    let mut script = Vec::new();
    let called = if shell == Shell::Bash { bash::without_hyphens(&name) } else { name.clone() };
    generate(shell, &mut program, called, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let further = match shell {
        Shell::Bash => bash::wrapper(&program, &name),
        Shell::Fish => fish::further(&program, &name),
        _ => String::new(),
    };
    script + &further
}
