//! A run as other programs have it, and the public interface of this library: a manifest, two services and a ledger in, events
//! while it goes, results out of the ledger.
//!
//! Main types: [`Manifest`], what is to be onboarded; [`Services`], where, with which [`LeafToken`]; [`Onboarding`], which carries
//! it out as a [`Run`] that tells [`Event`]s and is stopped by a [`StopHandle`]; [`Finished`] with its [`Ending`]; [`Results`], one
//! [`RowResult`] for each line; [`Error`]. What `cli` shares with them stands beside them: `exit_code`, how a run ends, and
//! rehearsals.
//!
//! This floor may not print, watch signals, read the environment or name a command line, and it shows nothing.

mod carry;
mod conclusion;
mod conduct;
mod error;
mod event;
pub mod exit_code;
mod finished;
mod manifest;
mod onboard;
pub(crate) mod rehearsal;
mod results;
mod run;
mod services;
mod stop;
mod teller;

pub(crate) use carry::{CarryError, Carrying, carry};
pub(crate) use conclusion::{code_of_stop, ending_of, exit_code, is_something_left, outlasts};
pub use error::{Error, ErrorKind};
pub use event::Event;
pub use finished::{Ending, Finished};
pub use manifest::Manifest;
pub use onboard::Onboarding;
pub use results::{Results, RowResult};
pub use run::Run;
pub use services::{LeafToken, Services};
pub use stop::StopHandle;
