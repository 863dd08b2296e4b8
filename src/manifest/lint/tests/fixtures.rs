//! What the tests of the lint share.

use super::super::super::test_support::open_csv;
use super::super::super::{Manifest, ManifestError};
use super::super::{LintFinding, LintKind, LintOptions, LintReport, Linter};

/// Lints a manifest as `check` does, listing everything.
pub(super) fn lint(manifest: &Manifest) -> Result<LintReport, ManifestError> {
    Linter::new(manifest, LintOptions { most_listed: 10_000, takes_swapped: false }).lint_whole(manifest)
}

/// The leafUserId of the row with this number.
pub(super) fn id(number: usize) -> String {
    format!("0a1b2c3d-0000-4000-8000-{number:012x}")
}

/// A CSV of rows of cells, all of them quoted.
pub(super) fn csv(rows: impl IntoIterator<Item = [String; 3]>) -> String {
    let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
    let lines = rows.into_iter().map(|row| row.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n");
    ["leafUserId,login,password\n".to_owned()].into_iter().chain(lines).collect()
}

/// Rows with these logins and passwords, each of a user of its own.
pub(super) fn growers<'a>(cells: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let row = |(number, (login, password)): (usize, (&str, &str))| {
        [id(number), login.to_owned(), password.to_owned()]
    };
    csv(cells.into_iter().enumerate().map(row))
}

/// What was found, as line, number of the column, and kind.
pub(super) fn places(report: &LintReport) -> Vec<(u64, u32, LintKind)> {
    let place = |finding: &LintFinding| {
        (finding.line, finding.column.map_or(0, |column| column.number), finding.kind)
    };
    let places: Vec<_> = report.findings.iter().map(place).collect();
    let counted: u64 = report.counts.iter().map(|count| count.count).sum();
    assert_eq!(counted, places.len() as u64, "what is counted is listed: {report:?}");
    places
}

/// What is found in a CSV.
pub(super) fn found(text: &str) -> Vec<(u64, u32, LintKind)> {
    places(&lint(&open_csv(text).unwrap()).unwrap())
}
