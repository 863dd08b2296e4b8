//! Finds what is to be explained, and prints it.

use serde_json::json;

use super::explanation::{Explanation, Kind};
use crate::cli::arguments::ExplainArguments;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::status::print;

/// How alike a code must be to what was written to be suggested.
const ALIKE: f64 = 0.7;

/// Explains one code, or lists them all.
pub(in crate::cli) fn explain(arguments: &ExplainArguments) -> Result<ExitCode, Failure> {
    let explanations: Vec<Explanation> = match &arguments.code {
        None => Explanation::all().collect(),
        Some(code) => vec![find(code)?],
    };
    print(&match &*explanations {
        _ if arguments.json => format!("{:#}\n", json!({ "schema": 1, "codes": explanations })),
        [only] => only.text(),
        all => list(all),
    });
    Ok(ExitCode::Done)
}

/// Every code that can be explained, as it is written.
pub(in crate::cli) fn codes() -> impl Iterator<Item = String> {
    Explanation::all().map(|explanation| explanation.code)
}

fn find(code: &str) -> Result<Explanation, Failure> {
    if let Some(found) = Explanation::all().find(|explanation| explanation.is_meant_by(code)) {
        return Ok(found);
    }
    let likeness = |explanation: &Explanation| explanation.likeness(code);
    let nearest = Explanation::all()
        .filter(|explanation| likeness(explanation) >= ALIKE)
        .max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let hint = match nearest {
        Some(nearest) => {
            format!("did you mean {}? `stara-onboard explain` lists all codes", nearest.code)
        }
        None => "`stara-onboard explain` lists all codes".to_owned(),
    };
    Err(Failure::new(ExitCode::Usage, anyhow::anyhow!("there is no code {code:?}"), hint))
}

fn list(explanations: &[Explanation]) -> String {
    let of_kind = |kind: Kind| {
        let of_kind = explanations.iter().filter(move |explanation| explanation.kind == kind);
        let lines =
            of_kind.map(|explanation| format!("  {:<24} {}\n", explanation.code, explanation.meaning));
        format!("{}:\n{}", kind.heading(), lines.collect::<String>())
    };
    Kind::ALL.map(of_kind).join("\n")
}
