//! What people are told when something is wrong: what, where, and what to do next.

mod mistyped;
mod places;
mod starts;
mod variables;

use crate::support::Ended;

/// Expects an error in three parts, of which the last says what to do, and the exit code 2.
#[track_caller]
pub(super) fn refused(ended: Ended, what: &str, hint: &str) {
    told(&ended.with_code(2), what, hint);
}

/// Expects an error that says this, and a hint that says that.
#[track_caller]
pub(super) fn told(ended: &Ended, what: &str, hint: &str) {
    let lines: Vec<&str> = ended.stderr.lines().filter(|line| !line.starts_with("warning:")).collect();
    let error = lines.iter().find(|line| line.starts_with("error: ")).expect("there is an error");
    let said = lines.last().expect("there is a hint");
    assert!(said.starts_with("hint: "), "{}", ended.stderr);
    assert!(error.contains(what), "{what:?} isn't in {}", ended.stderr);
    assert!(said.contains(hint), "{hint:?} isn't in {}", ended.stderr);
}
