//! Leaf's log of one user's credential, asked for by itself.

use std::sync::Arc;

use super::event::Observe;
use super::hosts::{Hosts, LookError, Whom};
use super::services::Services;
use super::stop::{Stop, StopCause};
use crate::api::{CallErrorKind, CredentialEvent};
use crate::checkpoint::LearnedRate;
use crate::http::Unreached;
use crate::model::LeafUserId;

/// Why Leaf's log couldn't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// Nothing can be asked of Leaf any more.
    #[error("{0}")]
    Stopped(StopCause),
    /// Leaf answered otherwise, or not at all, on every attempt.
    #[error("{0}")]
    Failed(&'static str),
}

/// Reads Leaf's log of the credential that a user holds, paced by what earlier runs learned.
///
/// # Errors
///
/// When Leaf doesn't give it.
pub async fn credential_log(
    services: Services,
    learned: Vec<LearnedRate>,
    id: LeafUserId,
    stop: Stop,
    observer: Arc<dyn Observe>,
) -> Result<Vec<CredentialEvent>, LogError> {
    let hosts = Hosts::paced_by(services, learned, stop.clone(), observer);
    let read = hosts.look(Whom::User(id), async |leaf, token| leaf.events(token, id).await).await;
    read.map_err(|error| match (error, stop.cause()) {
        (LookError::Stopped, Some(cause)) => LogError::Stopped(cause),
        (LookError::Stopped, None) => LogError::Failed("it was stopped"),
        (LookError::Failed(kind), _) => LogError::Failed(match kind {
            CallErrorKind::Unreachable(Unreached::Untrusted) => {
                "its certificate isn't trusted (--ca-cert adds a root)"
            }
            CallErrorKind::Unreachable(_) => "it can't be reached",
            CallErrorKind::NoAnswer => "it gave no answer in time",
            CallErrorKind::CutOff => "its answer didn't come to its end",
            CallErrorKind::Throttled => "it throttles this call again and again",
            CallErrorKind::ServerError => "it answered with a server error",
            CallErrorKind::Forbidden => "it doesn't let this account see the user",
            _ => "it answered in an unknown way",
        }),
    })
}
