//! What a page tells of the run itself.

use super::wording::{average, count, counted, duration, instant, visible};
use crate::checkpoint::{HostTotals, RunKind, RunRecord};
use crate::model::Service;
use crate::report::facts::RunFacts;

/// The longest name shown of a manifest, in characters.
const LONGEST_NAME: usize = 200;

/// A fact and what it is called.
#[derive(Debug)]
pub(super) struct Fact {
    pub(super) name: String,
    pub(super) value: String,
}

/// The run's title in the browser and above the sentence.
pub(super) fn title(facts: &RunFacts) -> String {
    let Some(run) = &facts.run else { return "Results".to_owned() };
    let kind = match run.kind {
        RunKind::Run => "Run",
        RunKind::Repair => "Repair",
        RunKind::Detach => "Detach, run",
    };
    let whose = match (facts.shards, facts.shard) {
        (Some(shards), _) => format!(", all {shards} shards"),
        (None, Some(shard)) => format!(", shard {shard}"),
        (None, None) => String::new(),
    };
    format!("{kind} {}{whose} · {}", run.run, visible(&run.manifest, LONGEST_NAME))
}

/// Why the run ended before its rows did, or that it hasn't ended, and how to go on; `None` where it ended by itself.
pub(super) fn cut_short(facts: &RunFacts) -> Option<(String, &'static str)> {
    let run = facts.run.as_ref()?;
    let goes_on = "Run the same command again: it goes on from here; nothing is done twice.";
    match run.ending.as_deref() {
        Some("finished") => None,
        Some(ending) => {
            let shown = visible(ending.trim_end_matches('.'), 500);
            // Whoever ended it has nothing to mend.
            Some(match shown.strip_prefix("stopped by ") {
                Some(signal) => (format!("Stopped by {signal}."), goes_on),
                None if shown.starts_with("the run has taken ") => {
                    (format!("Stopped early: {shown}."), goes_on)
                }
                None => (
                    format!("Stopped early: {shown}."),
                    "When that is mended, run the same command again: it goes on from here; nothing is done twice.",
                ),
            })
        }
        None if facts.shards.is_some() => {
            Some(("Not every shard has ended: this is how things stand.".to_owned(), goes_on))
        }
        None => Some(("This run hasn't ended, or was killed: this is how things stand.".to_owned(), goes_on)),
    }
}

/// The facts, in the order in which they are shown.
pub(super) fn facts_shown(facts: &RunFacts) -> Vec<Fact> {
    let Some(run) = &facts.run else { return Vec::new() };
    let fact = |name: &str, value: String| Some(Fact { name: name.to_owned(), value });
    let took = run.ended_at.and_then(|ended| ended.elapsed_since(run.started_at));
    let ended = match (&run.ending, run.exit_code) {
        (Some(_), Some(code)) => Some(format!("exit code {code}")),
        _ => None,
    };
    let work = if facts.shards.is_some() { None } else { Some(run) };
    let mut shown: Vec<Fact> = [
        fact("Began", format!("{} UTC", instant(run.started_at))),
        took.and_then(|took| fact("Took", duration(took))),
        ended.and_then(|ended| fact("Ended with", ended)),
        fact("Work", work.map_or_else(|| counted(run.to_do, "row"), work_of)),
    ]
    .into_iter()
    .flatten()
    .collect();
    for (place, service) in Service::ALL.into_iter().enumerate() {
        let totals = run.hosts.get(&service.as_str().to_lowercase()).copied().unwrap_or_default();
        if run.kind == RunKind::Detach && service == Service::Stara {
            continue;
        }
        let origin = facts.origins.as_ref().map(|origins| origins[place].clone());
        shown.push(Fact { name: service.as_str().to_owned(), value: host(origin, totals, took) });
    }
    shown
}

fn work_of(run: &RunRecord) -> String {
    match run.lines.saturating_sub(run.to_do) {
        0 => counted(run.to_do, "row"),
        rest => format!("{}; {} needed none", counted(run.to_do, "row"), count(rest)),
    }
}

fn host(origin: Option<String>, totals: HostTotals, took: Option<std::time::Duration>) -> String {
    let requests = match took.and_then(|took| average(totals.requests, took)) {
        Some(average) => format!("{}, {average} on average", counted(totals.requests, "request")),
        None => counted(totals.requests, "request"),
    };
    let throttled = (totals.throttled > 0).then(|| format!("{} throttled", count(totals.throttled)));
    let unanswered = (totals.unanswered > 0).then(|| format!("{} unanswered", count(totals.unanswered)));
    let origin = origin.filter(|origin| !origin.is_empty()).map(|origin| visible(&origin, LONGEST_NAME));
    [Some(requests), throttled, unanswered, origin].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// What the ledger calls a host that answers on this machine.
const THIS_MACHINE: &str = "this machine";

/// Whether both services were on this machine, as in every rehearsal.
pub(super) fn is_rehearsal(facts: &RunFacts) -> bool {
    facts.origins.as_ref().is_some_and(|origins| origins.iter().all(|origin| origin == THIS_MACHINE))
}
