//! Why ledgers aren't those of all shards of one run.

use std::path::PathBuf;

use crate::checkpoint::LedgerError;
use crate::model::Shard;

/// Why several ledgers can't be read as one.
#[derive(Debug, thiserror::Error)]
pub enum ShardedLedgerError {
    /// One of them can't be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// One of them holds whole manifests.
    #[error("{path} is no shard's ledger: it holds whole manifests")]
    NoShard {
        /// The ledger.
        path: PathBuf,
    },
    /// They are parts of differently many.
    #[error("{first} is of shard {}, and {second} of shard {}: they are parts of differently many", shards[0], shards[1])]
    OtherCount {
        /// One ledger.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// Their shards.
        shards: [Shard; 2],
    },
    /// Two are of one shard.
    #[error("{first} and {second} are both of shard {shard}")]
    Twice {
        /// One ledger.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// Their shard.
        shard: Shard,
    },
    /// Not all shards are there.
    #[error("of the {} shards {} missing", .shards.first().map_or(0, |shard| shard.count()), listed(.shards))]
    Missing {
        /// The missing ones, in order.
        shards: Vec<Shard>,
        /// Where the ledger of the first of them would be, by the name of one that is there.
        path: PathBuf,
    },
    /// They belong to other hosts.
    #[error("{first} belongs to {}, and {second} to {}", targets[0], targets[1])]
    OtherTarget {
        /// One ledger.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// Their targets, in words.
        targets: [String; 2],
    },
    /// Their latest runs weren't given one manifest.
    #[error(
        "the latest runs of {first} and {second} read different manifests: {} and {}",
        manifests[0],
        manifests[1]
    )]
    OtherManifest {
        /// One ledger.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// Their manifests, in words.
        manifests: [String; 2],
    },
    /// Nothing is known of the manifest of the latest run as a whole.
    #[error("the latest run of {path} doesn't tell which lines the whole manifest has")]
    NoManifestPrint {
        /// The ledger.
        path: PathBuf,
    },
    /// The latest run took credentials away from users of its own, who are no manifest's.
    #[error("the latest run of {path} is of users and of no manifest, as in a roll-back (detach --from-run)")]
    RollBack {
        /// The ledger.
        path: PathBuf,
    },
    /// Their latest runs did different things.
    #[error("the latest run of {first} is a {}, and that of {second} a {}", kinds[0], kinds[1])]
    OtherKind {
        /// One ledger.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// What the runs were: `run`, `repair` or `detach`.
        kinds: [&'static str; 2],
    },
    /// Their latest runs kept other columns of the manifest.
    #[error("the latest runs of {first} and {second} kept different columns of the manifest (--keep-column)")]
    OtherColumns {
        /// One ledger.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
}

/// How many missing shards are named.
const MOST_LISTED: usize = 8;

/// `0 and 3 are`, of the shards 0 and 3.
fn listed(shards: &[Shard]) -> String {
    let mut names: Vec<String> =
        shards.iter().take(MOST_LISTED).map(|shard| shard.index().to_string()).collect();
    if let Some(more) = shards.len().checked_sub(MOST_LISTED).filter(|more| *more > 0) {
        names.push(format!("{more} more"));
    }
    match names.split_last() {
        Some((last, [])) => format!("{last} is"),
        Some((last, others)) => format!("{} and {last} are", others.join(", ")),
        None => "none is".to_owned(),
    }
}
