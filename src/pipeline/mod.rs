//! Carries every row that has work left from the manifest to its outcome.
//!
//! Main functions: [`stage`], which reads the manifest once and decides every line, and `run`, which carries out what
//! is left. Main types: [`RunOptions`] and [`RunResult`]; [`Selection`], which rows the user wants; [`Stop`] with its
//! [`StopCause`]; [`Event`] and [`Observe`], by which others learn what happens.
//!
//! The life of one row is in `journey` (pure), what is left to do in `decide` (pure); `carry` carries out a journey's
//! effects, `queue` says which row is next, and `stream` keeps as many rows in flight as there are slots.
//!
//! This floor may not name a command-line parser, a progress bar or a file format, and it never prints.

mod ahead;
mod audit;
mod budget;
mod carry;
mod context;
mod credential_log;
mod decide;
mod detach;
mod divided_logins;
mod event;
mod forecast;
mod handover;
mod heard;
mod hosts;
pub mod journey;
mod known;
mod lanes;
mod leaf_token;
mod leavers;
mod lending;
mod links;
mod listed;
mod measuring;
mod pace;
mod queue;
mod reading;
mod recording;
mod refusals;
mod run;
mod services;
mod shared_logins;
#[cfg(test)]
mod simulation;
mod staging;
mod stop;
mod stream;
mod task;
mod totals;
mod truth;
mod work;

pub use audit::{AuditError, AuditOptions, AuditResult, AuditScope, RepairRule, audit};
pub use budget::FailureLimit;
pub use credential_log::{LogError, credential_log};
pub use decide::Selection;
pub use detach::{DetachOptions, detach};
pub use event::{Event, HoldReason, HostPlan, Observe, Plan};
pub use forecast::{Calls, Forecast, forecast};
pub use journey::{Goal, JourneyRules, OnExisting};
pub use lanes::lane_runtime;
pub use leaf_token::TokenSource;
pub use links::{LinkRules, LinksMade, LinksResult, make_links};
pub use pace::{DividedRate, time_at};
pub use run::{RunOptions, run};
pub use services::{Host, Services};
pub use staging::{InvalidLimit, Leaving, StagingError, StagingOptions, stage, stage_leavers};
pub use stop::{Signal, Stop, StopCause, Told};
pub use truth::{ListReading, ListUse, Looking};
pub use work::{PARKED_PER_SLOT, RunError, RunResult};
