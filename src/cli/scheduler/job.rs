//! One call of a verb, from its begin to its exit code.

use std::cell::{Cell, OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::arguments::SchedulerFlags;
use super::lock::{self, HeldLock};
use crate::checkpoint::{AuditCounts, HostTotals, OutcomeCounts};
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::files::CallFiles;
use crate::cli::output::OutputFlags;
use crate::cli::reports::prepare_folder;
use crate::cli::run::tell;
use crate::http::CallCounts;
use crate::model::{Service, Shard, UnixMillis};
use crate::pipeline::Services;
use crate::report::{CallsOfService, Metrics, last_success, write_metrics};
use crate::settings::TargetFlags;

/// How long the metrics may take to be written: a disk that hangs must not keep the process alive.
const PATIENCE: Duration = Duration::from_secs(10);

/// One call of a verb, and what is known of it so far.
pub(in crate::cli) struct Job<'a> {
    verb: &'static str,
    subject: String,
    ledger: PathBuf,
    shard: Option<Shard>,
    flags: &'a SchedulerFlags,
    output: &'a OutputFlags,
    is_rehearsal: bool,
    /// Whether it is known by now that metrics may be written where they are to go.
    is_checked: Cell<bool>,
    started: UnixMillis,
    began: Instant,
    calls: OnceCell<[(Service, CallCounts); 2]>,
    run: OnceCell<(i64, OutcomeCounts)>,
    vanished: OnceCell<u64>,
    users: OnceCell<AuditCounts>,
    throttled: RefCell<Vec<(Service, u64)>>,
}

impl<'a> Job<'a> {
    /// A call of `verb` about `subject`, which begins now. `ledger` is the one it is about.
    pub(in crate::cli) fn begin(
        verb: &'static str,
        subject: String,
        ledger: PathBuf,
        flags: &'a SchedulerFlags,
        output: &'a OutputFlags,
    ) -> Self {
        Self {
            verb,
            subject,
            ledger,
            shard: None,
            flags,
            output,
            is_rehearsal: false,
            is_checked: Cell::new(false),
            started: UnixMillis::now(),
            began: Instant::now(),
            calls: OnceCell::new(),
            run: OnceCell::new(),
            vanished: OnceCell::new(),
            users: OnceCell::new(),
            throttled: RefCell::default(),
        }
    }

    /// The same call about one shard, where it is about one.
    pub(in crate::cli) fn of_shard(self, shard: Option<Shard>) -> Self {
        Self { shard, ..self }
    }

    /// The same call as a rehearsal: however well it goes, nothing was done.
    pub(in crate::cli) fn rehearsing(self, is_rehearsal: bool) -> Self {
        Self { is_rehearsal, ..self }
    }

    /// The files of a call about this ledger which every verb with these flags has.
    pub(in crate::cli) fn files(&self, target: &TargetFlags) -> CallFiles {
        CallFiles::beside(&self.ledger)
            .needing_for(target)
            .writing("--log-file", self.output.log_file())
            .writing("--metrics", self.flags.metrics())
    }

    /// When it began.
    pub(in crate::cli) const fn began(&self) -> Instant {
        self.began
    }

    /// Makes sure that the metrics can be written, and over nothing that is needed. Before it, and where it fails, none
    /// are.
    ///
    /// # Errors
    ///
    /// When they can't, or would.
    pub(in crate::cli) fn check(&self, files: &CallFiles) -> Result<(), Failure> {
        let Some(path) = self.flags.metrics() else { return Ok(()) };
        if path.extension().is_none_or(|ending| ending != "prom") {
            let error = anyhow::anyhow!("the metrics' file {} doesn't end with .prom", path.display());
            let hint = "nothing was sent; name it FILE.prom: collectors read no other";
            return Err(Failure::new(ExitCode::Usage, error, hint));
        }
        files.check()?;
        if path.is_dir() {
            return Err(unwritable(path, std::io::ErrorKind::IsADirectory.into(), "nothing was sent; "));
        }
        prepare_folder(path).map_err(|source| unwritable(path, source, "nothing was sent; "))?;
        self.is_checked.set(true);
        Ok(())
    }

    /// Takes the lock of the ledger, and waits for it as long as it may.
    ///
    /// # Errors
    ///
    /// When another run still has it then, a signal came, or its file can't be used.
    pub(in crate::cli) async fn acquire_lock(&self) -> Result<HeldLock, Failure> {
        lock::acquire(&self.ledger, self.flags.lock_timeout, self.output.quiet).await
    }

    /// Takes note of the hosts that are asked from here on.
    pub(in crate::cli) fn watch(&self, services: &Services) {
        // Only the first can be set, and clones of these count for them.
        let _ = self
            .calls
            .set(Service::ALL.map(|service| (service, services.host(service).http.counts().clone())));
    }

