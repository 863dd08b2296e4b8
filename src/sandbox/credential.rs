//! A Stara credential that a user of the simulated Leaf holds: as it is kept, as it is shown, and as tests see it.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::model::{CredentialId, LeafUserId, Secret, UnixMillis};

use super::issued::{TokenIssue, spread_key};
use super::logins::ClientToken;

/// A credential as it is kept: its texts are derived when it is shown.
pub(super) struct Held {
    issue: TokenIssue,
    client: ClientToken,
    generation: u32,
    created_micros: i64,
    status: Status,
    hidden: Option<Box<Hidden>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    Other(Box<str>),
}

/// Keeps a new credential out of the answers of GET for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Hidden {
    /// So many looks don't see it.
    pub(super) looks: u32,
    /// No look before this instant sees it.
    pub(super) until: Option<Instant>,
}

impl Hidden {
    pub(super) fn new(looks: u32, hidden_for: Duration) -> Self {
        Self { looks, until: (!hidden_for.is_zero()).then(|| Instant::now() + hidden_for) }
    }

    fn hides_from_this_look(&mut self) -> bool {
        if self.until.is_some_and(|until| Instant::now() < until) {
            return true;
        }
        let hides = self.looks > 0;
        self.looks = self.looks.saturating_sub(1);
        hides
    }
}

/// A credential with what identifies it, still without the texts of its secrets.
pub(super) struct Shown {
    pub(super) id: Uuid,
    pub(super) status: String,
    pub(super) created_micros: i64,
    pub(super) issue: TokenIssue,
    pub(super) client: ClientToken,
}

/// A Stara credential that a user of the simulated Leaf holds.
#[derive(Clone)]
pub struct Attached {
    /// Its id.
    pub id: CredentialId,
    /// Its status word for word; `OK` unless it was broken.
    pub status: String,
    /// When it was attached.
    pub created: UnixMillis,
    /// Its apiKey, which tells the login: compare with [`World::api_key`](super::World::api_key).
    pub api_key: Secret,
    /// Its access token.
    pub access_token: Secret,
    /// Its accessTokenClient.
    pub access_token_client: Secret,
    /// Its refresh token.
    pub refresh_token: Secret,
}

impl fmt::Debug for Attached {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Attached")
            .field("id", &self.id)
            .field("status", &self.status)
            .field("created", &self.created)
            .finish_non_exhaustive()
    }
}

impl Held {
    pub(super) fn new(
        issue: TokenIssue,
        client: ClientToken,
        generation: u32,
        status: Status,
        hidden: Option<Hidden>,
    ) -> Self {
        Self {
            issue,
            client,
            generation,
            created_micros: jiff::Timestamp::now().as_microsecond(),
            status,
            hidden: hidden.map(Box::new),
        }
    }

    /// Whether this look sees the credential. Looking uses up what hides it.
    pub(super) fn is_seen_by_this_look(&mut self) -> bool {
        if self.hidden.as_deref_mut().is_some_and(Hidden::hides_from_this_look) {
            return false;
        }
        self.hidden = None;
        true
    }

    pub(super) fn set_status(&mut self, status: &str) {
        self.status = Status::new(status);
    }

    /// The credential as this user's. Its id follows from the user and how many it held before.
    pub(super) fn shown(&self, seed: u64, user: LeafUserId) -> Shown {
        let random = spread_key(user.as_bytes(), seed ^ (u64::from(self.generation) << 32));
        Shown {
            id: uuid::Builder::from_random_bytes(random.to_be_bytes()).into_uuid(),
            status: self.status.as_str().to_owned(),
            created_micros: self.created_micros,
            issue: self.issue,
            client: self.client,
        }
    }
}

impl Status {
    pub(super) fn new(status: &str) -> Self {
        match status {
            "OK" => Self::Ok,
            other => Self::Other(other.into()),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Ok => "OK",
            Self::Other(status) => status,
        }
    }
}
