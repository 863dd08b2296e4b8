//! What a line shows that can't be read as a row.

use super::super::row::{InvalidLine, LineProblem};
use super::finding::{LintColumn, LintFinding};
use super::kind::LintKind;
use super::sample::MASK;

/// The finding that an invalid line is.
pub(super) fn lint_invalid(line: &InvalidLine) -> LintFinding {
    let (kind, sample) = match line.problem {
        LineProblem::MissingCells { cells, columns } => {
            (LintKind::MissingCells, format!("{cells} cells, {columns} columns"))
        }
        LineProblem::SurplusCells { cells, columns } => {
            (LintKind::SurplusCells, format!("{cells} cells, {columns} columns"))
        }
        LineProblem::RepeatedHeader => (LintKind::HeaderInData, "names of columns".to_owned()),
        LineProblem::ShiftedCells { id_column } => {
            (LintKind::ShiftedColumns, format!("a UUID in column {id_column}"))
        }
        LineProblem::Empty => (LintKind::EmptyCell, "nothing".to_owned()),
        LineProblem::PaddedUuid => (LintKind::PaddedUuid, "a UUID and more".to_owned()),
        LineProblem::NotUuid => (LintKind::NotAUuid, MASK.to_owned()),
        LineProblem::NulCharacter => (LintKind::NulCharacter, "•••<U+0000>•••".to_owned()),
        LineProblem::NotUtf8 => (LintKind::NotUtf8, MASK.to_owned()),
    };
    let column = line.column.map(|number| LintColumn { number, field: line.field });
    LintFinding { line: line.line, column, kind, sample }
}
