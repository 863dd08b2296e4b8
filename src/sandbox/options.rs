//! How the two simulated services are set up.

use std::fs::File;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Dialect, Secret};

/// The set-up of the two simulated services. What goes wrong, and the seed of it, belong to the [`World`](super::World).
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// The loopback port of the simulated Stara; 0 takes any free one.
    pub stara_port: u16,
    /// The loopback port of the simulated Leaf; 0 takes any free one.
    pub leaf_port: u16,
    /// The dialects that Stara understands.
    pub dialects: Dialects,
    /// Whether every call is kept, to be read with [`Sandbox::seen`](super::Sandbox::seen). It costs memory for each call.
    pub record: bool,
    /// A file to which a JSON line is written for everything that happens, as it happens. It names users and logins, and
    /// holds no secret.
    pub record_to: Option<Arc<File>>,
    /// How long every answer takes. What the call does is done before the wait, as with a slow network.
    pub latency: Duration,
    /// The bearer token that Leaf accepts, beside those it issued; `None` accepts any that isn't empty.
    pub leaf_token: Option<Secret>,
    /// The account to which Leaf issues tokens; `None` issues one to everybody.
    pub leaf_account: Option<LeafAccount>,
    /// How many requests a bearer token is good for; `None` for no end.
    pub token_lifetime_requests: Option<u64>,
    /// What Leaf does with a second attach. Nobody publishes it.
    pub on_second_attach: SecondAttach,
    /// Whether a second `/token` for one apiKey voids the tokens of the first. Nobody publishes it.
    pub tokens_voided_by_next: bool,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            stara_port: 0,
            leaf_port: 0,
            dialects: Dialects::Both,
            record: false,
            record_to: None,
            latency: Duration::ZERO,
            leaf_token: None,
            leaf_account: None,
            token_lifetime_requests: None,
            on_second_attach: SecondAttach::Conflict409,
            tokens_voided_by_next: true,
        }
    }
}

/// The dialects of Stara that the simulated one understands. A request in another one is answered 415.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialects {
    /// Both; the content type of each request tells which.
    #[default]
    Both,
    /// Only this one.
    Only(Dialect),
}

impl Dialects {
    pub(super) fn understand(self, dialect: Dialect) -> bool {
        match self {
            Self::Both => true,
            Self::Only(only) => only == dialect,
        }
    }
}

/// An account at Leaf, as `POST /api/authenticate` asks for it.
#[derive(Debug, Clone)]
pub struct LeafAccount {
    /// The account's user name.
    pub username: String,
    /// The account's password.
    pub password: Secret,
}

/// What Leaf does with an attach to a user that holds a Stara credential already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecondAttach {
    /// It answers 409 and changes nothing.
    #[default]
    Conflict409,
    /// It answers 400 and changes nothing.
    BadRequest400,
    /// It silently puts the new credential in the place of the old one.
    Replace,
    /// It keeps both and shows the newer one.
    SecondObject,
}

/// A text that is no [`SecondAttach`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 409, 400, replace or second-object")]
pub struct ParseSecondAttachError;

impl FromStr for SecondAttach {
    type Err = ParseSecondAttachError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "409" => Ok(Self::Conflict409),
            "400" => Ok(Self::BadRequest400),
            "replace" => Ok(Self::Replace),
            "second-object" => Ok(Self::SecondObject),
            _ => Err(ParseSecondAttachError),
        }
    }
}
