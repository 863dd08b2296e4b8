//! Sees every subject of an audit: those whom a list proves to be well by the list, all others by a look of their own.

use futures::stream::{StreamExt as _, iter};

use super::judge::{Judgement, judge};
use crate::checkpoint::{AuditedUser, Ledger, LedgerError};
use crate::model::{Credential, Finding, Sight};
use crate::pipeline::hosts::{Hosts, LookError, Whom};
use crate::pipeline::truth::{ListReading, ListUse, Looking, look_at_unseen, read_list};

/// How many subjects are read from the ledger at a time.
const USERS_AT_ONCE: usize = 4_096;

/// How subjects were seen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seeing {
    pub(super) list: ListReading,
    pub(super) looking: Looking,
}

/// Sees everybody. What was seen by the time that this is given up stays.
pub(super) async fn see(
    hosts: &Hosts,
    ledger: &Ledger,
    list_use: ListUse,
    at_once: usize,
    seeing: &mut Seeing,
) -> Result<(), LedgerError> {
    let subjects = ledger.still_to_be_seen()?;
    seeing.list = read_list(hosts, ledger, list_use, subjects).await?;
    if seeing.list.pages > 0 {
        unsee_all_but_the_healthy(ledger)?;
    }
    if !hosts.stop.is_draining() {
        seeing.looking = look_at_unseen(hosts, ledger, at_once).await?;
    }
    confirm_missing(hosts, ledger, at_once).await
}

/// A list proves that somebody is well, and nothing else; and so does whatever was seen when seeing was given up.
pub(super) fn unsee_all_but_the_healthy(ledger: &Ledger) -> Result<(), LedgerError> {
    each_page(ledger, |page| {
        let unproven = page.iter().filter(|user| user.sight.is_some() && judge(user) != Judgement::Healthy);
        ledger.unsee(&unproven.map(|user| user.user).collect::<Vec<_>>())
    })
}

/// Asks for the credential itself where a user who should have one was shown without: a user's object need not embed it.
async fn confirm_missing(hosts: &Hosts, ledger: &Ledger, at_once: usize) -> Result<(), LedgerError> {
    let mut after = None;
    loop {
        let page = ledger.audited(after, USERS_AT_ONCE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.user);
        let is_missing = |user: &AuditedUser| judge(user) == Judgement::Found(Finding::Missing);
        let ask = |user: AuditedUser| async move { (user.user, credential_of(hosts, &user).await) };
        let mut asked = iter(page.into_iter().filter(is_missing)).map(ask).buffer_unordered(at_once);
        while let Some((user, found)) = asked.next().await {
            match found {
                Ok(None) => {}
                Ok(Some(credential)) => ledger.note_seen(user, &Sight::Credential(credential))?,
                Err(_) => ledger.unsee(&[user])?,
            }
        }
    }
}

async fn credential_of(hosts: &Hosts, user: &AuditedUser) -> Result<Option<Credential>, LookError> {
    if hosts.stop.is_draining() {
        return Err(LookError::Stopped);
    }
    let id = user.leaf_user_id;
    hosts
        .look(Whom::User(id), async |leaf, token| leaf.credential(token, &leaf.credential_place(id)).await)
        .await
}

/// Takes the subjects page by page, in the ledger's order.
pub(super) fn each_page(
    ledger: &Ledger,
    mut take: impl FnMut(&[AuditedUser]) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    let mut after = None;
    loop {
        let page = ledger.audited(after, USERS_AT_ONCE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.user);
        take(&page)?;
    }
}
