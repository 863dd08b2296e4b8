//! Asks before something is done that can't be undone.

use std::io::{IsTerminal as _, stdin};

use super::exit_code::ExitCode;
use super::failure::Failure;
use super::run::tell;

/// Asks for a `yes` at the terminal, after `what` was said. Without a terminal nobody can be asked.
///
/// # Errors
///
/// When nobody can be asked, or the answer is another one.
pub(super) fn ask(what: &str) -> Result<(), Failure> {
    tell(what);
    if !stdin().is_terminal() {
        let error =
            anyhow::anyhow!("there is no terminal at which this could be confirmed; nothing was sent");
        return Err(Failure::new(ExitCode::Usage, error, "look at what it says above, and add --yes"));
    }
    tell("Type yes to go on: ");
    let mut answer = String::new();
    // An input that can't be read is no yes.
    let _ = stdin().read_line(&mut answer);
    if answer.trim() == "yes" {
        return Ok(());
    }
    let error = anyhow::anyhow!("it wasn't confirmed; nothing was sent");
    Err(Failure::new(ExitCode::Usage, error, "run the same command again, and type yes"))
}
