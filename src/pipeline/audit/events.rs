//! Leaf's log of credentials that an audit found unhealthy, fetched before it is lost with them.

use futures::stream::{StreamExt as _, iter};

use crate::checkpoint::{Ledger, LedgerError, SavedEvent, UserKey};
use crate::model::LeafUserId;
use crate::pipeline::hosts::{Hosts, LookError, Whom};

/// How many users are read from the ledger, and how many logs kept, at a time.
const USERS_AT_ONCE: usize = 512;

/// Fetches the log of every user found unhealthy, and tells of how many it couldn't be had.
pub(super) async fn fetch(hosts: &Hosts, ledger: &Ledger, at_once: usize) -> Result<u64, LedgerError> {
    let mut failed = 0;
    let mut after = None;
    loop {
        let users = ledger.found_unhealthy(after, USERS_AT_ONCE)?;
        let Some((last, _)) = users.last() else { return Ok(failed) };
        after = Some(*last);
        let look = |(user, id): (UserKey, LeafUserId)| async move { (user, log_of(hosts, id).await) };
        let looks: Vec<_> = iter(users).map(look).buffer_unordered(at_once).collect().await;
        let mut logs = Vec::with_capacity(looks.len());
        for (user, log) in looks {
            match log {
                Ok(log) => logs.push((user, log)),
                Err(_) => failed += 1,
            }
        }
        ledger.keep_events(&logs)?;
        if hosts.stop.is_draining() {
            return Ok(failed);
        }
    }
}

async fn log_of(hosts: &Hosts, id: LeafUserId) -> Result<Vec<SavedEvent>, LookError> {
    if hosts.stop.is_draining() {
        return Err(LookError::Stopped);
    }
    let events = hosts.look(Whom::User(id), async |leaf, token| leaf.events(token, id).await).await?;
    let saved = |event: crate::api::CredentialEvent| SavedEvent {
        id: event.id,
        created: event.created,
        status_code: event.status_code,
    };
    Ok(events.into_iter().map(saved).collect())
}
