//! `state forget` and `state prune`: what the ledger no longer has to know.

use std::collections::HashSet;
use std::path::Path;

use super::arguments::{ForgetArguments, PruneArguments, StateArguments, StateVerb};
use super::confirm;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::leftovers;
use super::run::tell;
use crate::checkpoint::{Ledger, LedgerAccess, RunLock};
use crate::model::{LeafUserId, Shard, UnixMillis};
use crate::report::{forget_in_report, remove_left_behind};

/// How many users are listed for people.
const LISTED: usize = 20;

/// Does what is asked of the ledger.
pub(super) fn state(arguments: &StateArguments) -> Result<ExitCode, Failure> {
    match &arguments.verb {
        StateVerb::Forget(arguments) => forget(arguments),
        StateVerb::Prune(arguments) => prune(arguments),
    }
}

/// Opens a ledger that no run holds.
fn hold(path: &Path, shard: Option<Shard>) -> Result<(RunLock, Ledger), Failure> {
    Ledger::check_place(path)?;
    Ledger::check_file(path)?;
    if !path.exists() {
        return Err(Ledger::missing(path).into());
    }
    let lock = RunLock::acquire(path)?;
    let ledger = Ledger::open(path, LedgerAccess::Read)?;
    // Whoever takes something away for good says whose it is.
    ledger.check_shard(shard)?;
    Ok((lock, ledger))
}

fn forget(arguments: &ForgetArguments) -> Result<ExitCode, Failure> {
    let path = arguments.state.path(arguments.sandbox.is_on());
    let (_lock, ledger) = hold(&path, arguments.state.shard())?;
    let mut users = Vec::new();
    for id in &arguments.leaf_user_ids {
        if !users.contains(id) {
            users.push(*id);
        }
    }
    refuse_attached(&ledger, &users, arguments.even_if_attached)?;
    if !arguments.yes {
        confirm::ask(&format!(
            "The ledger {} forgets for good what it knows of {}: outcomes, lines of the latest run, saved events, \
             refusals, and magic links.\nReports in its folder lose their records. At Leaf nothing is changed.\n",
            path.display(),
            counted(users.len() as u64, "user"),
        ))?;
    }
    let mut never_met = Vec::new();
    for id in &users {
        if ledger.user(*id)?.is_none() && ledger.lines_of(*id)?.is_empty() {
            never_met.push(*id);
        }
    }
    let forgotten = ledger.forget(&users)?;
    let shard = ledger.shard();
    drop(ledger);
    tell(&format!(
        "Forgotten: {}, {}, {}, {}{}.\n",
        counted(forgotten.users, "user"),
        counted(forgotten.lines, "line"),
        counted(forgotten.events, "saved event"),
        counted(forgotten.refusals, "refusal"),
        some(forgotten.links, "magic link"),
    ));
    let left = forget_beside(&path, &users.into_iter().collect()).map_err(|source| {
        let error = anyhow::Error::new(source).context("the files beside the ledger can't be searched");
        Failure::new(ExitCode::StateUnwritable, error, "the ledger has forgotten; run the same command again")
    })?;
    // Somebody may have to attest it: a mistyped id is no deletion.
    for id in never_met.iter().take(LISTED) {
        let advice = match shard.filter(|shard| !shard.takes(*id)) {
            Some(shard) => format!("it belongs to shard {}", shard.holder_of(*id)),
            None => "check the id".to_owned(),
        };
        tell(&format!("warning: the ledger has never met {id}; {advice}\n"));
    }
    let is_clean = !left && never_met.is_empty();
    Ok(if is_clean { ExitCode::Done } else { ExitCode::RowsFailed })
}

/// A user that is forgotten while its credential is there can never be detached by this ledger again.
fn refuse_attached(ledger: &Ledger, users: &[LeafUserId], even_if_attached: bool) -> Result<(), Failure> {
    let mut attached = Vec::new();
    for id in users {
        let record = ledger.user(*id)?;
        let is_attached = |record: crate::checkpoint::UserRecord| {
            record.intent.is_some() || record.held.is_some_and(|held| held.ours)
        };
        if record.is_some_and(is_attached) {
            attached.push(id.to_string());
        }
    }
    if attached.is_empty() || even_if_attached {
        return Ok(());
    }
    let more = attached.len().saturating_sub(LISTED);
    let listed = attached.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join("\n  ");
    let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
    let error = anyhow::anyhow!(
        "{} a credential that we attached, or something that was sent isn't settled:\n  {listed}{more}",
        if attached.len() == 1 {
            "1 user still holds".to_owned()
        } else {
            format!("{} users still hold", attached.len())
        },
    );
    let hint = "nothing was forgotten; detach them first, or add --even-if-attached";
    Err(Failure::new(ExitCode::Usage, error, hint))
}

/// Takes the users out of the reports beside the ledger, and names the other files that name them; tells whether there are
/// any.
fn forget_beside(ledger: &Path, users: &HashSet<LeafUserId>) -> std::io::Result<bool> {
    let mut left = false;
    remove_left_behind(ledger.parent().unwrap_or(ledger));
    for path in leftovers::beside(ledger)? {
        let forgotten = forget_in_report(&path, &|id| users.contains(&id))?;
        if let Some(records) = forgotten.filter(|records| *records > 0) {
            tell(&format!("{} lost {}.\n", path.display(), counted(records, "record")));
        }
        let is_packed = path
            .extension()
            .is_some_and(|ending| ["parquet", "gz", "zst"].iter().any(|packed| ending == *packed));
        if is_packed {
            left = true;
            tell(&format!(
                "warning: {} is packed and may name them; look into it or remove it\n",
                path.display()
            ));
        } else if leftovers::names_any(&path, users)? {
            left = true;
            tell(&format!(
                "warning: {} still names them; forget them there, too, or remove it\n",
                path.display()
            ));
        }
    }
    Ok(left)
}

fn prune(arguments: &PruneArguments) -> Result<ExitCode, Failure> {
    let path = arguments.state.path(arguments.sandbox.is_on());
    let (_lock, ledger) = hold(&path, arguments.state.shard())?;
    let age = i64::try_from(arguments.events_older_than.as_millis()).unwrap_or(i64::MAX);
    let before = UnixMillis(UnixMillis::now().0.saturating_sub(age).max(0));
    let pruned = ledger.prune(arguments.keep_runs, before)?;
    tell(&format!(
        "Dropped: the totals of {} and {}, and {}{}.\n",
        counted(pruned.runs, "run"),
        counted(pruned.audits, "audit"),
        counted(pruned.events, "saved event"),
        some(pruned.links, "expired magic link"),
    ));
    Ok(ExitCode::Done)
}

/// A count behind others, where there is anything to count.
fn some(number: u64, noun: &str) -> String {
    if number > 0 { format!(", {}", counted(number, noun)) } else { String::new() }
}

fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
