//! The integration tests, one module a behaviour, linked once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on should say where")]

mod answer_faults;
mod attach_faults;
mod attacks;
mod audit;
mod calls;
mod deadlines;
mod detach;
mod disk;
mod events;
mod existing;
mod failure_budget;
mod hostile;
mod judged;
mod layers;
mod leaf_token;
mod ledger;
mod listed;
mod main_job;
mod manifests;
mod outage;
mod pacing;
mod pinned;
mod plan;
mod progress;
mod refusals;
mod replacements;
mod reports;
mod resume;
mod secrets;
mod served;
mod shared_logins;
mod status;
mod stopping;
mod support;
mod transport;
