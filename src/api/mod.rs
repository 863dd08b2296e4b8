//! The calls of the two services: one typed function a call, the wire types, and what each answer means.
//!
//! Main types: [`StaraApi`], [`LeafApi`], [`Tokens`], [`UserLook`], [`CallError`] with its [`CallErrorKind`].
//!
//! This floor may not retry, sleep or pace: every function sends exactly one request.

mod answer;
mod error;
mod leaf;
mod stara;
#[cfg(test)]
mod tests;

pub use error::{CallError, CallErrorKind};
pub use leaf::{CredentialEvent, LeafAccount, LeafApi, UserLook};
pub use stara::{StaraApi, Tokens};
