//! An audit for people: the counts, what changed since the last one, who isn't well, whose turn it is, and what to do.

use std::fmt::Write as _;

use super::shown::{AuditShown, EVENTS_SHOWN, Repaired};
use crate::checkpoint::{AuditCounts, FoundUser, Ledger, LedgerError, SavedEvent};
use crate::model::{CredentialId, Finding, Login, UnixMillis};

/// How many users of each finding are listed.
const LISTED: usize = 20;

/// From how many users on nobody's being known says something about the account.
const MANY: u64 = 6;

/// The text for stdout, but for what becomes of a repair.
pub(super) fn render(shown: &AuditShown<'_>, ledger: &Ledger) -> Result<String, LedgerError> {
    let counts = &shown.result.audit.counts;
    let mut text = opening(shown);
    // Writing into a string can't fail.
    let _ = writeln!(text, "{:>11}  healthy", counts.healthy);
    for finding in Finding::ALL {
        let _ = writeln!(text, "{:>11}  {}", counts.of(finding), finding.label());
    }
    let aside = [
        (counts.not_attached, "hold none and need none: never attached, or detached"),
        (counts.unsettled, "not settled yet: what began them settles them, run or detach again"),
        (counts.unseen, "not seen: nothing is known of them; run the same command again"),
        (
            shown.result.forbidden,
            "that Leaf doesn't let this account see (403), so that nobody knows what they hold",
        ),
        (shown.result.invalid_lines, "lines of the manifest that are no rows, and were left out"),
        (shown.result.logs_failed, "logs of unhealthy credentials that Leaf didn't give"),
        (
            shown.accepted,
            "foreign credentials accepted: they are known from now on, and never replaced or deleted",
        ),
    ];
    for (count, what) in aside.into_iter().filter(|(count, _)| *count > 0) {
        let _ = writeln!(text, "{count:>11}  {what}");
    }
    if !shown.statuses.is_empty() {
        let told: Vec<String> =
            shown.statuses.iter().map(|(status, count)| format!("{count} {status}")).collect();
        let _ = writeln!(
            text,
            "Statuses that nobody documents, and that aren't called broken: {}.",
            told.join(", ")
        );
    }
    // Compared with an audit that saw everybody, one that didn't would only frighten.
    if let Some(previous) = shown.result.previous.as_ref().filter(|_| counts.unseen == 0) {
        let _ = writeln!(text, "Since {}: {}.", minute(previous.at), trend(&previous.counts, counts));
    }
    if counts.unknown_user >= MANY && counts.unknown_user == counts.total() {
        text.push_str("Leaf knows none of them: is it the Leaf account that they belong to?\n");
    }
    let moved = counts.missing + counts.foreign;
    if moved >= MANY && moved * 5 > counts.total() {
        text.push_str(
            "So many are missing or foreign at once that the ledger may be older than what is at Leaf: was it restored from a \
             backup? See \"When the ledger is lost\" in docs/NIGHTLY.md before the next run.\n",
        );
    }
    if counts.drift() + counts.unseen + counts.unsettled == 0 {
        text.push_str("Everything is as the ledger expects.\n");
    }
    for finding in Finding::ALL {
        list(&mut text, finding, counts.of(finding), ledger)?;
    }
    Ok(printable(&text))
}

/// A login is somebody's choice, and a terminal carries out what it is told.
fn printable(text: &str) -> String {
    let shown = |letter: char| if letter.is_control() && letter != '\n' { '\u{fffd}' } else { letter };
    text.chars().map(shown).collect()
}