    /// Takes note of what became of the lines of a run.
    pub(in crate::cli) fn note_run(&self, run: i64, outcomes: &OutcomeCounts) {
        // There is one run at most in a call.
        let _ = self.run.set((run, outcomes.clone()));
    }

    /// Takes note of how many users of the ledger the manifest doesn't name.
    pub(in crate::cli) fn note_vanished(&self, users: u64) {
        // There is one run at most in a call.
        let _ = self.vanished.set(users);
    }

    /// Takes note of what an audit found.
    pub(in crate::cli) fn note_audit(&self, counts: AuditCounts) {
        // There is one audit at most in a call.
        let _ = self.users.set(counts);
    }

    /// Takes note of how often each host asked us to slow down, on top of what was noted before.
    pub(in crate::cli) fn note_throttled(&self, of: impl Fn(Service) -> HostTotals) {
        let mut noted = self.throttled.borrow_mut();
        let before = |service: Service| {
            noted.iter().find_map(|(other, times)| (*other == service).then_some(*times)).unwrap_or_default()
        };
        let sum = Service::ALL.map(|service| (service, before(service) + of(service).throttled));
        *noted = sum.to_vec();
    }

    /// Writes one line about the whole call to the log's file, where there is one.
    pub(in crate::cli) fn log(&self, line: &str) {
        if self.output.log_file().is_some() {
            tracing::info!("{}", line.trim_end());
        }
    }

    /// Ends the call: writes the metrics, and says with which code the process exits.
    ///
    /// # Errors
    ///
    /// When it failed, or the metrics can't be written.
    pub(in crate::cli) fn end(&self, ended: Result<ExitCode, Failure>) -> Result<ExitCode, Failure> {
        let code = ended.as_ref().map_or_else(|failure| failure.code, |code| *code);
        if let Err(failure) = &ended
            && self.output.log_file().is_some()
        {
            tracing::error!(
                exit_code = code.number(),
                "{} ended with an error: {}",
                self.verb,
                failure.error
            );
        }
        let ended = match (ended, self.write(code)) {
            (ended, Ok(())) => ended,
            (Ok(code), Err(failure)) if code != ExitCode::Internal => Err(failure),
            (ended, Err(failure)) => {
                tell(&failure.render());
                ended
            }
        };
        self.flags.exit.shown_of(ended)
    }

    fn write(&self, code: ExitCode) -> Result<(), Failure> {
        let path = self.flags.metrics().filter(|_| self.is_checked.get());
        let Some(path) = path.cloned() else { return Ok(()) };
        let ended = UnixMillis::now();
        let calls: Vec<CallsOfService> = self
            .calls
            .get()
            .map(|calls| calls.iter().map(|(service, counts)| (*service, counts.so_far())).collect())
            .unwrap_or_default();
        let (sender, written) = channel();
        let is_success = code.is_work_done() && self.flags.exit.pardons(code) && !self.is_rehearsal;
        let succeeded = is_success.then_some(ended);
        let metrics = {
            let throttled = self.throttled.borrow();
            Metrics {
                verb: self.verb,
                shard: self.shard,
                subject: &self.subject,
                ledger: &self.ledger.display().to_string(),
                is_rehearsal: self.is_rehearsal,
                run: self.run.get().map(|(run, _)| *run),
                started: self.started,
                ended,
                duration: self.began.elapsed(),
                succeeded: succeeded.or_else(|| last_success(&path, self.verb, self.shard)),
                exit_code: code.number(),
                rows: self.run.get().map(|(_, outcomes)| outcomes),
                vanished: self.vanished.get().copied(),
                users: self.users.get(),
                calls: &calls,
                throttled: &throttled,
            }
            .render()
        };
        let target = path.clone();
        let spawned = std::thread::Builder::new()
            .name("metrics".to_owned())
            // Nobody waits for metrics that take too long.
            .spawn(move || _ = sender.send(write_metrics(&target, &metrics)));
        let result = match spawned {
            Err(source) => Err(source),
            Ok(_) => match written.recv_timeout(PATIENCE) {
                Ok(result) => result,
                Err(RecvTimeoutError::Timeout) => Err(std::io::ErrorKind::TimedOut.into()),
                Err(RecvTimeoutError::Disconnected) => {
                    Err(std::io::Error::other("its thread ended unexpectedly"))
                }
            },
        };
        result.map_err(|source| unwritable(&path, source, "everything else was done; "))
    }
}

fn unwritable(path: &Path, source: std::io::Error, what_was: &str) -> Failure {
    let error =
        anyhow::Error::new(source).context(format!("the metrics can't be written to {}", path.display()));
    Failure::new(
        ExitCode::StateUnwritable,
        error,
        format!("{what_was}check the folder and its permissions, or name another file with --metrics"),
    )
}
