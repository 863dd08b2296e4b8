//! The words every floor shares: who a row is about, what is secret, how far it came, and how it ended.
//!
//! Main types: [`LeafUserId`], [`Login`], [`Secret`], [`Service`], [`Stage`], [`Outcome`] with its [`OutcomeCode`] and
//! [`Origin`], [`Credential`], [`MagicLink`], [`Finding`], [`Shard`], and [`UnixMillis`] for wall-clock time.
//!
//! This floor may not do I/O, may not be async, and imports nothing of the crate.

mod advice;
mod count;
mod credential;
mod dialect;
mod finding;
mod ids;
mod lane;
mod magic_link;
mod outcome;
mod secret;
mod service;
mod shard;
mod sight;
mod sign;
#[cfg(test)]
pub(crate) mod simulated;
mod stage;
mod time;

pub use count::{count, counted};
pub use credential::{Credential, CredentialId, Health};
pub use dialect::{Dialect, ParseDialectError};
pub use finding::{Finding, UnknownFindingError};
pub use ids::{LeafUserId, Login, ParseLeafUserIdError};
pub use lane::Lane;
pub use magic_link::MagicLink;
pub use outcome::{NextRun, Origin, Outcome, OutcomeCode, Owner, UnknownCodeError};
pub use secret::Secret;
pub use service::Service;
pub use shard::{ParseShardError, Shard};
pub use sight::Sight;
pub use sign::Sign;
pub use stage::Stage;
pub use time::UnixMillis;
