//! What a report may tell of its run beside the records, read from the ledger.

use std::path::Path;

use super::invocation::rows_command;
use super::reports::{ReportTarget, ResultSource};
use crate::checkpoint::{Ledger, LedgerError, RunRecord, ShardedLedger, Target};
use crate::report::RunFacts;

/// How many runs are read for the trend, this one included.
const RUNS: u32 = 40;

impl ResultSource<'_> {
    /// What the reports of this run may tell; little, where no report tells more than its records.
    pub(super) fn facts(&self, targets: &[ReportTarget]) -> Result<RunFacts, LedgerError> {
        let kept = RunFacts::of_columns(&self.run().kept_columns);
        if targets.iter().all(|target| target.format.is_whole()) {
            return Ok(kept);
        }
        let run = self.run();
        let whole = targets.iter().filter(|target| target.format.is_whole());
        let facts = RunFacts {
            command: Some(rows_command(&self.ledgers())),
            run: Some(run.clone()),
            whole_reports: whole.map(|target| target.path.clone()).collect(),
            ..kept
        };
        match self {
            Self::Ledger(ledger, run) => of_ledger(ledger, run, facts),
            Self::Shards(ledger, _) => Ok(of_shards(ledger, facts)),
        }
    }
}

impl ResultSource<'_> {
    /// The files that hold the results.
    fn ledgers(&self) -> Vec<&Path> {
        match self {
            Self::Ledger(ledger, _) => vec![ledger.path()],
            Self::Shards(ledger, _) => ledger.parts().iter().map(|part| part.ledger.path()).collect(),
        }
    }
}

fn of_ledger(ledger: &Ledger, run: &RunRecord, facts: RunFacts) -> Result<RunFacts, LedgerError> {
    let earlier = ledger.runs(RUNS)?.into_iter().filter(|before| before.run < run.run);
    Ok(RunFacts {
        earlier: earlier.collect(),
        measures: ledger.run_measures(run.run)?,
        origins: ledger.target()?.as_ref().map(origins),
        shard: ledger.shard(),
        ..facts
    })
}

/// The shards keep their time lines and their nights for themselves: together they would be of nobody's clock.
fn of_shards(ledger: &ShardedLedger, facts: RunFacts) -> RunFacts {
    RunFacts {
        origins: ledger.target().map(origins),
        shards: u32::try_from(ledger.parts().len()).ok(),
        ..facts
    }
}

fn origins(target: &Target) -> [String; 2] {
    target.origins().map(ToOwned::to_owned)
}
