//! Whether ledgers are those of all shards of one run. It is judged by what each says of itself, never by its name.

use std::path::{Path, PathBuf};

use super::error::ShardedLedgerError;
use crate::checkpoint::{RunKind, RunRecord, Target};
use crate::model::Shard;

/// What a ledger says of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heading<'a> {
    pub(super) path: &'a Path,
    pub(super) shard: Shard,
    pub(super) target: Option<&'a Target>,
    pub(super) run: &'a RunRecord,
}

/// Makes sure that these are the ledgers of all shards, each once, for one pair of hosts.
///
/// # Errors
///
/// Names the first ledgers that don't fit together.
pub(super) fn check(headings: &[Heading<'_>]) -> Result<(), ShardedLedgerError> {
    let Some((first, others)) = headings.split_first() else { return Ok(()) };
    others.iter().try_for_each(|other| check_count(first, other))?;
    check_shards(headings)?;
    others.iter().try_for_each(|other| check_target(first, other))
}

/// Makes sure that the latest runs in them did one thing with one manifest.
///
/// # Errors
///
/// Names the first ledgers that don't fit together.
pub(super) fn check_runs(headings: &[Heading<'_>]) -> Result<(), ShardedLedgerError> {
    let Some((first, others)) = headings.split_first() else { return Ok(()) };
    others.iter().try_for_each(|other| check_kind(first, other))?;
    headings.iter().try_for_each(check_print)?;
    others.iter().try_for_each(|other| check_manifest(first, other))
}

/// What sets the run of one ledger apart from that of another, in words that are followed by whose it is; `None` where nothing does.
pub(super) fn difference(first: &Heading<'_>, second: &Heading<'_>) -> Option<&'static str> {
    if check_kind(first, second).is_err() {
        return Some("another kind of run than");
    }
    match check_manifest(first, second) {
        Ok(()) => None,
        Err(ShardedLedgerError::OtherColumns { .. }) => Some("other columns kept than by"),
        // Each takes away the credentials of users of its own.
        Err(_) if is_of_users(first.run) && is_of_users(second.run) => None,
        Err(_) => Some("another manifest than"),
    }
}

/// Whether the lines of a run are users that only this ledger was asked for, as in a roll-back.
fn is_of_users(run: &RunRecord) -> bool {
    run.kind == RunKind::Detach && run.manifest_lines.is_some() && run.manifest_print.is_none()
}

fn check_count(first: &Heading<'_>, second: &Heading<'_>) -> Result<(), ShardedLedgerError> {
    if first.shard.count() == second.shard.count() {
        return Ok(());
    }
    Err(ShardedLedgerError::OtherCount {
        first: first.path.to_owned(),
        second: second.path.to_owned(),
        shards: [first.shard, second.shard],
    })
}

/// Makes sure that each shard is there once.
fn check_shards(headings: &[Heading<'_>]) -> Result<(), ShardedLedgerError> {
    let Some(any) = headings.first() else { return Ok(()) };
    let mut missing = Vec::new();
    for index in 0..any.shard.count() {
        let Ok(shard) = Shard::new(index, any.shard.count()) else { continue };
        let mut of_it = headings.iter().filter(|heading| heading.shard == shard);
        match (of_it.next(), of_it.next()) {
            (None, _) => missing.push(shard),
            (Some(first), Some(second)) => {
                return Err(ShardedLedgerError::Twice {
                    first: first.path.to_owned(),
                    second: second.path.to_owned(),
                    shard,
                });
            }
            (Some(_), None) => {}
        }
    }
    let Some(shard) = missing.first() else { return Ok(()) };
    let path = sibling(any, *shard);
    Err(ShardedLedgerError::Missing { shards: missing, path })
}

/// Where the ledger of another shard is, if it is called like this one.
fn sibling(heading: &Heading<'_>, shard: Shard) -> PathBuf {
    let own = format!(".{}", heading.shard.infix());
    let name = heading.path.file_name().unwrap_or_default().to_string_lossy();
    heading.path.with_file_name(name.replacen(&own, &format!(".{}", shard.infix()), 1))
}

fn check_target(first: &Heading<'_>, second: &Heading<'_>) -> Result<(), ShardedLedgerError> {
    if first.target == second.target {
        return Ok(());
    }
    let said =
        |heading: &Heading<'_>| heading.target.map_or_else(|| "nobody".to_owned(), ToString::to_string);
    Err(ShardedLedgerError::OtherTarget {
        first: first.path.to_owned(),
        second: second.path.to_owned(),
        targets: [said(first), said(second)],
    })
}

fn check_print(heading: &Heading<'_>) -> Result<(), ShardedLedgerError> {
    let run = heading.run;
    if is_of_users(run) {
        return Err(ShardedLedgerError::RollBack { path: heading.path.to_owned() });
    }
    if run.manifest_print.is_some() && run.manifest_lines.is_some() {
        return Ok(());
    }
    Err(ShardedLedgerError::NoManifestPrint { path: heading.path.to_owned() })
}

/// Makes sure that two runs did the same thing.
fn check_kind(first: &Heading<'_>, second: &Heading<'_>) -> Result<(), ShardedLedgerError> {
    if first.run.kind == second.run.kind {
        return Ok(());
    }
    Err(ShardedLedgerError::OtherKind {
        first: first.path.to_owned(),
        second: second.path.to_owned(),
        kinds: [first.run.kind.as_str(), second.run.kind.as_str()],
    })
}

/// Makes sure that two runs read one manifest in one way.
fn check_manifest(first: &Heading<'_>, second: &Heading<'_>) -> Result<(), ShardedLedgerError> {
    let paths = || (first.path.to_owned(), second.path.to_owned());
    let runs = [first.run, second.run];
    // Before the print, which covers the kept cells.
    if runs[0].kept_columns != runs[1].kept_columns {
        let (first, second) = paths();
        return Err(ShardedLedgerError::OtherColumns { first, second });
    }
    if runs[0].manifest_print != runs[1].manifest_print || runs[0].manifest_lines != runs[1].manifest_lines {
        let (first, second) = paths();
        return Err(ShardedLedgerError::OtherManifest { first, second, manifests: runs.map(manifest) });
    }
    Ok(())
}

fn manifest(run: &RunRecord) -> String {
    let lines = run.manifest_lines.unwrap_or_default();
    format!("{} of {lines} lines on {}", run.manifest, run.started_at.to_rfc3339())
}
