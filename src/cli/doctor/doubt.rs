//! Whether a row may be a canary at all: what a run wouldn't send proves nothing, and what is mistyped would be refused.

use std::path::Path;

use super::check::Check;
use crate::manifest::{Field, LintFinding, LintReport, LintSeverity, Manifest, ManifestError, Record, Row};
use crate::model::Secret;

const NAME: &str = "canary";

/// How many contradicting lines are named.
const NAMED: usize = 3;

/// Why `row` isn't to be sent, where the manifest tells; `report` is the lint of its line.
///
/// # Errors
///
/// When the manifest can't be read a second time.
pub(super) fn doubt(
    manifest: &Manifest,
    path: &Path,
    row: &Row,
    report: &LintReport,
    default_client: Option<&Secret>,
) -> Result<Option<Check>, ManifestError> {
    let contradicted = contradiction(manifest, row, default_client)?;
    Ok(contradicted.or_else(|| fault(path, row, report)))
}

/// Lines that name the same user and say something else: a run sends none of them.
fn contradiction(
    manifest: &Manifest,
    row: &Row,
    default_client: Option<&Secret>,
) -> Result<Option<Check>, ManifestError> {
    let (mut lines, mut disagree) = (Vec::new(), false);
    for record in manifest.records()? {
        if let Record::Row(other) = record?
            && other.leaf_user_id == row.leaf_user_id
        {
            disagree |= !agree(row, &other, default_client);
            if lines.len() <= NAMED {
                lines.push(other.line.to_string());
            }
        }
    }
    let more = if lines.len() > NAMED { " and more" } else { "" };
    lines.truncate(NAMED);
    let found = format!("not sent: lines {}{more} name this user and disagree", lines.join(", "));
    let advice = "a run sends none of them: leave the one that is right, or try another line";
    Ok(disagree.then(|| Check::warning(NAME, found, advice)))
}

/// Whether two rows of one user say the same, as a run compares them.
fn agree(one: &Row, other: &Row, default_client: Option<&Secret>) -> bool {
    let [one, other] = [one, other].map(|row| {
        let client = row.access_token_client.as_ref().or(default_client);
        (&row.login, row.password.expose_secret(), client.map(Secret::expose_secret))
    });
    one == other
}

/// What `check` finds in the login or the password of the row's line, and is no mere note.
fn fault(path: &Path, row: &Row, report: &LintReport) -> Option<Check> {
    let is_meant = |finding: &&LintFinding| {
        let field = finding.column.and_then(|column| column.field);
        finding.line == row.line
            && finding.kind.severity() != LintSeverity::Note
            && matches!(field, Some(Field::Login | Field::Password))
    };
    let found: Vec<&LintFinding> = report.findings.iter().filter(is_meant).collect();
    let first = found.first()?;
    let place = |finding: &&LintFinding| {
        let column = finding.column?;
        Some(format!("{} in column {} ({})", finding.kind, column.number, column.field?))
    };
    let places: Vec<String> = found.iter().filter_map(place).collect();
    let check = format!("not sent: check finds fault with line {}: {}", row.line, places.join(", "));
    let advice = format!(
        "{} Or try another line, which proves the dialect as well; check {} names them all",
        first.kind.advice(),
        path.display()
    );
    Some(Check::warning(NAME, check, advice))
}
