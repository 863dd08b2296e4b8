//! What is told of a manifest that was checked.

use crate::manifest::{Format, LintCount, LintReport, LintSeverity};

/// A manifest, and what was found in it.
#[derive(Debug)]
pub(super) struct Checked<'a> {
    /// What the manifest is called.
    pub(super) name: &'a str,
    pub(super) format: Format,
    /// What people should know about how it is read.
    pub(super) warnings: &'a [String],
    pub(super) report: &'a LintReport,
}

/// `3 errors, 1 warning and at least 2 notes`; empty where nothing was found.
pub(super) fn totals(report: &LintReport) -> String {
    let of = |severity: LintSeverity| {
        let of_it = |count: &&LintCount| count.kind.severity() == severity;
        let at_least = report.counts.iter().filter(of_it).any(|count| count.is_at_least);
        let count = report.count_of(severity);
        (count > 0).then(|| {
            let (at_least, s) = (if at_least { "at least " } else { "" }, if count == 1 { "" } else { "s" });
            format!("{at_least}{count} {severity}{s}")
        })
    };
    let parts: Vec<String> = LintSeverity::ALL.into_iter().filter_map(of).collect();
    match parts.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [some @ .., last] => format!("{} and {last}", some.join(", ")),
    }
}

/// A count as text: `3`, or `at least 3`.
pub(super) fn counted(count: &LintCount) -> String {
    let at_least = if count.is_at_least { "at least " } else { "" };
    format!("{at_least}{}", count.count)
}
