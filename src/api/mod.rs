//! The calls of the two services: one typed function a call, the wire types, and what each answer means.
//!
//! Main types: [`StaraApi`], [`LeafApi`], [`Tokens`], [`UserLook`], [`UserPage`], [`CallError`] with its [`CallErrorKind`].
//!
//! This floor may not retry, sleep or pace: every function sends exactly one request.

mod answer;
mod error;
mod leaf;
mod leaf_events;
mod leaf_link;
mod leaf_list;
mod stara;
#[cfg(test)]
mod tests;
mod token_expiry;

pub use error::{CallError, CallErrorKind};
pub use leaf::{CredentialPlace, LeafAccount, LeafApi, UserLook};
pub use leaf_events::{CredentialEvent, EventField};
pub use leaf_list::{LARGEST_PAGE, UserPage};
pub use stara::{StaraApi, Tokens};
pub use token_expiry::token_expiry;
