//! The ledger as runs use it: staged, written in groups, walked again, read back, on a real file each time.

mod cursor;
mod findings;
mod fixtures;
mod forget;
mod leavers;
mod measures;
mod results;
mod runs;
mod sharded;
mod shards;
mod staging;
mod staging_totals;
mod standing;
mod writer;
