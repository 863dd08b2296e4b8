//! `report --magic-links` of all shards: one file of links, in the order of the manifest.

use super::opening::allow_open_files;
use crate::checkpoint::{Rejected, RunRecord, ShardedLedger};
use crate::cli::arguments::ReportArguments;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::links::{HeldLedger, LinkFile, LinksEnded, make, refuse_detached, refuse_rehearsal};
use crate::pipeline::{LinkRules, Services};

/// How many files a ledger is that is open to be read and once more to be written: each time the database, its log and the
/// log's index; and its lock.
const FILES_TO_WRITE: usize = 7;

/// The ledgers of all shards, held, so that links can be made for their users.
pub(super) struct HeldShards {
    rules: LinkRules,
    /// In the order of the shards.
    ledgers: Vec<(HeldLedger, Services)>,
}

impl HeldShards {
    /// Holds all of them, where links are asked for at all. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When a shard is at work, when its ledger is another hosts' one, or when this is a rehearsal.
    pub(super) fn hold(
        arguments: &ReportArguments,
        sharded: &ShardedLedger,
    ) -> Result<Option<Self>, Failure> {
        let Some(rules) = arguments.links.rules() else { return Ok(None) };
        refuse_rehearsal(arguments)?;
        allow_open_files(sharded.parts().len() * FILES_TO_WRITE)?;
        let held = sharded
            .parts()
            .iter()
            .map(|part| HeldLedger::hold(arguments, part.ledger.path(), Some(part.shard)));
        Ok(Some(Self { rules, ledgers: held.collect::<Result<_, Failure>>()? }))
    }

    /// Makes the links that are missing of the latest runs in these ledgers, and writes the file.
    ///
    /// # Errors
    ///
    /// When no links can be written where they are to go, or a ledger can't be read.
    pub(super) fn make(
        self,
        arguments: &ReportArguments,
        sharded: &ShardedLedger,
        run: &RunRecord,
    ) -> Result<Option<(LinkFile, LinksEnded, Option<ExitCode>)>, Failure> {
        let Some(file) = arguments.links.file(&run.kept_columns, None)? else { return Ok(None) };
        refuse_detached(run)?;
        file.prepare()?;
        let (held, services): (Vec<_>, Vec<_>) = self.ledgers.into_iter().unzip();
        let parts = held.iter().zip(services).zip(sharded.parts());
        let sources = parts
            .map(|((held, services), part)| (services, &held.ledger, Rejected::InRun(part.run.run)))
            .collect();
        let (ended, stopped) = make(sources, self.rules, &file)?;
        Ok(Some((file, ended, stopped)))
    }
}
