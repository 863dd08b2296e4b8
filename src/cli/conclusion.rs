//! The end of a run: counts, records, reports, sums up, and says with which code to exit.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::exit_code::ExitCode;
use super::failure::Failure;
use super::invocation;
use super::last_report::{self, Reported};
use super::links::{LinkFile, LinksEnded};
use super::news::News;
use super::reports::ReportTarget;
use super::run::{internal, tell};
use super::scheduler::Job;
use super::signals::Signalled;
use crate::checkpoint::{
    HostTotals, LedgerError, OutcomeCounts, Rejected, RunEnd, RunKind, RunLock, RunRecord,
};
use crate::model::{OutcomeCode, Service, UnixMillis};
pub(super) use crate::onboarding::code_of_stop;
use crate::onboarding::{ending_of, exit_code, is_something_left, outlasts};
use crate::pipeline::journey::RowChange;
use crate::pipeline::{RunResult, Stop, StopCause};
use crate::settings::StateFlags;
use crate::ui::{HostUse, Rehearsed, Summary, text_columns};

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
        if telling.kind != RunKind::Detach {
            telling.job.note_vanished(self.vanished);
        }
        telling.job.note_throttled(|service| self.host(service));
        // A run whose time was over just as its last rows ended is none that is to be resumed.
        let stopped = stopped.filter(|cause| outlasts(cause, &outcomes));
        let (made, whose) = (self.result.links.as_ref(), Rejected::InRun(self.run));
        let linked =
            telling.links.map(|file| LinksEnded::new(file, &[(ledger, whose)], made, stopped.as_ref()));
        let linked = linked.transpose();
        let record = RunRecord {
            // What is about to be recorded: a page that is made again later tells the same.
            ended_at: Some(UnixMillis::now()),
            exit_code: Some(exit_code(telling.kind, stopped.as_ref(), &outcomes, self.lines).number()),
            ending: Some(ending_of(stopped.as_ref())),
            hosts: self.result.hosts.clone(),
            ..ledger.latest_run()?.ok_or_else(|| internal("the run isn't in its ledger"))?
        };
        let path = ledger.path().to_owned();
        let reporting =
            last_report::write(path, record, Arc::clone(&targets), &self.signalled, last_report::PATIENCE);
        // Both read the ledger from end to end; the report does so on a thread of its own.
        let (reported, changed) = futures::join!(reporting, async { self.count_changed() });
        // A signal that cost the report stopped the run, though its rows had ended.
        let stopped = if matches!(reported, Ok(Reported::GivenUp)) { self.stop.cause() } else { stopped };
        let ending = ending_of(stopped.as_ref());
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
        let mut summary = self.summary(telling.kind, &outcomes, changed?, stopped.as_ref())?;
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
        let has_new_links =
            linked.as_ref().is_ok_and(|linked| linked.as_ref().is_some_and(LinksEnded::has_new));
        let news = News { kind: telling.kind, run: self.run, code, vanished: self.vanished, has_new_links };
        self.tell(telling, (&summary, &line), &outcomes, &news, stopped.as_ref())?;
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

    /// Says how it ended, as loudly as is wanted.
    fn tell(
        &self,
        telling: &Telling<'_>,
        (summary, line): (&Summary, &str),
        outcomes: &OutcomeCounts,
        news: &News,
        stopped: Option<&StopCause>,
    ) -> Result<(), Failure> {
        let ledger = &self.result.ledger;
        match telling.aloud {
            Aloud::Summary => {
                tell(&summary.render_within(text_columns()));
                news.was_told(ledger)?;
                if let Some(doubt) = account_doubt(stopped, outcomes) {
                    tell(&doubt);
                }
                if telling.is_rehearsal && stopped.is_none() && self.rehearsed_nothing(outcomes) {
                    tell(&begin_anew(ledger.path()));
                }
            }
            Aloud::LineIfNeeded => news.tell(ledger, line)?,
            Aloud::Nothing => {}
        }
        if telling.aloud != Aloud::Nothing
            && let Some(told) = stopped.and_then(StopCause::told)
        {
            tell(&format!("{}\n", shown(told)));
        }
        Ok(())
    }

    /// Whether all was decided in an earlier rehearsal, so that nobody was asked anything.
    fn rehearsed_nothing(&self, outcomes: &OutcomeCounts) -> bool {
        outcomes.earlier > 0 && Service::ALL.into_iter().all(|service| self.host(service).requests == 0)
    }

    /// What a host was asked.
    fn host(&self, service: Service) -> HostTotals {
        self.result.hosts.get(&service.as_str().to_lowercase()).copied().unwrap_or_default()
    }

    /// How many rows had another password, and how many another login, and were left as they are.
    fn count_changed(&self) -> Result<[u64; 2], LedgerError> {
        let count = |change: RowChange| self.result.ledger.count_ended(self.run, change.note());
        Ok([count(RowChange::Password)?, count(RowChange::Login)?])
    }

    fn summary(
        &self,
        kind: RunKind,
        outcomes: &OutcomeCounts,
        [changed_passwords, changed_logins]: [u64; 2],
        stopped: Option<&StopCause>,
    ) -> Result<Summary, LedgerError> {
        let ledger = &self.result.ledger;
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
            changed_passwords,
            changed_logins,
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
            advice: stopped.map(|cause| code_of_stop(cause).advice().to_owned()),
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

/// Somebody else's words as a terminal may be told them.
fn shown(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// Whether the run stopped for something that doesn't go away by itself.
const fn is_to_be_mended(stopped: &StopCause) -> bool {
    matches!(
        stopped,
        StopCause::TooManyFailures { .. }
            | StopCause::TokenRefused { .. }
            | StopCause::Redirected { .. }
            | StopCause::Forbidden { .. }
    ) || matches!(stopped, StopCause::HostDown { why: Some(why), .. } if why.is_to_be_mended())
}

/// What is said of a rehearsal that rehearsed nothing, as another one before it had done all there is with this ledger.
fn begin_anew(ledger: &Path) -> String {
    let another = (1..).map(|number| ledger.with_file_name(format!("rehearsal-{number}.db")));
    let another = another.into_iter().find(|path| path.symlink_metadata().is_err()).unwrap_or_default();
    format!(
        "hint: nothing was rehearsed: an earlier rehearsal with {} did all of it; with a ledger of its own it begins anew: \
         --state {}\n",
        ledger.display(),
        another.display()
    )
}

/// What is said where Leaf knows, or shows, none of those who were tried: a run of few rows just ends, without a diagnosis.
fn account_doubt(stopped: Option<&StopCause>, outcomes: &OutcomeCounts) -> Option<String> {
    let not_ours = [OutcomeCode::LeafUserUnknown, OutcomeCode::LeafUserForbidden];
    let count = |codes: &[OutcomeCode]| codes.iter().map(|code| outcomes.selected(*code)).sum::<u64>();
    let about_manifest =
        [OutcomeCode::ManifestInvalid, OutcomeCode::ManifestDuplicate, OutcomeCode::ManifestConflict];
    let (strangers, all) = (count(&not_ours), count(OutcomeCode::ALL) - count(&about_manifest));
    (stopped.is_none() && strangers > 1 && strangers == all).then(|| {
        format!(
            "hint: Leaf knows or shows none of the {strangers} users: is the token another account's, --leaf-url another Leaf, or \
             the leafUserId column the wrong one?\n"
        )
    })
}
