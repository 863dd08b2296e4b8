//! The ledgers of all shards of one run, read as if they were one.
//!
//! Main types: [`ShardedLedger`], opened from the ledgers of all shards or refused ([`ShardedLedgerError`]), [`ShardPart`],
//! one of them with its latest run; and [`Merged`], what brings them into one order.
//!
//! It only reads. Nothing is held but one line of each ledger, however many lines there are.

mod agreement;
mod error;
mod ledger;
mod merge;

pub use error::ShardedLedgerError;
pub use ledger::{ShardPart, ShardedLedger};
pub use merge::Merged;
