//! What a report may tell of its run beside the records.

use std::path::PathBuf;

use crate::checkpoint::{RunMeasures, RunRecord};
use crate::model::Shard;

/// What is known of a run and its surroundings. Every format needs the kept columns; only a page shows the rest, and leaves
/// out what isn't known.
#[derive(Debug, Clone, Default)]
pub struct RunFacts {
    /// The names of the kept manifest columns, in the order of each record's cells.
    pub kept_columns: Vec<String>,
    /// The run.
    pub run: Option<RunRecord>,
    /// The runs before it, the latest first.
    pub earlier: Vec<RunRecord>,
    /// What the run measured of itself.
    pub measures: Option<RunMeasures>,
    /// Stara's and Leaf's origins, where the ledger knows them.
    pub origins: Option<[String; 2]>,
    /// Whose lines these are, in the report of one shard.
    pub shard: Option<Shard>,
    /// How many shards were brought together, in the report of all.
    pub shards: Option<u32>,
    /// Reports of the same run that hold every row.
    pub whole_reports: Vec<PathBuf>,
    /// The command that writes every row of the ledger's latest run for a spreadsheet; `None` where none is known.
    pub command: Option<String>,
}

impl RunFacts {
    /// Facts of which only the kept columns are known.
    #[must_use]
    pub fn of_columns(kept_columns: &[String]) -> Self {
        Self { kept_columns: kept_columns.to_vec(), ..Self::default() }
    }
}
