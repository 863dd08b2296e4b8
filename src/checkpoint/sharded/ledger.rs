//! The ledgers of all shards, opened together.

use std::path::PathBuf;

use super::agreement::{Heading, check, check_runs, difference};
use super::error::ShardedLedgerError;
use super::merge::Merged;
use crate::checkpoint::{Ledger, LedgerAccess, LedgerError, LineResult, RunRecord, Target};
use crate::model::Shard;

/// The most memory that the pages of all ledgers together take, in KiB; as much as those of a single one may.
const PAGES_OF_ALL: usize = 16 * 1024;

/// The least of it that each gets: some pages, because a line and its user are found along different trees.
const PAGES_OF_EACH: usize = 64;

/// A shard's ledger, with the latest run in it.
#[derive(Debug)]
pub struct ShardPart {
    /// The shard.
    pub shard: Shard,
    /// Its ledger, as it stood when it was opened, whatever is written to it meanwhile.
    pub ledger: Ledger,
    /// The latest run.
    pub run: RunRecord,
}

impl ShardPart {
    fn heading<'a>(&'a self, target: Option<&'a Target>) -> Heading<'a> {
        Heading { path: self.ledger.path(), shard: self.shard, target, run: &self.run }
    }
}

/// The ledgers of all shards.
#[derive(Debug)]
pub struct ShardedLedger {
    target: Option<Target>,
    /// In the order of the shards; never none.
    parts: Vec<ShardPart>,
}

impl ShardedLedger {
    /// Opens these ledgers for reading, in any order.
    ///
    /// # Errors
    ///
    /// When one can't be read, or when they aren't the ledgers of all shards, each once, against the same hosts.
    pub fn open(paths: &[PathBuf]) -> Result<Self, ShardedLedgerError> {
        let pages = (PAGES_OF_ALL / paths.len().max(1)).max(PAGES_OF_EACH);
        let opened = paths.iter().map(|path| {
            let ledger = Ledger::open(path, LedgerAccess::Read)?;
            ledger.hold_still(pages)?;
            let missing = || LedgerError::Missing { path: path.clone() };
            let run = ledger.latest_run()?.ok_or_else(missing)?;
            let shard = ledger.shard().ok_or_else(|| ShardedLedgerError::NoShard { path: path.clone() })?;
            Ok::<_, ShardedLedgerError>((ledger.target()?, ShardPart { shard, ledger, run }))
        });
        let mut opened = opened.collect::<Result<Vec<_>, _>>()?;
        opened.sort_by_key(|(_, part)| part.shard);
        let headings = opened.iter().map(|(target, part)| part.heading(target.as_ref()));
        check(&headings.collect::<Vec<_>>())?;
        let target = opened.first().and_then(|(target, _)| target.clone());
        Ok(Self { target, parts: opened.into_iter().map(|(_, part)| part).collect() })
    }

    /// Makes sure that the latest runs did one thing with one manifest, so that they are one run together.
    ///
    /// # Errors
    ///
    /// Says which ones didn't.
    pub fn check_runs(&self) -> Result<(), ShardedLedgerError> {
        check_runs(&self.headings())
    }

    /// What sets the latest run of each shard apart from the latest of all, in words that are followed by whose that one is, and
    /// which shard's it is. They are in the order of the shards.
    #[must_use]
    pub fn differences(&self) -> Option<(Vec<Option<&'static str>>, Shard)> {
        let headings = self.headings();
        let latest = headings.iter().max_by_key(|heading| heading.run.started_at)?;
        Some((headings.iter().map(|heading| difference(heading, latest)).collect(), latest.shard))
    }

    fn headings(&self) -> Vec<Heading<'_>> {
        self.parts.iter().map(|part| part.heading(self.target.as_ref())).collect()
    }

    /// The shards, in their order.
    #[must_use]
    pub fn parts(&self) -> &[ShardPart] {
        &self.parts
    }

    /// The hosts they all belong to.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        self.target.as_ref()
    }

    /// How many lines the whole manifest has.
    #[must_use]
    pub fn manifest_lines(&self) -> u64 {
        self.parts.first().and_then(|part| part.run.manifest_lines).unwrap_or_default()
    }

    /// Calls `consume` with the results of all lines, in the manifest's order, read as it goes.
    ///
    /// # Errors
    ///
    /// When a ledger can't be read. An error further on comes through the iterator.
    pub fn with_results<T>(
        &self,
        consume: impl FnOnce(&mut dyn Iterator<Item = Result<LineResult, LedgerError>>) -> T,
    ) -> Result<T, LedgerError> {
        let prepared = self.parts.iter().map(|part| part.ledger.result_statement());
        let mut statements = prepared.collect::<Result<Vec<_>, _>>()?;
        let parts = self.parts.iter().zip(&mut statements);
        let results = parts.map(|(part, statement)| {
            let results = part.ledger.results(statement, part.run.run)?;
            Ok(results.map(|result| result.map(|result| (result.line, result))))
        });
        let results = results.collect::<Result<Vec<_>, LedgerError>>()?;
        let mut merged = Merged::new(results).map(|merged| merged.map(|(_, result)| result));
        Ok(consume(&mut merged))
    }

    /// How many different lines stand in the ledgers. When the accounts are in order, as many as the manifest has.
    ///
    /// # Errors
    ///
    /// When a ledger can't be read.
    pub fn count_lines(&self) -> Result<u64, LedgerError> {
        let prepared = self.parts.iter().map(|part| part.ledger.line_statement());
        let mut statements = prepared.collect::<Result<Vec<_>, _>>()?;
        let parts = self.parts.iter().zip(&mut statements);
        let lines = parts.map(|(part, statement)| {
            Ok(part.ledger.lines(statement)?.map(|line| line.map(|line| (line, ()))))
        });
        let lines = lines.collect::<Result<Vec<_>, LedgerError>>()?;
        let (mut count, mut last) = (0, None);
        for line in Merged::new(lines) {
            let (line, ()) = line?;
            count += u64::from(last != Some(line));
            last = Some(line);
        }
        Ok(count)
    }
}
