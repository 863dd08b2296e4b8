//! Opens the ledgers of all shards, and says what to do where that can't be done.

use std::path::PathBuf;

use super::flags::LedgerFlags;
use super::together::Together;
use crate::checkpoint::{RunLock, ShardPart, ShardedLedger, ShardedLedgerError};
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;

/// How many files a ledger is that is open to be read: the database, its log and the log's index.
const FILES_TO_READ: usize = 3;

/// How many files the rest of the process has open at most.
const OTHER_FILES: usize = 64;

/// Opens them, in any order.
///
/// # Errors
///
/// When one of them can't be read, when they don't fit together, or when the system lets nobody open so many files.
pub(super) fn open(flags: &LedgerFlags, paths: &[PathBuf]) -> Result<ShardedLedger, Failure> {
    if let Some(shard) = flags.first.shard() {
        let error = anyhow::anyhow!("--state names {} ledgers, and --shard {shard} means one", paths.len());
        let hint = "leave out --shard (and unset STARA_ONBOARD_SHARD): each ledger says whose it is";
        return Err(Failure::new(ExitCode::Usage, error, hint));
    }
    allow_open_files(paths.len() * FILES_TO_READ)?;
    Ok(ShardedLedger::open(paths)?)
}

/// Who is at work with a shard's ledger, in words.
pub(super) fn holder(part: &ShardPart) -> Option<String> {
    RunLock::holder(part.ledger.path()).map(|holder| holder.to_string())
}

/// Makes sure that every line of the manifest stands in exactly one ledger.
///
/// # Errors
///
/// When they don't add up to the manifest.
pub(super) fn check_accounts(ledger: &ShardedLedger, together: &Together) -> Result<(), Failure> {
    let lines = ledger.manifest_lines();
    let (of_shards, different) = (together.outcomes.total(), ledger.count_lines()?);
    if lines == of_shards && lines == different {
        return Ok(());
    }
    let shards = ledger.parts().len();
    let error = anyhow::anyhow!(
        "the manifest has {lines} lines, but the ledgers of its {shards} shards hold {of_shards}, of which {different} are \
         different ones"
    );
    Err(Failure::new(ExitCode::Internal, error, "report it; each ledger is true about its own lines"))
}

/// Raises the limit on open files so that ledgers of so many files can be open, which the system mostly lets everybody do.
///
/// # Errors
///
/// When it doesn't.
pub(super) fn allow_open_files(of_ledgers: usize) -> Result<(), Failure> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let needed = (of_ledgers + OTHER_FILES) as u64;
        let limit = getrlimit(Resource::Nofile);
        let is_enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= needed);
        if is_enough(limit.current) {
            return Ok(());
        }
        let raised = Rlimit { current: Some(needed), maximum: limit.maximum };
        if !is_enough(limit.maximum) || setrlimit(Resource::Nofile, raised).is_err() {
            let allowed = limit.maximum.or(limit.current).unwrap_or_default();
            let error = anyhow::anyhow!("so many ledgers are {needed} open files, and {allowed} are allowed");
            let hint = format!("allow more, as with `ulimit -n {needed}`; nothing was written");
            return Err(Failure::new(ExitCode::Usage, error, hint));
        }
    }
    Ok(())
}

impl From<ShardedLedgerError> for Failure {
    fn from(error: ShardedLedgerError) -> Self {
        let hint = match error {
            ShardedLedgerError::Ledger(error) => return error.into(),
            ShardedLedgerError::NoShard { .. } => {
                "name it alone, or only the ledgers of all shards of one run"
            }
            ShardedLedgerError::OtherCount { .. } => {
                "name the ledgers of all shards of one run; a manifest that was divided otherwise later has its older shards \
                 in these files, too"
            }
            ShardedLedgerError::Twice { .. } => "name the ledger of each shard once",
            ShardedLedgerError::Missing { ref path, .. } => {
                let hint = format!(
                    "name the ledgers of all shards, with --state {} and so on; a shard that was never run has none yet: run it",
                    path.display()
                );
                return Self::new(ExitCode::Usage, error, hint);
            }
            ShardedLedgerError::OtherTarget { .. } => {
                "name the ledgers of one rehearsal, or of one pair of hosts"
            }
            ShardedLedgerError::OtherManifest { .. } => {
                "these are shards of different runs: run those that are behind with the same manifest, and ask again"
            }
            ShardedLedgerError::NoManifestPrint { .. } => {
                "run the manifest again with this version, and ask again"
            }
            ShardedLedgerError::RollBack { .. } => {
                "a roll-back has no common manifest: report each shard by itself with --shard I/N"
            }
            ShardedLedgerError::OtherKind { .. } => {
                "bring all shards to the same run, and ask again; or ask for each ledger by itself"
            }
            ShardedLedgerError::OtherColumns { .. } => {
                "run all shards with the same --keep-column, and ask again"
            }
        };
        Self::new(ExitCode::Usage, error, hint)
    }
}
