//! What a monitoring system wants to know of the last call of a verb, as a file of metrics.
//!
//! All of them are gauges about the last call: a process that ends after each night has no counter that goes on rising.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use super::exposition::{Exposition, head};
use super::replace::Replacement;
use crate::checkpoint::{AuditCounts, OutcomeCounts};
use crate::model::{Finding, OutcomeCode, Service, Shard, UnixMillis};

/// The family that is carried over from one file to the next.
const SUCCESS: &str = "stara_onboard_success_timestamp_seconds";

/// The most of an older file that is read, in bytes. One has a few kilobytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Requests of one service by the name of their call and the status of their answer.
pub type CallsOfService = (Service, BTreeMap<(&'static str, Option<u16>), u64>);

/// What is known of one call of a verb.
#[derive(Debug)]
pub struct Metrics<'a> {
    /// The verb: `run`, `audit`, `detach`.
    pub verb: &'a str,
    /// Which shard it was about, where it was about one.
    pub shard: Option<Shard>,
    /// What it was about: a manifest's name, or other words.
    pub subject: &'a str,
    /// The ledger's path.
    pub ledger: &'a str,
    /// Whether it was only rehearsed.
    pub is_rehearsal: bool,
    /// The run's number, where there was one.
    pub run: Option<i64>,
    /// When the process began.
    pub started: UnixMillis,
    /// When it ended.
    pub ended: UnixMillis,
    /// How long it took, by a clock that never jumps.
    pub duration: Duration,
    /// When such a call last succeeded; `None` if never.
    pub succeeded: Option<UnixMillis>,
    /// The true exit code.
    pub exit_code: u8,
    /// The manifest's lines by outcome, where they were counted.
    pub rows: Option<&'a OutcomeCounts>,
    /// Users whom the ledger knows to hold a credential and whom no line names, where they were counted.
    pub vanished: Option<u64>,
    /// Users by what an audit found, where there was one.
    pub users: Option<&'a AuditCounts>,
    /// What each service was asked.
    pub calls: &'a [CallsOfService],
    /// How often each service asked us to slow down, where that is known.
    pub throttled: &'a [(Service, u64)],
}

impl Metrics<'_> {
    /// The file's text.
    #[must_use]
    pub fn render(&self) -> String {
        let shard = self.shard.map(|shard| shard.to_string());
        let mut page = Exposition::about(&of_call(self.verb, shard.as_deref()));
        page.gauge("stara_onboard_info", "What the last call was about; always 1.");
        let version = env!("CARGO_PKG_VERSION");
        let (manifest, ledger) = (("manifest", self.subject), ("ledger", self.ledger));
        let rehearsal = ("rehearsal", if self.is_rehearsal { "true" } else { "false" });
        page.sample(&[manifest, ledger, rehearsal, ("version", version)], 1);
        page.gauge("stara_onboard_exit_code", "The exit code, before --exit-zero-on.");
        page.sample(&[], self.exit_code);
        if let Some(run) = self.run {
            page.gauge("stara_onboard_run_number", "The run's number in its ledger.");
            page.sample(&[], run);
        }
        page.gauge("stara_onboard_start_timestamp_seconds", "When the last call began.");
        page.sample(&[], seconds(self.started));
        page.gauge("stara_onboard_end_timestamp_seconds", "When the last call ended.");
        page.sample(&[], seconds(self.ended));
        page.gauge(SUCCESS, "When a call last ended with 0, or a code of --exit-zero-on; 0 if never.");
        page.sample(&[], self.succeeded.map_or(0.0, seconds));
        page.gauge("stara_onboard_duration_seconds", "How long the last call took.");
        page.sample(&[], self.duration.as_secs_f64());
        self.rows(&mut page);
        if let Some(users) = self.vanished {
            page.gauge(
                "stara_onboard_vanished_users",
                "Users of the ledger with a credential whom the manifest doesn't name.",
            );
            page.sample(&[], users);
        }
        self.users(&mut page);
        self.requests(&mut page);
        page.into_text()
    }

    fn rows(&self, page: &mut Exposition) {
        let Some(rows) = self.rows else { return };
        page.gauge("stara_onboard_rows", "Lines of the manifest by outcome, as in the report.");
        for code in OutcomeCode::ALL {
            page.sample(&[("outcome", code.as_str())], rows.of(*code));
        }
        page.gauge(
            "stara_onboard_rows_decided_earlier",
            "Those of the lines that an earlier run had decided.",
        );
        page.sample(&[], rows.earlier);
    }

    fn users(&self, page: &mut Exposition) {
        let Some(counts) = self.users else { return };
        page.gauge("stara_onboard_users", "Users by what the audit found.");
        let found = Finding::ALL.map(|finding| (finding.as_str(), counts.of(finding)));
        let others = [
            ("healthy", counts.healthy),
            ("notAttached", counts.not_attached),
            ("unsettled", counts.unsettled),
            ("unseen", counts.unseen),
        ];
        for (finding, users) in found.into_iter().chain(others) {
            page.sample(&[("finding", finding)], users);
        }
    }

    fn requests(&self, page: &mut Exposition) {
        page.gauge(
            "stara_onboard_requests",
            "Requests by service, call and status of the answer; status none where no answer came.",
        );
        for (service, calls) in self.calls {
            for ((call, status), requests) in calls {
                let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
                let of = [("service", name(*service)), ("call", call), ("status", &status)];
                page.sample(&of, requests);
            }
        }
        if !self.throttled.is_empty() {
            page.gauge(
                "stara_onboard_throttled_requests",
                "Requests that were answered by asking us to slow down.",
            );
        }
        for (service, requests) in self.throttled {
            page.sample(&[("service", name(*service))], requests);
        }
    }
}

