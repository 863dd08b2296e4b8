//! Carries an audit out: sees everybody, judges, keeps what was found, and fetches the logs of what is unhealthy.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::events;
use super::judge::{Judgement, judge};
use super::seeing::{Seeing, each_page, see, unsee_all_but_the_healthy};
use super::subjects;
pub use super::subjects::SubjectsError as AuditError;
use crate::checkpoint::{AuditCounts, AuditRecord, FindingChange, HostTotals, Ledger, LedgerError, UserKey};
use crate::manifest::Manifest;
use crate::model::{Sight, UnixMillis};
use crate::pipeline::event::Observe;
use crate::pipeline::hosts::Hosts;
use crate::pipeline::services::Services;
use crate::pipeline::stop::{Stop, StopCause};
use crate::pipeline::truth::{ListReading, ListUse, Looking};

/// Whom an audit is about.
#[derive(Debug, Clone, Copy)]
pub enum AuditScope<'a> {
    /// Everybody in the ledger.
    Everybody,
    /// The users of a manifest's rows, and the manifest's name, by which audits are compared.
    Manifest(&'a Manifest, &'a str),
}

/// Everything an audit needs besides the ledger.
pub struct AuditOptions<'a> {
    /// The services, and how they may be asked.
    pub services: Services,
    /// Whom it is about.
    pub scope: AuditScope<'a>,
    /// Whether Leaf's list of users is read before users are looked at.
    pub list_use: ListUse,
    /// Told how many logs of unhealthy credentials are about to be fetched, one call each.
    pub before_logs: &'a dyn Fn(u64),
}

/// How an audit went. What it found is in the ledger ([`Ledger::with_found`]).
#[derive(Debug)]
pub struct AuditResult {
    /// This audit.
    pub audit: AuditRecord,
    /// The one before it, of the same users.
    pub previous: Option<AuditRecord>,
    /// Lines of the manifest that name nobody.
    pub invalid_lines: u64,
    /// How Leaf's list was read; no pages where it wasn't.
    pub list: ListReading,
    /// How users were looked at.
    pub looking: Looking,
    /// Users whom Leaf doesn't let our account see: unseen where a credential is expected, else not attached as far as is
    /// known.
    pub forbidden: u64,
    /// Users found unhealthy whose log couldn't be had.
    pub logs_failed: u64,
    /// Why it stopped before its end; `None` when it came to it.
    pub stopped: Option<StopCause>,
    /// What each host was asked.
    pub hosts: BTreeMap<String, HostTotals>,
}

/// Sees whether what Leaf holds is what the ledger expects, and keeps in the ledger what isn't.
///
/// # Errors
///
/// When the ledger or the manifest can't be used. An audit that is stopped is no error: why it was is in the result, and
/// what was seen by then is kept.
pub async fn audit(
    ledger: &Ledger,
    options: AuditOptions<'_>,
    stop: Stop,
    observer: Arc<dyn Observe>,
) -> Result<AuditResult, AuditError> {
    let (manifest, name) = match options.scope {
        AuditScope::Everybody => (None, None),
        AuditScope::Manifest(manifest, name) => (Some(manifest), Some(name)),
    };
    let at_once = options.services.concurrency;
    if options.services.relearn {
        ledger.forget_learned_rates()?;
    }
    let hosts = Hosts::new(options.services, ledger, stop.clone(), observer)?;
    let invalid_lines = subjects::begin(ledger, manifest, &stop)?;
    ledger.begin_finding()?;
    let (mut seeing, mut logs_failed) = (Seeing::default(), 0);
    if !stop.is_draining() {
        tokio::select! {
            biased;
            () = stop.aborting() => unsee_all_but_the_healthy(ledger)?,
            seen = see(&hosts, ledger, options.list_use, at_once, &mut seeing) => seen?,
        }
    }
    let previous = ledger.last_audit(name)?;
    let at = UnixMillis::now();
    let (counts, forbidden) = judge_all(ledger, at)?;
    let is_all_forbidden = forbidden > 0 && forbidden == counts.total();
    let audit = AuditRecord { at, counts };
    if counts.unseen < counts.total() || counts.unseen == 0 {
        // One that saw nobody, or was stopped, is none to compare the next one with.
        if !stop.is_draining() {
            ledger.record_audit(name, &audit)?;
        }
    } else if is_all_forbidden {
        hosts.drain(StopCause::Forbidden { diagnosis: all_forbidden(forbidden) });
    }
    if !stop.is_draining() {
        (options.before_logs)(audit.counts.unhealthy);
        tokio::select! {
            biased;
            () = stop.aborting() => logs_failed = audit.counts.unhealthy,
            failed = events::fetch(&hosts, ledger, at_once) => logs_failed = failed?,
        }
    }
    for (service, per_second) in hosts.newly_learned() {
        if let Some(per_second) = per_second {
            ledger.keep_learned_rate(service, per_second)?;
        }
    }
    Ok(AuditResult {
        audit,
        previous,
        invalid_lines,
        list: seeing.list,
        looking: seeing.looking,
        forbidden,
        logs_failed,
        stopped: stop.cause(),
        hosts: hosts.totals.by_host(),
    })
}

fn all_forbidden(users: u64) -> String {
    format!("Leaf lets this account see none of {users} users: does the Leaf account own them?")
}

/// Judges everybody, counts, and keeps what was found. Tells also how many Leaf forbids us to see.
fn judge_all(ledger: &Ledger, at: UnixMillis) -> Result<(AuditCounts, u64), LedgerError> {
    let (mut counts, mut forbidden) = (AuditCounts::default(), 0);
    each_page(ledger, |page| {
        let mut changes: Vec<(UserKey, FindingChange)> = Vec::new();
        for user in page {
            forbidden += u64::from(user.sight == Some(Sight::Forbidden));
            match judge(user) {
                Judgement::Healthy => {
                    counts.healthy += 1;
                    changes.push((user.user, FindingChange::Clear));
                }
                Judgement::NotAttached => {
                    counts.not_attached += 1;
                    changes.push((user.user, FindingChange::Clear));
                }
                Judgement::Found(finding) => {
                    counts.add(finding);
                    changes.push((user.user, FindingChange::Keep(finding)));
                }
                Judgement::Unsettled => counts.unsettled += 1,
                Judgement::Unseen => counts.unseen += 1,
            }
        }
        ledger.keep_findings(at, &changes)
    })?;
    Ok((counts, forbidden))
}
