//! What `status` tells of all shards.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::behind::behind;
use super::opening::holder;
use super::together::{Counted, Together};
use crate::checkpoint::{LearnedRate, LedgerError, OutcomeCounts, ShardPart, ShardedLedger};
use crate::cli::status::{Standing, outcome_lines, rates_json, run_json, run_line};
use crate::model::OutcomeCode;
use crate::ui::count;

/// For people: what all shards come to, where their runs are one together, and a line for each.
pub(super) fn text(ledger: &ShardedLedger, counted: &Counted) -> String {
    let mut text = format!("Ledgers of {} shards\n", ledger.parts().len());
    // Writing into a string can't fail.
    if let Some(target) = ledger.target() {
        let _ = writeln!(text, "  belong to {target}");
    }
    for line in at_work(ledger) {
        let _ = writeln!(text, "  {line}, so that these figures still change");
    }
    for behind in behind(ledger.parts()) {
        let _ = writeln!(text, "  {behind}");
    }
    let parts = || ledger.parts().iter().zip(counted.of_shards());
    match counted {
        Counted::Together(together) => {
            let run = &together.run;
            let _ = writeln!(text, "\nLatest runs together: {} lines of {}", run.lines, run.manifest);
            let (decided, under_way): (Vec<_>, Vec<_>) =
                parts().map(|(part, outcomes)| so_far(part, outcomes)).unzip();
            text.push_str(&outcome_lines(&decided.iter().sum(), under_way.iter().sum()));
        }
        Counted::Apart(why, _) => {
            let _ =
                writeln!(text, "\nThe latest runs aren't one run together, and aren't added up:\n  {why}");
        }
    }
    text.push_str("\nShards, each with its latest run:\n");
    let differences = ledger.differences();
    for (place, (part, outcomes)) in parts().enumerate() {
        let (decided, under_way) = so_far(part, outcomes);
        let is_failed = |(code, _): &(OutcomeCode, u64)| part.run.kind.is_failure(*code);
        let failed: u64 = decided.iter().filter(is_failed).map(|(_, lines)| lines).sum();
        let some = |lines: u64, what: &str| match lines {
            0 => String::new(),
            lines => format!("; {} {what}", count(lines)),
        };
        let counted = [some(failed, "failed"), some(under_way, "under way")].concat();
        let apart = differences.as_ref().and_then(|(of, latest)| Some((of.get(place)?.as_ref()?, latest)));
        let apart = apart.map_or_else(String::new, |(apart, latest)| format!("; {apart} shard {latest}"));
        let (shard, path) = (part.shard.to_string(), part.ledger.path().display());
        let run = run_line(&part.run, holder(part).is_some());
        let _ = writeln!(text, "{shard:>9}  run {}{counted}{apart}  ({path})", run.trim_start());
    }
    text
}

/// The lines of a shard by outcome, and how many of them a run is about: while one is at work, what it has announced hasn't failed.
fn so_far(part: &ShardPart, outcomes: &OutcomeCounts) -> (OutcomeCounts, u64) {
    match holder(part) {
        Some(_) => (outcomes.without_open(), outcomes.open()),
        None => (outcomes.clone(), 0),
    }
}

/// For programs: the fields of one ledger's status, filled with what all shards come to, and the status of each.
pub(super) fn json(ledger: &ShardedLedger, counted: &Counted) -> Result<Value, LedgerError> {
    let shards = ledger.parts().iter().map(|part| Ok(Standing::of(&part.ledger)?.json()));
    let shards = shards.collect::<Result<Vec<_>, LedgerError>>()?;
    let at_work = at_work(ledger);
    let under_way: u64 =
        ledger.parts().iter().zip(counted.of_shards()).map(|(part, outcomes)| so_far(part, outcomes).1).sum();
    let (outcomes, runs, apart) = match counted {
        Counted::Together(together) => {
            (json!(together.outcomes.by_name()), json!([run_json_of_all(together)]), None)
        }
        Counted::Apart(why, _) => (Value::Null, json!([]), Some(why.to_string())),
    };
    let behind = behind(ledger.parts());
    Ok(json!({
        "schema": 1,
        "ledger": null,
        "shard": null,
        "target": ledger.target().map(ToString::to_string),
        "running": (!at_work.is_empty()).then(|| at_work.join("; ")),
        "learnedRates": rates_json(&learned(ledger)?),
        "outcomes": outcomes,
        "underWay": under_way,
        "latencies": null,
        "runs": runs,
        "apart": apart,
        "behind": behind.iter().map(|behind| behind.shard.to_string()).collect::<Vec<_>>(),
        "shards": shards,
    }))
}

/// All runs as one, which has no number.
fn run_json_of_all(together: &Together) -> Value {
    let mut run = run_json(&together.run);
    run["run"] = Value::Null;
    run
}

fn at_work(ledger: &ShardedLedger) -> Vec<String> {
    let line =
        |part: &ShardPart| holder(part).map(|holder| format!("shard {} is at work ({holder})", part.shard));
    ledger.parts().iter().filter_map(line).collect()
}

/// What all shards together learned of a host's quota; nothing of a host of which one of them has learned nothing.
fn learned(ledger: &ShardedLedger) -> Result<Vec<LearnedRate>, LedgerError> {
    let mut by_service = BTreeMap::<&str, (usize, LearnedRate)>::new();
    for part in ledger.parts() {
        for rate in part.ledger.learned_rates()? {
            match by_service.get_mut(rate.service.as_str()) {
                Some((shards, all)) => {
                    *shards += 1;
                    all.per_second += rate.per_second;
                    all.at = all.at.max(rate.at);
                }
                None => drop(by_service.insert(rate.service.as_str(), (1, rate))),
            }
        }
    }
    let of_all = |(shards, rate)| (shards == ledger.parts().len()).then_some(rate);
    Ok(by_service.into_values().filter_map(of_all).collect())
}
