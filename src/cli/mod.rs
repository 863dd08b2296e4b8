//! The command line: one file a verb, and everything around them that people and schedulers rely on.
//!
//! Main types: [`Cli`], the parsed command line; [`ExitCode`], the documented codes; [`Failure`], an error with its code
//! and hint. The main function is `main`.
//!
//! This is the top floor: it may use all others, opens the files, and with `ui` it is the only one that prints.

mod arguments;
mod audit;
#[cfg(test)]
mod catalogue;
mod check;
mod completions;
mod conclusion;
mod configuration;
mod confirm;
mod detach;
mod doctor;
mod encrypted;
mod events;
mod explain;
mod failure;
mod files;
mod invocation;
mod last_report;
mod latencies;
mod leftovers;
mod links;
mod logging;
mod main;
mod manifest_source;
mod manual;
mod mistyped;
mod news;
mod output;
mod plan;
mod plan_json;
mod prepared;
mod readers;
mod rehearsal;
mod rehearsal_files;
mod report_facts;
mod reports;
mod roots;
mod run;
mod sandbox;
mod scheduler;
mod services;
mod shard;
mod sharded;
mod signals;
mod state;
mod status;
mod stores;
mod unopened;
mod usage;
mod version;
mod watching;

use crate::onboarding::exit_code;
pub use crate::onboarding::exit_code::ExitCode;
pub use arguments::{Cli, Verb};
pub use failure::Failure;
pub use main::main;
