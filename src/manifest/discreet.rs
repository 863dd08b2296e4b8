//! Errors of which more may be told to a person than may be kept.

use std::fmt;
use std::io;

use crate::model::Secret;

/// Why bytes can't be read, where somebody else's words are the reason.
///
/// Its own text is fit for a ledger, a page or a log. The whole, which may quote what a program said about the manifest, is only for
/// the terminal of whoever called us.
#[derive(Debug, thiserror::Error)]
#[error("{summary}")]
pub struct DiscreetError {
    summary: String,
    whole: Secret,
}

impl DiscreetError {
    /// The error that may be kept as `summary`, and is told as `whole`.
    #[must_use]
    pub fn new(summary: impl fmt::Display, whole: String) -> Self {
        Self { summary: summary.to_string(), whole: Secret::new(whole) }
    }

    /// What is told of an error, where that is more than its own text.
    #[must_use]
    pub fn whole_of(error: &io::Error) -> Option<&Secret> {
        error.get_ref()?.downcast_ref::<Self>().map(|error| &error.whole)
    }
}
