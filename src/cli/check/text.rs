//! The findings of `check` for people.

use std::fmt::Write as _;

use super::checked::{Checked, counted, totals};
use crate::manifest::LintFinding;

impl Checked<'_> {
    /// Everything that was found, by kind, the worst first.
    pub(super) fn text(&self) -> String {
        let Self { name, report, .. } = self;
        let found = if report.is_clean() { "nothing found".to_owned() } else { totals(report) };
        let lines = if report.lines == 1 { "line" } else { "lines" };
        let mut text = format!("{name}: {} {lines}: {found}\n", report.lines);
        for count in &report.counts {
            let kind = count.kind;
            let listed: Vec<&LintFinding> =
                report.findings.iter().filter(|finding| finding.kind == kind).collect();
            // Writing into a string can't fail.
            let _ = writeln!(text, "\n{}: {kind}, {}", kind.severity(), counted(count));
            let _ = writeln!(text, "  {}\n  To mend it: {}", kind.meaning(), kind.advice());
            for finding in &listed {
                text.push_str(&place(finding));
            }
            let left_out = count.count.saturating_sub(listed.len() as u64);
            if left_out > 0 {
                let _ = writeln!(text, "    and {left_out} more (--max-findings lists more)");
            }
        }
        text
    }
}

fn place(finding: &LintFinding) -> String {
    let column = match finding.column {
        None => String::new(),
        Some(column) => match column.field {
            Some(field) => format!(", column {} ({field})", column.number),
            None => format!(", column {}", column.number),
        },
    };
    format!("    line {}{column}: {}\n", finding.line, finding.sample)
}
