//! `explain`: what a code means, offline.

use super::arguments::ExplainArguments;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::status::print;
use crate::model::OutcomeCode;

/// Explains one code, or lists them all.
pub(super) fn explain(arguments: &ExplainArguments) -> Result<ExitCode, Failure> {
    let Some(code) = &arguments.code else {
        print(&list());
        return Ok(ExitCode::Done);
    };
    let exit_code = |number: u8| ExitCode::ALL.into_iter().find(|code| code.number() == number);
    let text = match (code.parse::<OutcomeCode>(), code.parse().ok().and_then(exit_code)) {
        (Ok(code), _) => outcome(code),
        (_, Some(code)) => {
            format!("exit code {}\n  {}\n  {}\n", code.number(), code.meaning(), code.advice())
        }
        _ => {
            let error = anyhow::anyhow!("there is no outcome or exit code {code:?}");
            return Err(Failure::new(ExitCode::Usage, error, "`stara-onboard explain` lists them all"));
        }
    };
    print(&text);
    Ok(ExitCode::Done)
}

fn outcome(code: OutcomeCode) -> String {
    format!(
        "{code}\n  {}\n  Who acts:      {}\n  What to do:    {}\n  The next run:  {}\n",
        code.meaning(),
        code.owner().as_str(),
        code.advice(),
        code.next_run().as_str()
    )
}

fn list() -> String {
    let outcomes = OutcomeCode::ALL.iter().map(|code| format!("  {code:<24} {}\n", code.meaning()));
    let codes = ExitCode::ALL.iter().map(|code| format!("  {:<24} {}\n", code.number(), code.meaning()));
    let heading = |text: &str| format!("{text}\n");
    [heading("Outcomes of a row:")]
        .into_iter()
        .chain(outcomes)
        .chain([heading("\nExit codes:")])
        .chain(codes)
        .collect()
}
