//! The offline lint: finds in a manifest what would burn a login, before one is spent.
//!
//! Main types: [`Linter`], which is shown every record of a reading, and those of a second one where the lines have to be
//! compared; [`LintReport`], what it found; [`LintFinding`], one place in it; and [`LintKind`], the one table of what can be
//! found, how bad it is, what it means and how to mend it.
//!
//! It reads what [`Manifest`](super::Manifest) gives and opens nothing. Its memory doesn't grow with the manifest. No cell
//! leaves it: a finding shows no more than the name of the character that it is about.

mod cell;
mod email;
mod finding;
mod kind;
mod line;
mod linter;
mod listing;
mod login_column;
mod mojibake;
mod repeats;
mod sample;
mod seen_before;
mod tax_number;
#[cfg(test)]
mod tests;

pub use finding::{LintColumn, LintCount, LintFinding, LintReport};
pub use kind::{LintKind, LintSeverity, ParseLintKindError};
pub use linter::{LintOptions, Linter};
