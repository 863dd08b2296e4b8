//! One thing that was looked at, and how it stands.

use crate::cli::failure::Failure;
use crate::model::Service;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// As it should be.
    Ok,
    /// A run can begin, and yet somebody should look at it.
    Warning,
    /// It would stop a run.
    Problem,
    /// It couldn't be looked at, or there is nothing to be looked at.
    Skipped,
}

impl Standing {
    /// Its name, for people and in JSON.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
            Self::Skipped => "skipped",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    /// Its stable name.
    pub(super) name: &'static str,
    /// The service that it is about, where it is about one.
    pub(super) service: Option<Service>,
    /// How it came out.
    pub(super) standing: Standing,
    /// What was found.
    pub(super) found: String,
    /// What to do, where there is something to be done.
    pub(super) advice: Option<String>,
}

impl Check {
    fn new(name: &'static str, standing: Standing, found: impl Into<String>, advice: Option<String>) -> Self {
        Self { name, service: None, standing, found: found.into(), advice }
    }

    /// Everything is as it should be.
    pub(super) fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self::new(name, Standing::Ok, found, None)
    }

    /// It wasn't looked at.
    pub(super) fn skipped(name: &'static str, why: impl Into<String>) -> Self {
        Self::new(name, Standing::Skipped, why, None)
    }

    /// A run can begin, and yet somebody should do this.
    pub(super) fn warning(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(name, Standing::Warning, found, Some(advice.into()))
    }

    /// A run would be stopped by it until somebody does this.
    pub(super) fn problem(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(name, Standing::Problem, found, Some(advice.into()))
    }

    /// What would end a run before it begins, in the words in which the run would tell it.
    pub(super) fn failed(name: &'static str, failure: impl Into<Failure>) -> Self {
        let Failure { error, hint, .. } = failure.into();
        let mut found = String::new();
        for cause in error.chain().map(ToString::to_string) {
            // Some errors show their cause in their own text already.
            if !found.contains(&cause) {
                found = if found.is_empty() { cause } else { format!("{found}: {cause}") };
            }
        }
        Self::new(name, Standing::Problem, found, Some(hint))
    }

    /// The same about one of the services.
    pub(super) fn about(self, service: Service) -> Self {
        Self { service: Some(service), ..self }
    }
}
