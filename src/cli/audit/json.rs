//! An audit as one JSON object, its users written as they are read.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};

use serde_json::{Value, json};

use super::shown::{AuditShown, EVENTS_SHOWN, Repaired};
use crate::checkpoint::{AuditCounts, AuditRecord, FoundUser, Ledger, LedgerError};
use crate::cli::links::LinksEnded;
use crate::model::{CredentialId, Finding, Login};

/// Writes everything that is told of an audit.
pub(super) fn write(shown: &AuditShown<'_>, ledger: &Ledger, output: impl Write) -> Result<(), LedgerError> {
    let mut output = Lenient { writer: Some(BufWriter::new(output)) };
    let AuditRecord { at, counts } = shown.result.audit;
    let look = json!({
        "list": shown.result.list.pages > 0,
        "pages": shown.result.list.pages,
        "failedPages": shown.result.list.failed,
        "users": shown.result.looking.users,
    });
    let parts = [
        ("schema", json!(1)),
        ("at", json!(at.to_rfc3339())),
        ("manifest", json!(shown.manifest)),
        ("counts", of_counts(&counts)),
        ("notAttached", json!(counts.not_attached)),
        ("unsettled", json!(counts.unsettled)),
        ("unseen", json!(counts.unseen)),
        ("forbidden", json!(shown.result.forbidden)),
        ("otherStatuses", json!(shown.statuses.iter().cloned().collect::<BTreeMap<String, u64>>())),
        ("look", look),
        ("previous", shown.result.previous.as_ref().map_or(Value::Null, of_previous)),
    ];
    for (place, (name, value)) in parts.into_iter().enumerate() {
        output.put(&format!("{}\"{name}\":{value}", if place == 0 { "{" } else { "," }));
    }
    output.put(",\"users\":[");
    ledger.with_found(None, |found| -> Result<(), LedgerError> {
        for (place, user) in found.enumerate() {
            let user = of_user(&user?, ledger)?;
            output.put(&format!("{}{user}", if place == 0 { "" } else { "," }));
        }
        Ok(())
    })??;
    let repair = shown.repaired.map_or(Value::Null, of_repair);
    let linked = shown.linked.map_or(Value::Null, LinksEnded::json);
    let accepted = shown.accepted;
    output.put(&format!("],\"accepted\":{accepted},\"repair\":{repair},\"magicLinks\":{linked}}}\n"));
    output.flush();
    Ok(())
}

fn of_counts(counts: &AuditCounts) -> Value {
    json!({
        "healthy": counts.healthy,
        "missing": counts.missing,
        "unhealthy": counts.unhealthy,
        "foreign": counts.foreign,
        "unknownUser": counts.unknown_user,
    })
}

fn of_previous(previous: &AuditRecord) -> Value {
    json!({ "at": previous.at.to_rfc3339(), "counts": of_counts(&previous.counts) })
}

fn of_user(user: &FoundUser, ledger: &Ledger) -> Result<Value, LedgerError> {
    let events = match user.finding {
        Finding::Unhealthy => ledger.newest_events(user.user, EVENTS_SHOWN)?,
        _ => Vec::new(),
    };
    let event = |event: &crate::checkpoint::SavedEvent| json!({ "id": event.id, "createdDate": event.created, "statusCode": event.status_code });
    let credential = user.credential.as_ref();
    Ok(json!({
        "leafUserId": user.leaf_user_id.to_string(),
        "finding": user.finding.as_str(),
        "login": user.login.as_ref().map(Login::as_str),
        "ours": user.is_ours && user.finding != Finding::Foreign,
        "credentialId": credential.and_then(|credential| credential.id.as_ref()).map(CredentialId::as_str),
        "credentialStatus": credential.and_then(|credential| credential.status.as_deref()),
        "knownCredentialId": user.known.as_ref().map(CredentialId::as_str),
        "since": user.since.to_rfc3339(),
        "audits": user.audits,
        "events": events.iter().map(event).collect::<Vec<_>>(),
    }))
}

fn of_repair(repaired: &Repaired) -> Value {
    json!({
        "run": repaired.run,
        "due": repaired.due,
        "replaced": repaired.replaced,
        "left": repaired.left,
        "outcomes": repaired.outcomes.by_name(),
    })
}

/// Writes until the reader goes away.
struct Lenient<W: Write> {
    writer: Option<BufWriter<W>>,
}

impl<W: Write> Lenient<W> {
    fn put(&mut self, text: &str) {
        if self.writer.as_mut().is_some_and(|writer| writer.write_all(text.as_bytes()).is_err()) {
            self.give_up();
        }
    }

    fn flush(&mut self) {
        if self.writer.as_mut().is_some_and(|writer| writer.flush().is_err()) {
            self.give_up();
        }
    }

    /// What is still in memory isn't tried again.
    fn give_up(&mut self) {
        self.writer.take().map(BufWriter::into_parts);
    }
}
