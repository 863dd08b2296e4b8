//! The report, as a reader of the JSON lines sees it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// A record of the report.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResultLine {
    pub(crate) line: u64,
    pub(crate) leaf_user_id: Option<String>,
    pub(crate) login: Option<String>,
    pub(crate) outcome: String,
    pub(crate) origin: Option<String>,
    pub(crate) stage: Option<String>,
    pub(crate) http_status: Option<u16>,
    pub(crate) attempts: Option<u32>,
    pub(crate) credential_id: Option<String>,
    pub(crate) credential_status: Option<String>,
    pub(crate) message: String,
    pub(crate) advice: String,
    pub(crate) owner: String,
    pub(crate) next_run: String,
}

/// Every record of a report in JSON lines.
pub(crate) fn read_results(path: &Path) -> Vec<ResultLine> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How many records have each outcome.
pub(crate) fn counts(results: &[ResultLine]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for result in results {
        *counts.entry(result.outcome.as_str()).or_default() += 1;
    }
    counts
}

/// The lines that have an outcome.
pub(crate) fn lines_of(results: &[ResultLine], outcome: &str) -> Vec<u64> {
    results.iter().filter(|result| result.outcome == outcome).map(|result| result.line).collect()
}
