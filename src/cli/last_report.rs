//! Writes the reports at the end of a run, for as long as nobody who wants it to end waits for them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::exit_code::ExitCode;
use super::failure::Failure;
use super::reports::{self, ReportTarget, ResultSource};
use super::signals::Signalled;
use crate::checkpoint::{Ledger, LedgerAccess, RunRecord};

/// How long a report may take once a signal has come.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// How long a report that is given up may take to remove its temporary file.
const TIDYING: Duration = Duration::from_millis(500);

/// What became of the reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reported {
    /// They are written.
    Written,
    /// They were given up; what stood under the name of an unwritten one still does.
    GivenUp,
}

/// Writes the reports of a run from the ledger at `ledger`. After a signal they may take `patience`, after another one no
/// time at all.
///
/// # Errors
///
/// When the ledger can't be read or a report can't be written.
pub(super) async fn write(
    ledger: PathBuf,
    run: RunRecord,
    targets: Arc<[ReportTarget]>,
    signalled: &Signalled,
    patience: Duration,
) -> Result<Reported, Failure> {
    if targets.is_empty() {
        return Ok(Reported::Written);
    }
    if signalled.again.is_cancelled() {
        return Ok(Reported::GivenUp);
    }
    let given_up = CancellationToken::new();
    let is_given_up = given_up.clone();
    let (done, mut written) = oneshot::channel();
    // A thread that nobody has to wait for: a disk that hangs must not keep the process alive.
    std::thread::Builder::new()
        .name("report".to_owned())
        .spawn(move || {
            let result =
                Ledger::open(&ledger, LedgerAccess::Read).map_err(Failure::from).and_then(|ledger| {
                    reports::write(&ResultSource::Ledger(&ledger, &run), &targets, &is_given_up)
                });
            // Nobody waits for a report that was given up.
            let _ = done.send(result);
        })
        .context("the report's thread can't be started")
        .map_err(|error| {
            Failure::new(
                ExitCode::Internal,
                error,
                "check the limits on threads; then `stara-onboard report`",
            )
        })?;
    tokio::select! {
        result = &mut written => return result.map_err(|_| ended_unexpectedly())?.map(|()| Reported::Written),
        () = signalled.patience_is_over(patience) => given_up.cancel(),
    }
    match tokio::time::timeout(TIDYING, written).await {
        Ok(Ok(Ok(()))) => Ok(Reported::Written),
        _ => Ok(Reported::GivenUp),
    }
}

fn ended_unexpectedly() -> Failure {
    let error = anyhow::anyhow!("the report's thread ended unexpectedly");
    Failure::new(ExitCode::Internal, error, "report it; the ledger holds the results")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::{Approach, LineContent, LineDecision, RunKind, RunStart, StagedLine, Target};
    use crate::cli::stores::Stores;
    use crate::model::Dialect;

    /// A folder with a ledger of one run over one line, and an older report.
    struct Place {
        folder: tempfile::TempDir,
        run: RunRecord,
        signalled: Signalled,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let target = Target::new("https://stara.example", "https://leaf.example");
            let path = folder.path().join("ledger.db");
            let mut ledger = Ledger::open(&path, LedgerAccess::Run(&target)).unwrap();
            let start = RunStart {
                kind: RunKind::Run,
                manifest: "growers.csv".to_owned(),
                kept_columns: Vec::new(),
                limit: None,
                approach: Approach::new(Dialect::Json, "https://stara.example", "/", ["login", "password"]),
                is_of_manifest: true,
            };
            let content = LineContent::Invalid { leaf_user_id: None, message: "it is empty".to_owned() };
            let line = Ok::<_, std::convert::Infallible>(StagedLine { line: 2, content, kept: Vec::new() });
            ledger.stage(&start, [line].into_iter(), |_, _| LineDecision::ToDo).unwrap();
            std::fs::write(folder.path().join("results.csv"), "the older one").unwrap();
            let run = ledger.latest_run().unwrap().unwrap();
            Self { folder, run, signalled: Signalled::default() }
        }

        async fn write(&self) -> Reported {
            let path = self.folder.path().join("results.csv");
            let stores = Stores::default();
            let targets = reports::targets(&[path], "growers.csv", &[], None, &stores).unwrap();
            let ledger = self.folder.path().join("ledger.db");
            write(ledger, self.run.clone(), targets.into(), &self.signalled, Duration::ZERO).await.unwrap()
        }

        fn report(&self) -> String {
            std::fs::read_to_string(self.folder.path().join("results.csv")).unwrap()
        }

        /// Files beside ledger, key and report.
        fn left_behind(&self) -> Vec<String> {
            let names = std::fs::read_dir(self.folder.path()).unwrap();
            let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            names.filter(|name| !name.starts_with("ledger") && name != "results.csv").collect()
        }
    }

    #[tokio::test]
    async fn without_a_signal_a_report_takes_its_time() {
        let place = Place::new();
        assert_eq!(place.write().await, Reported::Written);
        assert!(place.report().contains("manifest-invalid"));
    }

    #[tokio::test]
    async fn after_a_second_signal_no_report_is_begun() {
        let place = Place::new();
        place.signalled.first.cancel();
        place.signalled.again.cancel();
        assert_eq!(place.write().await, Reported::GivenUp);
        assert_eq!((place.report().as_str(), place.left_behind()), ("the older one", Vec::new()));
    }

    #[tokio::test]
    async fn a_report_that_takes_too_long_after_a_signal_is_given_up() {
        let place = Place::new();
        // Whoever wants to read the ledger has to wait until this connection ends.
        let other = rusqlite::Connection::open(place.folder.path().join("ledger.db")).unwrap();
        other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT").unwrap();
        place.signalled.first.cancel();
        assert_eq!(place.write().await, Reported::GivenUp);
        assert_eq!((place.report().as_str(), place.left_behind()), ("the older one", Vec::new()));
        drop(other);
    }
}
