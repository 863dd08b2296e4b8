//! The one sentence at the top: what happened, and who must do what.

use super::groups::{Group, rows_of};
use super::tally::Tally;
use super::wording::count;
use crate::checkpoint::RunKind;

/// The sentence of a run of this kind whose rows ended so.
pub(super) fn headline(kind: RunKind, tally: &Tally) -> String {
    let total = tally.total();
    let rows = |group| rows_of(kind, tally, group);
    if total == 0 {
        return "The manifest has no rows, so there was nothing to do.".to_owned();
    }
    let what = match kind {
        RunKind::Run => "attached",
        RunKind::Repair => "healthy",
        RunKind::Detach => "detached",
    };
    let repeated = rows(Group::Repeated);
    let done = rows(Group::Done);
    let mut clauses: Vec<String> =
        Group::ALL.into_iter().filter_map(|group| clause(group, rows(group), tally.left_out)).collect();
    if repeated > 0 && (!clauses.is_empty() || done > 0) {
        clauses.push(match repeated {
            1 => "1 repeats another".to_owned(),
            repeated => format!("{} repeat another", count(repeated)),
        });
    }
    let happened = match (done, total) {
        (0, 1) => format!("The row isn't {what}"),
        (0, _) => format!("No row is {what}"),
        (done, total) if done == total && total == 1 => format!("The row is {what}"),
        (done, total) if done == total => format!("All {} rows are {what}", count(total)),
        (1, total) => format!("1 of {} rows is {what}", count(total)),
        (done, total) => format!("{} of {} rows are {what}", count(done), count(total)),
    };
    match clauses.split_last() {
        None => format!("{happened}, and nobody has to do anything."),
        Some((last, [])) => format!("{happened}; {last}."),
        Some((last, first)) => format!("{happened}; {} and {last}.", first.join(", ")),
    }
}

/// What is said of the rows that wait for somebody.
fn clause(group: Group, rows: u64, left_out: u64) -> Option<String> {
    let one = rows == 1;
    let said = match group {
        Group::Done | Group::Repeated => return None,
        Group::Grower if one => "needs its grower",
        Group::Grower => "need their growers",
        Group::GrowerOrYou if one => "needs its grower or you",
        Group::GrowerOrYou => "need their growers or you",
        Group::You if one => "needs you",
        Group::You => "need you",
        Group::ToolThenYou if one => "is looked at again by the next run",
        Group::ToolThenYou => "are looked at again by the next run",
        Group::StaraOrLeaf if one => "waits for Stara or Leaf",
        Group::StaraOrLeaf => "wait for Stara or Leaf",
        Group::Tool if one => "needs the makers of this tool",
        Group::Tool => "need the makers of this tool",
        Group::NotReached => return not_reached(rows, left_out),
    };
    (rows > 0).then(|| format!("{} {said}", count(rows)))
}

fn not_reached(rows: u64, left_out: u64) -> Option<String> {
    let were = |rows: u64, one: &str, more: &str| {
        let verb = if rows == 1 { one } else { more };
        (rows > 0).then(|| format!("{} {verb}", count(rows)))
    };
    let late = were(rows.saturating_sub(left_out), "wasn't reached", "weren't reached");
    let out = were(left_out.min(rows), "was left out", "were left out");
    match (late, out) {
        (Some(late), Some(out)) => Some(format!("{late}, {out}")),
        (late, out) => late.or(out),
    }
}
