//! `report` and `status` of a manifest whose rows several processes onboarded, each its shard: what the ledgers of all shards
//! come to together.
//!
//! Main types: [`LedgerFlags`], by which one ledger is named or those of all shards. The rest is what `report` and `status`
//! do in the second case.
//!
//! It only reads. Where `report` makes magic links, it holds the ledgers and asks Leaf as `links` does it for one of them.

mod behind;
mod flags;
mod links;
mod opening;
mod report;
mod status;
mod together;
mod told;

pub(super) use flags::LedgerFlags;
pub(super) use report::{is_report, report};
pub(super) use status::status;
