//! `--shard`: several processes carry out one manifest, each its own users with its own ledger and its part of the quotas.

mod auto;
mod divided;
mod judged;
mod kept_apart;
mod links;
mod logins;
mod metrics;
mod named;
mod opening;
mod processes;

use stara_onboard::model::Shard;

use crate::support::{Bench, Grower, Invocation};

/// Into how many shards these tests divide.
const SHARDS: u32 = 8;

/// Every one of so many shards.
fn all(count: u32) -> impl Iterator<Item = Shard> {
    (0..count).map(move |index| Shard::new(index, count).unwrap())
}

/// `run` of a manifest as one shard, with its report in `I.jsonl` and whatever else is given.
fn run_as(bench: &Bench, shard: Shard, manifest: &str, arguments: &[&str]) -> Invocation {
    let (part, report) = (shard.to_string(), format!("{}.jsonl", shard.index()));
    bench.program().args(["run", manifest, "--shard", &part, "--report", &report]).args(arguments)
}

/// Those of the growers who belong to the shard.
fn taken_by(shard: Shard, growers: &[Grower]) -> Vec<Grower> {
    growers.iter().filter(|grower| shard.takes(grower.id)).cloned().collect()
}
