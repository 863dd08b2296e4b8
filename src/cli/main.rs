//! The main function behind `main.rs`.

use std::io::Write as _;
use std::panic::PanicHookInfo;

use clap::error::ErrorKind;

use super::arguments::Verb;
use super::configuration::{Given, Refusal};
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::{
    audit, check, completions, configuration, detach, doctor, encrypted, events, explain, manual, mistyped,
    plan, reports, run, sandbox, state, status,
};

/// Parses the command line, carries it out, and says with which code to exit.
#[must_use]
pub fn main() -> std::process::ExitCode {
    std::panic::set_hook(Box::new(tell_of_panic));
    forbid_core_dumps();
    let words: Vec<_> = std::env::args_os().collect();
    if let Some(code) = encrypted::stand_in(&words) {
        return code.into();
    }
    let cli = match configuration::parse(&words) {
        Ok(Given::Verb(cli)) => cli,
        Ok(Given::Settings(text)) => {
            status::print(&text);
            return ExitCode::Done.into();
        }
        Err(Refusal::Clap(error)) => {
            // Help and version are no errors, and a closed pipe doesn't make them one.
            if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
                let _ = error.print();
                let code = if error.use_stderr() { ExitCode::Usage } else { ExitCode::Done };
                return code.into();
            }
            return told(&mistyped::refuse(&error, &words)).into();
        }
        Err(Refusal::Failure(failure)) => return told(&failure).into(),
    };
    let mut verb = cli.verb;
    if let Err(failure) = verb.settle_shard() {
        return told(&failure).into();
    }
    let ended = match verb {
        Verb::Run(arguments) => run::run(&arguments),
        Verb::Plan(arguments) => plan::plan(&arguments),
        Verb::Check(arguments) => check::check(&arguments),
        Verb::Audit(arguments) => audit::audit(&arguments),
        Verb::Detach(arguments) => detach::detach(&arguments),
        Verb::Events(arguments) => events::events(&arguments),
        Verb::Status(arguments) => status::status(&arguments),
        Verb::Report(arguments) => reports::report(&arguments),
        Verb::Sandbox(arguments) => sandbox::serve(&arguments),
        Verb::State(arguments) => state::state(&arguments),
        Verb::Doctor(arguments) => doctor::doctor(&arguments),
        Verb::Explain(arguments) => explain::explain(&arguments),
        Verb::Init(arguments) => configuration::init(&arguments),
        Verb::Completions(arguments) => Ok(completions::completions(&arguments)),
        Verb::Man(arguments) => manual::man(&arguments),
    };
    ended.unwrap_or_else(|failure: Failure| told(&failure)).into()
}

/// Tells of a failure, and says with which code to exit. Where even stderr is gone, the code still says it.
fn told(failure: &Failure) -> ExitCode {
    let _ = std::io::stderr().write_all(failure.render().as_bytes());
    failure.code
}

/// Says where a panic happened, and never its payload, which may quote what it choked on.
///
/// The Parquet reader's panics on damaged files are no defects of ours: `manifest` turns them into an error.
fn tell_of_panic(panic: &PanicHookInfo<'_>) {
    if panic.location().is_some_and(|place| place.file().contains("/parquet-")) {
        return;
    }
    let place =
        panic.location().map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
    let text =
        format!("error: a defect of this program{place}\nhint: please report it; the ledger is true\n");
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// A core file would hold the passwords of every row in flight.
fn forbid_core_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        // Refused only where the limit is lower already.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
}
