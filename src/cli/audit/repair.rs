//! `audit --repair`: a run over the manifest that replaces what audits found unhealthy.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::arguments::AuditArguments;
use super::shown::Repaired;
use crate::checkpoint::{Ledger, OutcomeCounts, RunKind, RunLock, RunStart};
use crate::cli::check::LintNotice;
use crate::cli::conclusion::{Aloud, Ended, Telling};
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::reports::ReportTarget;
use crate::cli::scheduler::Job;
use crate::cli::signals::Signalled;
use crate::manifest::Manifest;
use crate::pipeline::{self, RepairRule, RunOptions, Selection, StagingOptions, Stop};
use crate::ui::{LogWriter, ProgressDisplay};

/// In how many audits in a row a credential must have been found unhealthy.
const AUDITS: u64 = 2;

/// Everything a repair needs besides the ledger.
pub(super) struct Repair<'a> {
    pub(super) arguments: &'a AuditArguments,
    pub(super) job: &'a Job<'a>,
    pub(super) manifest: Manifest,
    pub(super) manifest_name: String,
    pub(super) options: RunOptions,
    pub(super) targets: Vec<ReportTarget>,
    pub(super) lock: RunLock,
    pub(super) stop: Stop,
    pub(super) signalled: Signalled,
    pub(super) display: Arc<ProgressDisplay>,
    pub(super) logs: &'a LogWriter,
}

impl Repair<'_> {
    /// Carries it out, and gives the ledger and its lock back with what became of it and with which code to exit.
    pub(super) async fn carry_out(
        self,
        mut ledger: Ledger,
    ) -> Result<(Ledger, RunLock, Repaired, ExitCode), Failure> {
        let arguments = self.arguments;
        let audits = if arguments.now { 1 } else { AUDITS };
        let (due, open) = (ledger.due_for_repair(audits)?, ledger.open_replacements()?);
        let mut repaired =
            Repaired { run: None, due, replaced: 0, left: due, audits, outcomes: OutcomeCounts::default() };
        if due == 0 && open == 0 {
            return Ok((ledger, self.lock, repaired, ExitCode::Done));
        }
        let began = Instant::now();
        let start = RunStart {
            kind: RunKind::Repair,
            manifest: self.manifest_name,
            kept_columns: arguments.lines.keep_column.clone(),
            limit: None,
            approach: self.options.approach(&self.manifest),
            is_of_manifest: true,
        };
        let staging_options = StagingOptions {
            selection: Selection::default(),
            invalid_limit: arguments.lines.invalid_limit(),
            default_client: self.options.default_client.clone(),
            // What was begun before uses up its part of the changes.
            repair: Some(RepairRule {
                audits,
                most: u64::from(self.options.most_changes).saturating_sub(open),
            }),
            is_linted: false,
            takes_swapped: arguments.reading.names_login_and_password(),
        };
        let observer = LintNotice::around(self.display.clone(), Path::new(&start.manifest), self.logs, true);
        let staged =
            pipeline::stage(&mut ledger, &self.manifest, &start, &staging_options, &self.stop, &*observer)?;
        tracing::info!(run = staged.run, lines = staged.lines, to_do = staged.to_do, "staged");
        let services = &self.options.services;
        let origins = [services.stara.http.origin(), services.leaf.http.origin()];
        let stop = self.stop.clone();
        let result = pipeline::run(ledger, self.manifest, staged, self.options, stop, observer).await?;
        self.display.finish();
        let ended = Ended {
            result,
            run: staged.run,
            lines: staged.lines,
            vanished: staged.vanished,
            origins,
            duration: began.elapsed(),
            stop: self.stop,
            signalled: self.signalled,
            lock: self.lock,
        };
        let telling = Telling {
            kind: RunKind::Repair,
            // Where one line is wanted, the audit's tells of the repair as well.
            aloud: if arguments.output.quiet { Aloud::Nothing } else { Aloud::Summary },
            state: &arguments.state,
            is_rehearsal: false,
            job: self.job,
            rehearsed: None,
            links: None,
        };
        let code = ended.conclude(&telling, self.targets.into()).await?;
        let (ledger, lock) = (ended.result.ledger, ended.lock);
        repaired.run = Some(staged.run);
        repaired.replaced = ledger.replaced_in(staged.run)?;
        repaired.left = ledger.due_for_repair(audits)?;
        repaired.outcomes = ledger.count_outcomes(staged.run)?;
        Ok((ledger, lock, repaired, code))
    }
}
