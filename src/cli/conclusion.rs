//! The end of a run: counts, records, reports, sums up, and says with which code to exit.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::exit_code::ExitCode;
use super::failure::Failure;
use super::invocation;
use super::last_report::{self, Reported};
use super::links::{LinkFile, LinksEnded};
use super::reports::ReportTarget;
use super::run::{internal, tell};
use super::scheduler::Job;
use super::signals::Signalled;
use crate::checkpoint::{HostTotals, LedgerError, OutcomeCounts, Rejected, RunEnd, RunKind, RunLock};
use crate::model::{NextRun, OutcomeCode, Service};
use crate::pipeline::journey::RowChange;
use crate::pipeline::{RunResult, Stop, StopCause};
use crate::settings::StateFlags;
use crate::ui::{HostUse, Rehearsed, Summary};

/// A run whose rows have ended.
pub(super) struct Ended {
    pub(super) result: RunResult,
    pub(super) run: i64,
    pub(super) lines: u64,
    pub(super) vanished: u64,
    pub(super) origins: [String; 2],
    pub(super) duration: Duration,
    pub(super) stop: Stop,
    pub(super) signalled: Signalled,
    pub(super) lock: RunLock,
}

/// What the end of a run must know of how it was called.
pub(super) struct Telling<'a> {
    /// What kind of run it was.
    pub(super) kind: RunKind,
    /// How much is said of it.
    pub(super) aloud: Aloud,
    /// The ledger that was named, and the shard.
    pub(super) state: &'a StateFlags,
    /// Whether the services are simulated ones.
    pub(super) is_rehearsal: bool,
    /// What is to be told of a rehearsal.
    pub(super) rehearsed: Option<Rehearsed>,
    /// The call that it belongs to.
    pub(super) job: &'a Job<'a>,
    /// Where magic links go, where they were asked for.
    pub(super) links: Option<&'a LinkFile>,
}

/// How much is said of the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aloud {
    /// The whole summary.
    Summary,
    /// A line, where somebody is needed.
    LineIfNeeded,
    /// Nothing: somebody else tells of it.
    Nothing,
}

impl Aloud {
    /// What `--quiet` asks for.
    pub(super) const fn unless(is_quiet: bool) -> Self {
        if is_quiet { Self::LineIfNeeded } else { Self::Summary }
    }
}

impl Ended {
    /// Counts, records, reports and sums up.
    pub(super) async fn conclude(
        &self,
        telling: &Telling<'_>,
        targets: Arc<[ReportTarget]>,
    ) -> Result<ExitCode, Failure> {
        let ledger = &self.result.ledger;
        let stopped = self.result.stopped.clone();
        if let Some(StopCause::LedgerUnwritable { reason }) = stopped {
            return Err(Failure::new(
                ExitCode::StateUnwritable,
                anyhow::anyhow!(reason),
                "nothing was claimed that isn't in the ledger; make room or mend the permissions, then run the same \
                 command again",
            ));
        }
        let outcomes = ledger.count_outcomes(self.run)?;
        telling.job.note_run(self.run, &outcomes);
        telling.job.note_throttled(|service| self.host(service));
        // A run whose time was over just as its last rows ended is none that is to be resumed.
        let stopped = stopped.filter(|cause| {
            !matches!(cause, StopCause::DurationReached { .. }) || is_something_left(&outcomes)
        });
        let (made, whose) = (self.result.links.as_ref(), Rejected::InRun(self.run));
        let linked =
            telling.links.map(|file| LinksEnded::new(file, &[(ledger, whose)], made, stopped.as_ref()));
        let linked = linked.transpose();
        let record = ledger.latest_run()?.ok_or_else(|| internal("the run isn't in its ledger"))?;
        let path = ledger.path().to_owned();
        let reported =
            last_report::write(path, record, Arc::clone(&targets), &self.signalled, last_report::PATIENCE)
                .await;
        // A signal that cost the report stopped the run, though its rows had ended.
        let stopped = if matches!(reported, Ok(Reported::GivenUp)) { self.stop.cause() } else { stopped };
        let ending = stopped.as_ref().map_or_else(|| "finished".to_owned(), ToString::to_string);
        let code =
            match (exit_code(telling.kind, stopped.as_ref(), &outcomes, self.lines), &reported, &linked) {
                (ExitCode::Internal, ..) => ExitCode::Internal,
                (_, Err(failure), _) | (_, _, Err(failure)) => failure.code,
                (code, Ok(_), Ok(linked)) => linked.as_ref().map_or(code, |linked| linked.code(code)),
            };
        let end = RunEnd {
            exit_code: code.number(),
            ending,
            outcomes: outcomes.clone(),
            hosts: self.result.hosts.clone(),
        };
        ledger.end_run(self.run, &end)?;
        tracing::info!(run = self.run, exit_code = code.number(), ending = end.ending, "run ended");
        let paths = || targets.iter().map(|target| target.path.as_path());
        let mut summary = self.summary(telling.kind, &outcomes, stopped.as_ref())?;
        // Half a rehearsal foretells nothing.
        summary.rehearsed = telling.rehearsed.clone().filter(|_| stopped.is_none());
        match reported {
            Ok(Reported::Written) => summary.reports = paths().map(Path::to_owned).collect(),
            Ok(Reported::GivenUp) => {
                summary.report_command =
                    Some(invocation::report_command(paths(), telling.state, telling.is_rehearsal));
            }
            Err(_) => {}
        }
        if let Ok(Some(linked)) = &linked {
            summary.links = linked.lines();
            if linked.is_incomplete() {
                summary.resume = Some(invocation::command_line());
            }
        }
        let line = summary.render_line(code.number());
        match telling.aloud {
            Aloud::Summary => tell(&summary.render()),
            Aloud::LineIfNeeded if code != ExitCode::Done => tell(&line),
            Aloud::LineIfNeeded | Aloud::Nothing => {}
        }
        telling.job.log(&line);
        if outcomes.total() != self.lines {
            let (lines, total) = (self.lines, outcomes.total());
            let error = anyhow::anyhow!("the manifest has {lines} lines, but {total} have an outcome");
            return Err(Failure::new(
                code,
                error,
                "report it; the ledger is true, and the same command resumes",
            ));
        }
        reported.and(linked).map(|_| code)
    }

