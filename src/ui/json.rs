//! JSON lines, for programs. `docs/PROGRESS.md` describes them; a test compares the two.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use serde::Serialize;

use super::notes::{End, Note};
use super::output::Output;
use super::show::{HostView, Show, View};
use crate::manifest::{LintReport, LintSeverity};
use crate::model::Service;
use crate::pipeline::{HoldReason, HostPlan};

/// The version of the schema. It is raised when a field changes its meaning or goes, not when one is added.
const SCHEMA: u8 = 1;

/// The time from one `staging` or `progress` to the next, unless asked otherwise.
const INTERVAL: Duration = Duration::from_secs(10);

/// One object a line.
pub(super) struct Json<W> {
    output: Output<W>,
    interval: Duration,
}

impl<W: Write> Json<W> {
    /// Writes to `writer`, which is stdout but in tests, and says how far the run is every ten seconds.
    pub(super) fn new(writer: W) -> Self {
        Self::every(INTERVAL, writer)
    }

    /// Says how far the run is at another interval.
    pub(super) fn every(interval: Duration, writer: W) -> Self {
        Self { output: Output::new(writer), interval }
    }

    fn line(&mut self, view: &View<'_>, body: Body<'_>) {
        let message = Message {
            name: body.name(),
            schema: SCHEMA,
            elapsed_ms: u64::try_from(view.elapsed.as_millis()).unwrap_or(u64::MAX),
            body,
        };
        // Every key is a string and every number finite, so this can't fail.
        if let Ok(line) = serde_json::to_string(&message) {
            self.output.line(&line);
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    #[serde(rename = "type")]
    name: &'static str,
    schema: u8,
    elapsed_ms: u64,
    #[serde(flatten)]
    body: Body<'a>,
}

#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Body<'a> {
    Staging {
        lines: u64,
        bytes: u64,
        total_bytes: Option<u64>,
    },
    Linted {
        errors: u64,
        warnings: u64,
        notes: u64,
        kinds: BTreeMap<&'static str, u64>,
    },
    Started {
        shard: Option<String>,
        lines: u64,
        to_do: u64,
        done_before: u64,
        concurrency: usize,
        expected_seconds: Option<f64>,
        stara: Target<'a>,
        leaf: Target<'a>,
    },
    Looking {
        by: &'static str,
        list_pages: Option<u64>,
        users: u64,
    },
    Progress {
        rows: Rows,
        stara: Traffic,
        leaf: Traffic,
        left_seconds: Option<f64>,
    },
    Held {
        service: &'static str,
        reason: &'static str,
        status: Option<u16>,
        wait_seconds: f64,
    },
    Draining {
        reason: &'a str,
    },
    Links {
        users: u64,
    },
    Row {
        line: u64,
        leaf_user_id: String,
        outcome: &'static str,
        stage: &'static str,
    },
    Ended {
        rows: Rows,
        outcomes: BTreeMap<&'static str, u64>,
        stara: Traffic,
        leaf: Traffic,
        rows_left_out: u64,
    },
}

impl Body<'_> {
    const fn name(&self) -> &'static str {
        match self {
            Self::Staging { .. } => "staging",
            Self::Linted { .. } => "linted",
            Self::Started { .. } => "started",
            Self::Looking { .. } => "looking",
            Self::Progress { .. } => "progress",
            Self::Held { .. } => "held",
            Self::Draining { .. } => "draining",
            Self::Links { .. } => "links",
            Self::Row { .. } => "row",
            Self::Ended { .. } => "ended",
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Target<'a> {
    origin: &'a str,
    rate: &'a str,
    quota_per_second: Option<f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rows {
    to_do: u64,
    finished: u64,
    failed: u64,
    parked: u64,
    per_second: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Traffic {
    requests: u64,
    unanswered: u64,
    throttled: u64,
    per_second: f64,
    quota_per_second: Option<f64>,
    held_seconds: Option<f64>,
}

impl<'a> Target<'a> {
    fn of(plan: &'a HostPlan) -> Self {
        Self { origin: &plan.origin, rate: &plan.rate, quota_per_second: plan.per_second }
    }
}

impl Rows {
    fn of(view: &View<'_>) -> Self {
        Self {
            to_do: view.plan.map_or(0, |plan| plan.to_do),
            finished: view.totals.finished(),
            failed: view.totals.failed(),
            parked: view.totals.parked,
            per_second: thousandths(view.rows_per_second),
        }
    }
}

impl Traffic {
    fn of(host: &HostView<'_>) -> Self {
        Self {
            requests: host.totals.requests,
            unanswered: host.totals.unanswered,
            throttled: host.totals.throttled,
            per_second: thousandths(host.per_second),
            quota_per_second: host.allowed.map(thousandths),
            held_seconds: host.held_for().map(seconds),
        }
    }
}

impl<W: Write + Send> Show for Json<W> {
    fn interval(&self) -> Duration {
        self.interval
    }

    fn tells_rows(&self) -> bool {
        true
    }

    fn tell(&mut self, note: &Note, view: &View<'_>) {
        let body = match note {
            Note::StagingStarted(_) => staging(view),
            Note::Linted(report) => linted(report),
            Note::Started(plan) => Body::Started {
                shard: plan.shard.map(|shard| shard.to_string()),
                lines: plan.lines,
                to_do: plan.to_do,
                done_before: plan.done_before,
                concurrency: plan.concurrency,
                expected_seconds: plan.expected.map(seconds),
                stara: Target::of(&plan.stara),
                leaf: Target::of(&plan.leaf),
            },
            Note::LookChosen { list, pages, users } => {
                Body::Looking { by: if *list { "list" } else { "user" }, list_pages: *pages, users: *users }
            }
            Note::Held { service, wait, reason } => Body::Held {
                service: match service {
                    Service::Stara => "stara",
                    Service::Leaf => "leaf",
                },
                reason: match reason {
                    HoldReason::Throttled { .. } => "throttled",
                    HoldReason::Down { .. } => "down",
                },
                status: match reason {
                    HoldReason::Throttled { status } => Some(*status),
                    HoldReason::Down { .. } => None,
                },
                wait_seconds: seconds(*wait),
            },
            Note::Draining(reason) => Body::Draining { reason },
            Note::LinksBegun(users) => Body::Links { users: *users },
            Note::RowFailed { line, leaf_user_id, code, stage } => Body::Row {
                line: *line,
                leaf_user_id: leaf_user_id.to_string(),
                outcome: code.as_str(),
                stage: stage.as_str(),
            },
        };
        self.line(view, body);
    }

    fn tick(&mut self, view: &View<'_>) {
        let body = if view.plan.is_none() {
            staging(view)
        } else {
            Body::Progress {
                rows: Rows::of(view),
                stara: Traffic::of(&view.stara),
                leaf: Traffic::of(&view.leaf),
                left_seconds: view.time_left().map(seconds),
            }
        };
        self.line(view, body);
    }

    fn end(&mut self, end: End, view: &View<'_>) {
        if end == End::Ended {
            let outcomes = view.totals.outcomes().map(|(code, rows)| (code.as_str(), rows));
            let body = Body::Ended {
                rows: Rows::of(view),
                outcomes: outcomes.collect(),
                stara: Traffic::of(&view.stara),
                leaf: Traffic::of(&view.leaf),
                rows_left_out: view.rows_left_out,
            };
            self.line(view, body);
        }
    }
}

fn linted(report: &LintReport) -> Body<'static> {
    Body::Linted {
        errors: report.count_of(LintSeverity::Error),
        warnings: report.count_of(LintSeverity::Warning),
        notes: report.count_of(LintSeverity::Note),
        kinds: report.counts.iter().map(|count| (count.kind.as_str(), count.count)).collect(),
    }
}

fn staging(view: &View<'_>) -> Body<'static> {
    Body::Staging {
        lines: view.totals.staged_lines,
        bytes: view.totals.staged_bytes,
        total_bytes: view.manifest_bytes,
    }
}

fn seconds(span: Duration) -> f64 {
    thousandths(span.as_secs_f64())
}

/// Three digits behind the point are all that is meant.
fn thousandths(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Event;
    use crate::ui::rehearsal::{Rehearsal, script};

    const DOCUMENT: &str = include_str!("../../docs/PROGRESS.md");

    /// A whole run, as a program would read it.
    fn transcript() -> String {
        let mut rehearsal = Rehearsal::of(Json::new(Vec::new()));
        rehearsal.play(&script());
        String::from_utf8(rehearsal.show.output.into_inner()).unwrap()
    }

    fn keys(value: &serde_json::Value, found: &mut Vec<String>) {
        if let Some(object) = value.as_object() {
            for (key, value) in object {
                found.push(key.clone());
                if key != "outcomes" && key != "kinds" {
                    keys(value, found);
                }
            }
        }
    }

    #[test]
    fn the_document_shows_a_run_to_the_byte() {
        let transcript = transcript();
        assert!(DOCUMENT.contains(&transcript), "docs/PROGRESS.md should show:\n{transcript}");
    }

    #[test]
    fn the_making_of_magic_links_is_told_as_it_is_documented() {
        let mut rehearsal = Rehearsal::of(Json::new(Vec::new()));
        rehearsal.play(&[(26_100, Event::LinksBegun { users: 50 })]);
        let text = String::from_utf8(rehearsal.show.output.into_inner()).unwrap();
        let line = "{\"type\":\"links\",\"schema\":1,\"elapsedMs\":26100,\"users\":50}\n";
        assert!(text.ends_with(line), "{text}");
        assert!(DOCUMENT.contains(line), "docs/PROGRESS.md should show {line}");
    }

    #[test]
    fn every_field_is_documented_and_every_line_has_type_and_schema() {
        let mut types = Vec::new();
        for line in transcript().lines() {
            let message: serde_json::Value = serde_json::from_str(line).unwrap();
            types.push(message["type"].as_str().unwrap().to_owned());
            assert_eq!(message["schema"], SCHEMA);
            assert!(message["elapsedMs"].is_u64(), "{line}");
            let mut found = Vec::new();
            keys(&message, &mut found);
            for key in found {
                assert!(DOCUMENT.contains(&format!("`{key}`")), "`{key}` isn't documented");
            }
        }
        assert_eq!(
            types,
            [
                "staging", "staging", "linted", "started", "looking", "held", "row", "progress", "draining",
                "ended"
            ]
        );
        for name in types {
            assert!(DOCUMENT.contains(&format!("## `{name}`")), "`{name}` has no section");
        }
    }
}
