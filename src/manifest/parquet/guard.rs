//! The border to the `parquet` crate.

use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::errors::{ParquetError, Result};

use super::super::ManifestProblem;

/// The most that is told of the crate's own message, in characters.
const LONGEST_MESSAGE: usize = 200;

/// Calls into the crate and turns its errors and its panics into a problem of the file.
///
/// It has assertions and unchecked indices on paths that a damaged file reaches, and a manifest must never end the
/// program. The panic's payload is dropped unread, for it could hold a piece of a cell. Whatever `call` left half-done
/// is not used again: a reading ends with its first error.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T>) -> std::result::Result<T, ManifestProblem> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(problem(error)),
        Err(_) => Err(unsound("its parts contradict each other")),
    }
}

/// What the crate's error tells. A problem that our own page reader found passes through it unchanged.
fn problem(error: ParquetError) -> ManifestProblem {
    let message = match error {
        ParquetError::External(inner) => match inner.downcast::<ManifestProblem>() {
            Ok(problem) => return *problem,
            Err(inner) => inner.to_string(),
        },
        other => other.to_string(),
    };
    let is_printable = |letter: &char| !letter.is_control();
    unsound(message.chars().filter(is_printable).take(LONGEST_MESSAGE).collect::<String>())
}

/// The problem of a file that breaks the rules of its format.
pub(super) fn unsound(what: impl Into<String>) -> ManifestProblem {
    ManifestProblem::Parquet(what.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_of_our_own_passes_through_unchanged() {
        let problem =
            guarded::<()>(|| Err(ParquetError::External(Box::new(unsound("a page is larger"))))).unwrap_err();
        assert_eq!(problem.to_string(), "it isn't sound Parquet: a page is larger");
        let problem = guarded::<()>(|| Err(ParquetError::EOF("x\u{7}".repeat(500)))).unwrap_err();
        assert!(problem.to_string().len() < 300);
    }

    #[test]
    fn a_panic_becomes_an_error_that_does_not_tell_its_payload() {
        let problem = guarded::<()>(|| panic!("hunter2")).unwrap_err();
        assert_eq!(problem.to_string(), "it isn't sound Parquet: its parts contradict each other");
    }
}
