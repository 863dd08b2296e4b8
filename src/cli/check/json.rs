//! The findings of `check` for programs. `docs/CHECK.md` describes them.

use std::io::Write;

use serde::Serialize;

use super::checked::Checked;
use crate::cli::failure::Failure;
use crate::cli::run::internal;
use crate::manifest::{Field, Format, LintSeverity};

/// The version of the schema. It is raised when a field changes its meaning or goes, not when one is added.
const SCHEMA: u8 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Object<'a> {
    schema: u8,
    manifest: &'a str,
    format: &'static str,
    reading_warnings: &'a [String],
    lines: u64,
    errors: u64,
    warnings: u64,
    notes: u64,
    kinds: Vec<Found>,
    findings: Vec<Finding<'a>>,
    findings_left_out: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    kind: &'static str,
    severity: &'static str,
    count: u64,
    is_at_least: bool,
    meaning: &'static str,
    advice: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding<'a> {
    line: u64,
    column: Option<u32>,
    field: Option<&'static str>,
    kind: &'static str,
    severity: &'static str,
    sample: &'a str,
    advice: &'static str,
}

impl Checked<'_> {
    /// Writes one object on one line.
    pub(super) fn write_json(&self, mut out: impl Write) -> Result<(), Failure> {
        let line = serde_json::to_string(&self.object())
            .map_err(|_| internal("the findings can't be written as JSON"))?;
        // A reader that has gone away has all it wanted.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
        Ok(())
    }

    fn object(&self) -> Object<'_> {
        let report = self.report;
        let kinds = report.counts.iter().map(|count| Found {
            kind: count.kind.as_str(),
            severity: count.kind.severity().as_str(),
            count: count.count,
            is_at_least: count.is_at_least,
            meaning: count.kind.meaning(),
            advice: count.kind.advice(),
        });
        let findings = report.findings.iter().map(|finding| Finding {
            line: finding.line,
            column: finding.column.map(|column| column.number),
            field: finding.column.and_then(|column| column.field).map(Field::as_str),
            kind: finding.kind.as_str(),
            severity: finding.kind.severity().as_str(),
            sample: &finding.sample,
            advice: finding.kind.advice(),
        });
        Object {
            schema: SCHEMA,
            manifest: self.name,
            format: match self.format {
                Format::Csv => "csv",
                Format::Parquet => "parquet",
            },
            reading_warnings: self.warnings,
            lines: report.lines,
            errors: report.count_of(LintSeverity::Error),
            warnings: report.count_of(LintSeverity::Warning),
            notes: report.count_of(LintSeverity::Note),
            kinds: kinds.collect(),
            findings: findings.collect(),
            findings_left_out: report.left_out(),
        }
    }
}