    /// What a host was asked.
    fn host(&self, service: Service) -> HostTotals {
        self.result.hosts.get(&service.as_str().to_lowercase()).copied().unwrap_or_default()
    }

    fn summary(
        &self,
        kind: RunKind,
        outcomes: &OutcomeCounts,
        stopped: Option<&StopCause>,
    ) -> Result<Summary, LedgerError> {
        let ledger = &self.result.ledger;
        let changed = |change: RowChange| ledger.count_ended(self.run, change.note());
        let host = |service: Service, origin: &String| {
            let HostTotals { requests, throttled, .. } = self.host(service);
            HostUse { service, origin: origin.clone(), requests, throttled }
        };
        Ok(Summary {
            run: self.run,
            shards: None,
            part: ledger.shard().zip(ledger.latest_run()?.and_then(|run| run.manifest_lines)),
            kind,
            lines: self.lines,
            outcomes: outcomes.iter().collect(),
            done_before: outcomes.earlier,
            changed_passwords: changed(RowChange::Password)?,
            changed_logins: changed(RowChange::Login)?,
            vanished: self.vanished,
            hosts: Service::ALL
                .iter()
                .zip(&self.origins)
                .filter(|(service, _)| kind != RunKind::Detach || **service == Service::Leaf)
                .map(|(service, origin)| host(*service, origin))
                .collect(),
            duration: self.duration,
            rehearsed: None,
            stopped: stopped.map(ToString::to_string),
            links: Vec::new(),
            reports: Vec::new(),
            report_command: None,
            resume: match stopped {
                // The rows that heard it wait for somebody who says that it is mended.
                Some(StopCause::Forbidden { .. }) if kind == RunKind::Run => {
                    Some(invocation::command_line_with("--retry-failed"))
                }
                _ => is_something_left(outcomes).then(invocation::command_line),
            },
            is_to_be_mended: stopped.is_some_and(is_to_be_mended),
        })
    }
}

/// Whether the run stopped for something that doesn't go away by itself.
const fn is_to_be_mended(stopped: &StopCause) -> bool {
    matches!(
        stopped,
        StopCause::TooManyFailures { .. }
            | StopCause::TokenRefused { .. }
            | StopCause::Redirected { .. }
            | StopCause::Forbidden { .. }
    )
}

/// Whether the same command would do something for some row.
fn is_something_left(outcomes: &OutcomeCounts) -> bool {
    let again = |code: OutcomeCode| matches!(code.next_run(), NextRun::TriesAgain | NextRun::LooksAgain);
    OutcomeCode::ALL.iter().any(|code| again(*code) && outcomes.selected(*code) > 0)
}

/// How a run ends, in the order of precedence: 1, 8, signal, 7, 4, 5, 3.
fn exit_code(kind: RunKind, stopped: Option<&StopCause>, outcomes: &OutcomeCounts, lines: u64) -> ExitCode {
    if outcomes.total() != lines {
        return ExitCode::Internal;
    }
    if let Some(cause) = stopped {
        return code_of_stop(cause);
    }
    // A row that the run should have tried and didn't come to counts as well, for whatever reason.
    let failed = |code: OutcomeCode| kind.is_failure(code) || code == OutcomeCode::NotReached;
    let any_failed = OutcomeCode::ALL.iter().any(|code| failed(*code) && outcomes.selected(*code) > 0);
    if any_failed { ExitCode::RowsFailed } else { ExitCode::Done }
}

/// How a verb ends that was stopped before its end.
pub(super) fn code_of_stop(cause: &StopCause) -> ExitCode {
    match cause {
        StopCause::LedgerUnwritable { .. } => ExitCode::StateUnwritable,
        StopCause::Signal(signal) => (*signal).into(),
        StopCause::TokenRefused { .. } | StopCause::Redirected { .. } | StopCause::Forbidden { .. } => {
            ExitCode::Refused
        }
        StopCause::TooManyFailures { .. } => ExitCode::TooManyFailures,
        StopCause::HeldTooLong { .. }
        | StopCause::HostDown { .. }
        | StopCause::DurationReached { .. }
        | StopCause::NoToken { .. }
        | StopCause::ManifestUnreadable { .. }
        | StopCause::ManifestChanged { .. } => ExitCode::Incomplete,
    }
}
