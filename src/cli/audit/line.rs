//! An audit in one line: for a mail, a log, and whoever asked to hear of it only when somebody is needed.

use super::shown::AuditShown;
use crate::cli::exit_code::ExitCode;
use crate::model::Finding;

/// The audit in one line, with its end.
pub(super) fn render(shown: &AuditShown<'_>, code: ExitCode) -> String {
    let counts = &shown.result.audit.counts;
    let found = Finding::ALL.map(|finding| (counts.of(finding), finding.label()));
    let others = [
        (counts.not_attached, "not attached"),
        (counts.unsettled, "not settled"),
        (counts.unseen, "not seen"),
    ];
    let counted = found.into_iter().chain(others).filter(|(users, _)| *users > 0);
    let whom = shown.manifest.unwrap_or("everybody in the ledger");
    let mut parts = vec![format!("Audit of {whom}: {} healthy", counts.healthy)];
    parts[0].extend(counted.map(|(users, what)| format!(", {users} {what}")));
    parts.extend(shown.result.stopped.as_ref().map(|cause| format!("stopped early: {cause}")));
    if let Some(repaired) = shown.repaired
        && let Some(run) = repaired.run
    {
        let (replaced, left) = (repaired.replaced, repaired.left);
        parts.push(format!("repair by run {run}: {replaced} replaced, {left} left"));
    }
    parts.extend(shown.linked.iter().flat_map(|linked| linked.lines()));
    parts.push(format!("exit code {}", code.number()));
    // A name is somebody's choice; a line stays a line.
    let printable = |letter: char| if letter.is_control() { '\u{fffd}' } else { letter };
    parts.join("; ").chars().map(printable).chain(['\n']).collect()
}
