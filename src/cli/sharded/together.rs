//! What the latest runs of all shards come to as one run.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::checkpoint::{
    HostTotals, LedgerError, OutcomeCounts, RunRecord, ShardPart, ShardedLedger, ShardedLedgerError,
};
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::run::internal;
use crate::model::UnixMillis;

/// In which order exit codes matter: that of one run, in which only one of them can be told.
const PRECEDENCE: [ExitCode; 10] = [
    ExitCode::Internal,
    ExitCode::StateUnwritable,
    ExitCode::Terminate,
    ExitCode::Interrupt,
    ExitCode::Hangup,
    ExitCode::Refused,
    ExitCode::TooManyFailures,
    ExitCode::Incomplete,
    ExitCode::RowsFailed,
    ExitCode::Done,
];

/// The latest runs of all shards as one run.
#[derive(Debug)]
pub(super) struct Together {
    /// The run. It has ended once all of them have.
    pub(super) run: RunRecord,
    /// The lines by outcome.
    pub(super) outcomes: OutcomeCounts,
    /// The same of each shard, in their order.
    pub(super) of_shards: Vec<OutcomeCounts>,
}

/// What the ledgers of all shards hold, whether or not their latest runs are one together.
#[derive(Debug)]
pub(super) enum Counted {
    /// They are.
    Together(Together),
    /// They aren't, and why; the lines of each by outcome.
    Apart(ShardedLedgerError, Vec<OutcomeCounts>),
}

impl Counted {
    /// Counts what the ledgers of all shards hold.
    ///
    /// # Errors
    ///
    /// When a ledger can't be read.
    pub(super) fn of(ledger: &ShardedLedger) -> Result<Self, Failure> {
        match ledger.check_runs() {
            Ok(()) => Together::of(ledger).map(Self::Together),
            Err(why) => Ok(Self::Apart(why, outcomes_of_shards(ledger)?)),
        }
    }

    /// The lines of each shard by outcome, in their order.
    pub(super) fn of_shards(&self) -> &[OutcomeCounts] {
        match self {
            Self::Together(Together { of_shards, .. }) | Self::Apart(_, of_shards) => of_shards,
        }
    }
}

fn outcomes_of_shards(ledger: &ShardedLedger) -> Result<Vec<OutcomeCounts>, LedgerError> {
    ledger.parts().iter().map(|part| part.ledger.count_outcomes(part.run.run)).collect()
}

impl Together {
    /// Counts what the ledgers of all shards hold, whose latest runs are one together.
    ///
    /// # Errors
    ///
    /// When a ledger can't be read.
    pub(super) fn of(ledger: &ShardedLedger) -> Result<Self, Failure> {
        let of_shards = outcomes_of_shards(ledger)?;
        let outcomes = of_shards.iter().sum();
        let run = run_of_all(ledger, &outcomes).ok_or_else(|| internal("no shard was named"))?;
        Ok(Self { run, outcomes, of_shards })
    }

    /// How long it took, up to now where it hasn't ended.
    pub(super) fn duration(&self) -> Duration {
        let end = self.run.ended_at.unwrap_or_else(UnixMillis::now);
        end.elapsed_since(self.run.started_at).unwrap_or_default()
    }
}

fn run_of_all(ledger: &ShardedLedger, outcomes: &OutcomeCounts) -> Option<RunRecord> {
    let runs = || ledger.parts().iter().map(|part| &part.run);
    let first = runs().next()?;
    let has_ended = runs().all(|run| run.ended_at.is_some());
    let mut hosts = BTreeMap::<String, HostTotals>::new();
    for (host, totals) in runs().flat_map(|run| &run.hosts) {
        let all = hosts.entry(host.clone()).or_default();
        all.requests += totals.requests;
        all.unanswered += totals.unanswered;
        all.throttled += totals.throttled;
    }
    let ended = runs().filter_map(|run| Some((run.exit_code?, run)));
    let weightiest = ended.min_by_key(|(code, _)| weight(*code)).filter(|_| has_ended);
    Some(RunRecord {
        started_at: runs().map(|run| run.started_at).min().unwrap_or(first.started_at),
        lines: ledger.manifest_lines(),
        to_do: runs().map(|run| run.to_do).sum(),
        ended_at: runs().filter_map(|run| run.ended_at).max().filter(|_| has_ended),
        exit_code: weightiest.map(|(code, _)| code),
        ending: weightiest.and_then(|(_, run)| run.ending.clone()),
        outcomes: outcomes.by_name().into_iter().map(|(code, lines)| (code.to_owned(), lines)).collect(),
        hosts,
        ..first.clone()
    })
}

fn weight(exit_code: u8) -> usize {
    PRECEDENCE.iter().position(|code| code.number() == exit_code).unwrap_or(0)
}

/// Why shards ended before their rows did, or that they haven't, in a clause for each.
pub(super) fn cut_short(parts: &[ShardPart]) -> Vec<String> {
    let clause = |part: &ShardPart| match part.run.ending.as_deref() {
        Some("finished") => None,
        Some(ending) => Some(format!("shard {}: {ending}", part.shard)),
        None => Some(format!("shard {} hasn't ended, or was killed", part.shard)),
    };
    parts.iter().filter_map(clause).collect()
}