const fn name(service: Service) -> &'static str {
    match service {
        Service::Stara => "stara",
        Service::Leaf => "leaf",
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of this age have 41 bits")]
fn seconds(at: UnixMillis) -> f64 {
    at.0 as f64 / 1_000.0
}

/// What tells the samples of one call from those of others that are collected with them.
fn of_call<'a>(verb: &'a str, shard: Option<&'a str>) -> Vec<(&'static str, &'a str)> {
    [("verb", verb)].into_iter().chain(shard.map(|shard| ("shard", shard))).collect()
}

/// When a call of `verb` about this shard, or about whole manifests, last succeeded, by the metrics that stand at `path`;
/// `None` where they don't tell.
#[must_use]
pub fn last_success(path: &Path, verb: &str, shard: Option<Shard>) -> Option<UnixMillis> {
    let mut text = String::new();
    let file = std::fs::File::open(path).ok()?;
    io::Read::read_to_string(&mut io::Read::take(file, LARGEST_FILE), &mut text).ok()?;
    let shard = shard.map(|shard| shard.to_string());
    let sample = format!("{SUCCESS}{{{}}} ", head(&of_call(verb, shard.as_deref())));
    let value = text.lines().find_map(|line| line.strip_prefix(&sample))?;
    let millis = (value.parse::<f64>().ok()? * 1_000.0).round();
    // Beyond it nobody knows a clock, and whoever wrote it wasn't us.
    #[expect(clippy::cast_possible_truncation, reason = "checked to lie between two integers")]
    (1.0..1e15).contains(&millis).then_some(UnixMillis(millis as i64))
}

/// Writes metrics to `path`, which everybody may read: they hold no secret, and whoever collects them is somebody else.
/// They take the place of what stood there as a whole or not at all; a symbolic link is replaced, not followed.
///
/// # Errors
///
/// When the file can't be written. What stood at `path` is untouched then, but for the flush of its folder.
pub fn write_metrics(path: &Path, metrics: &str) -> io::Result<()> {
    let replacement = Replacement::new(path)?;
    replacement.file().write_all(metrics.as_bytes())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        replacement.file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    replacement.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(succeeded: Option<UnixMillis>) -> Metrics<'static> {
        Metrics {
            verb: "run",
            shard: None,
            subject: "growers.csv",
            ledger: "state/ledger.db",
            is_rehearsal: false,
            run: None,
            started: UnixMillis(1_795_269_800_125),
            ended: UnixMillis(1_795_269_860_000),
            duration: Duration::from_millis(59_875),
            succeeded,
            exit_code: 2,
            rows: None,
            vanished: None,
            users: None,
            calls: &[],
            throttled: &[],
        }
    }

    #[test]
    fn the_last_success_is_found_again_to_the_millisecond() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("night.prom");
        assert_eq!(last_success(&path, "run", None), None);
        for succeeded in [None, Some(UnixMillis(1_795_269_800_125)), Some(UnixMillis(1))] {
            write_metrics(&path, &metrics(succeeded).render()).unwrap();
            assert_eq!(last_success(&path, "run", None), succeeded);
            assert_eq!(last_success(&path, "audit", None), None, "that of another verb is another one's");
        }
        let shard: Shard = "3/8".parse().unwrap();
        let of_shard = Metrics { shard: Some(shard), ..metrics(Some(UnixMillis(7))) };
        write_metrics(&path, &of_shard.render()).unwrap();
        assert_eq!(last_success(&path, "run", Some(shard)), Some(UnixMillis(7)));
        assert_eq!(last_success(&path, "run", None), None, "that of a shard is its own");
        for damaged in ["", "NaN", "-1", "1e300", "yesterday"] {
            std::fs::write(&path, format!("{SUCCESS}{{verb=\"run\"}} {damaged}\n")).unwrap();
            assert_eq!(last_success(&path, "run", None), None, "{damaged}");
        }
    }
}
