//! What a lint comes to.

use super::super::Field;
use super::kind::{LintKind, LintSeverity};

/// A column of the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LintColumn {
    /// Its number, from 1.
    pub number: u32,
    /// What it holds, where that is one of the fields.
    pub field: Option<Field>,
}

/// Something found at one place of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintFinding {
    /// The physical line on which the record begins, the header's being 1; in Parquet the row's number from 1.
    pub line: u64,
    /// The column, where it is about one.
    pub column: Option<LintColumn>,
    /// What was found.
    pub kind: LintKind,
    /// What can be shown of it: names of characters, other lines, counts; every character of a cell is masked.
    pub sample: String,
}

/// How often a kind was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LintCount {
    /// The kind.
    pub kind: LintKind,
    /// How many places.
    pub count: u64,
    /// Whether there may be more: so many users or logins are repeated that they can't all be compared.
    pub is_at_least: bool,
}

/// Everything that a lint found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LintReport {
    /// The records read, the header and blank lines not counted.
    pub lines: u64,
    /// How often each kind was found, the worst first; kinds that weren't found are left out.
    pub counts: Vec<LintCount>,
    /// The first places of each kind, by line and column.
    pub findings: Vec<LintFinding>,
}

impl LintReport {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.counts.is_empty()
    }

    /// How many places of this severity were found.
    #[must_use]
    pub fn count_of(&self, severity: LintSeverity) -> u64 {
        self.counts.iter().filter(|count| count.kind.severity() == severity).map(|count| count.count).sum()
    }

    /// How many places were found that [`findings`](Self::findings) doesn't list.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        let found: u64 = self.counts.iter().map(|count| count.count).sum();
        found.saturating_sub(self.findings.len() as u64)
    }
}