fn opening(shown: &AuditShown<'_>) -> String {
    let whom = shown.manifest.unwrap_or("everybody in the ledger");
    let (list, looking) = (&shown.result.list, &shown.result.looking);
    let failed = if list.failed > 0 { format!(", {} of them in vain", list.failed) } else { String::new() };
    let looks = match (list.pages, looking.users) {
        (0, users) => format!("by {}", counted(users, "look")),
        (pages, users) => {
            format!("by Leaf's list ({}{failed}) and {}", counted(pages, "page"), counted(users, "look"))
        }
    };
    format!("Audit of {whom} at {}, {looks}\n", minute(shown.result.audit.at))
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A time to the minute: `2026-11-21 02:00 UTC`.
fn minute(at: UnixMillis) -> String {
    let text = at.to_rfc3339();
    match text.get(..16) {
        Some(minute) => format!("{} UTC", minute.replace('T', " ")),
        None => text,
    }
}

/// What changed from one audit to the next.
fn trend(before: &AuditCounts, now: &AuditCounts) -> String {
    let of = |label: &str, before: u64, now: u64| match now.checked_sub(before) {
        Some(0) => None,
        Some(more) => Some(format!("+{more} {label}")),
        None => Some(format!("-{} {label}", before - now)),
    };
    let findings =
        Finding::ALL.into_iter().map(|finding| of(finding.label(), before.of(finding), now.of(finding)));
    let rest = [of("healthy", before.healthy, now.healthy), of("not seen", before.unseen, now.unseen)];
    let changes: Vec<String> = findings.chain(rest).flatten().collect();
    if changes.is_empty() { "nothing changed".to_owned() } else { changes.join(", ") }
}

fn list(text: &mut String, finding: Finding, count: u64, ledger: &Ledger) -> Result<(), LedgerError> {
    if count == 0 {
        return Ok(());
    }
    let (label, owner) = (finding.label(), finding.owner().as_str());
    // Writing into a string can't fail.
    let _ = writeln!(text, "\n{label}: {count}, and it is up to {owner}. {}", finding.advice());
    let users: Vec<_> = ledger.with_found(Some(finding), |found| found.take(LISTED).collect())?;
    for user in users {
        let user = user?;
        let events = match finding {
            Finding::Unhealthy => ledger.newest_events(user.user, EVENTS_SHOWN)?,
            _ => Vec::new(),
        };
        let _ = writeln!(text, "  {}", line(&user, &events));
    }
    if let Some(more) = count.checked_sub(LISTED as u64).filter(|more| *more > 0) {
        let _ = writeln!(text, "  … and {more} more; --json has all of them");
    }
    Ok(())
}

fn line(user: &FoundUser, events: &[SavedEvent]) -> String {
    let credential = user.credential.as_ref();
    let id = |id: &CredentialId| format!("credential {}", id.as_str());
    let ours = if user.is_ours { "ours" } else { "not ours" };
    let parts = [
        user.login.as_ref().map(|login| Login::as_str(login).to_owned()),
        credential.and_then(|credential| credential.id.as_ref()).map(id),
        credential.and_then(|credential| credential.status.as_ref()).map(|status| format!("status {status}")),
        (user.finding == Finding::Unhealthy).then(|| ours.to_owned()),
        user.known
            .as_ref()
            .filter(|_| user.finding != Finding::Unhealthy)
            .map(|known| format!("known was {}", known.as_str())),
        (user.audits > 1).then(|| format!("since {}, {} audits in a row", minute(user.since), user.audits)),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let mut line = format!("{}  {}", user.leaf_user_id, parts.join(", "));
    let said: Vec<String> = events.iter().map(said).collect();
    if !said.is_empty() {
        let _ = write!(line, "; last events: {}", said.join(", "));
    }
    line
}

fn said(event: &SavedEvent) -> String {
    let status = event.status_code.map_or_else(|| "?".to_owned(), |status| status.to_string());
    format!("{} status {status}", event.created)
}

/// What became of a repair, in a paragraph.
pub(super) fn render_repair(repaired: &Repaired) -> String {
    let Repaired { due, replaced, left, audits, .. } = repaired;
    let rule = match audits {
        1 => String::new(),
        audits => format!(" by {audits} audits in a row"),
    };
    if *due == 0 && repaired.run.is_none() {
        return format!("\nRepair: nothing of ours was found unhealthy{rule}, so nothing was replaced.\n");
    }
    let also = match replaced.checked_sub(*due) {
        None | Some(0) => "",
        Some(_) => " (those included that an earlier run had begun to replace)",
    };
    format!("\nRepair: {due} of ours found unhealthy{rule}; {replaced} replaced{also}, {left} left.\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trend_names_what_changed_and_nothing_else() {
        let before = AuditCounts { healthy: 300, unhealthy: 2, ..AuditCounts::default() };
        let now = AuditCounts { healthy: 296, unhealthy: 5, missing: 1, ..before };
        assert_eq!(trend(&before, &now), "+1 missing, +3 unhealthy, -4 healthy");
        assert_eq!(trend(&now, &before), "-1 missing, -3 unhealthy, +4 healthy");
        assert_eq!(trend(&now, &now), "nothing changed");
    }

    #[test]
    fn a_time_reads_to_the_minute() {
        assert_eq!(minute(UnixMillis(1_795_269_800_125)), "2026-11-21 14:03 UTC");
    }
}
