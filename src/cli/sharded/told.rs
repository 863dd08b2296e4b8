//! What `status` tells of all shards.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::opening::holder;
use super::together::Together;
use crate::checkpoint::{LearnedRate, LedgerError, ShardPart, ShardedLedger};
use crate::cli::status::{Standing, outcome_lines, rates_json, run_json, run_line};
use crate::model::OutcomeCode;
use crate::ui::count;

/// For people: what all shards come to, and a line for each.
pub(super) fn text(ledger: &ShardedLedger, together: &Together) -> String {
    let mut text = format!("Ledgers of {} shards\n", ledger.parts().len());
    // Writing into a string can't fail.
    if let Some(target) = ledger.target() {
        let _ = writeln!(text, "  belong to {target}");
    }
    for line in at_work(ledger) {
        let _ = writeln!(text, "  {line}, so that these figures still change");
    }
    let run = &together.run;
    let _ = writeln!(text, "\nLatest runs together: {} lines of {}", run.lines, run.manifest);
    text.push_str(&outcome_lines(&together.outcomes));
    text.push_str("\nShards, each with its latest run:\n");
    for (part, outcomes) in ledger.parts().iter().zip(&together.of_shards) {
        let is_failed = |(code, _): &(OutcomeCode, u64)| part.run.kind.is_failure(*code);
        let failed: u64 = outcomes.iter().filter(is_failed).map(|(_, lines)| lines).sum();
        let failed = if failed > 0 { format!("; {} failed", count(failed)) } else { String::new() };
        let (shard, path) = (part.shard.to_string(), part.ledger.path().display());
        let run = run_line(&part.run);
        let _ = writeln!(text, "{shard:>9}  run {}{failed}  ({path})", run.trim_start());
    }
    text
}

/// For programs: the fields of one ledger's status, filled with what all shards come to, and the status of each.
pub(super) fn json(ledger: &ShardedLedger, together: &Together) -> Result<Value, LedgerError> {
    let shards = ledger.parts().iter().map(|part| Ok(Standing::of(&part.ledger)?.json()));
    let shards = shards.collect::<Result<Vec<_>, LedgerError>>()?;
    let at_work = at_work(ledger);
    Ok(json!({
        "schema": 1,
        "ledger": null,
        "shard": null,
        "target": ledger.target().map(ToString::to_string),
        "running": (!at_work.is_empty()).then(|| at_work.join("; ")),
        "learnedRates": rates_json(&learned(ledger)?),
        "outcomes": together.outcomes.by_name(),
        "runs": [run_json_of_all(together)],
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
