//! The columns of a report, and which kept columns may stand beside them.

use std::collections::HashSet;

/// The report's own columns, in their order. The kept columns of the manifest follow them.
pub const COLUMNS: [&str; 15] = [
    "line",
    "leafUserId",
    "login",
    "outcome",
    "origin",
    "stage",
    "httpStatus",
    "attempts",
    "credentialId",
    "credentialStatus",
    "finishedAt",
    "message",
    "advice",
    "owner",
    "nextRun",
];

/// A kept column that can't be told from another one: JSON and Parquet know a value only by its column's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeptColumnError {
    /// The report has a column of this name itself.
    #[error(
        "the report has a column `{0}` of its own; rename the manifest's, or leave out --keep-column {0}"
    )]
    OfTheReport(String),
    /// The name was given twice.
    #[error("the column `{0}` is kept twice; give --keep-column {0} once")]
    Twice(String),
}

/// Checks that the kept columns can be told from the report's own and from each other.
///
/// # Errors
///
/// Names the first column that can't. The name is one that the user gave to `--keep-column`.
pub fn check_kept_columns(kept_columns: &[String]) -> Result<(), KeptColumnError> {
    let mut seen = HashSet::new();
    for name in kept_columns {
        if COLUMNS.contains(&name.as_str()) {
            return Err(KeptColumnError::OfTheReport(name.clone()));
        }
        if !seen.insert(name) {
            return Err(KeptColumnError::Twice(name.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn kept_columns_differ_from_the_reports_own_and_from_each_other() {
        assert_eq!(check_kept_columns(&[]), Ok(()));
        assert_eq!(check_kept_columns(&names(&["farm", "Farm", "região"])), Ok(()));
        let own = check_kept_columns(&names(&["farm", "message"])).unwrap_err();
        assert_eq!(own, KeptColumnError::OfTheReport("message".into()));
        assert!(own.to_string().contains("--keep-column message"));
        assert_eq!(
            check_kept_columns(&names(&["farm", "region", "farm"])),
            Err(KeptColumnError::Twice("farm".into()))
        );
    }
}
