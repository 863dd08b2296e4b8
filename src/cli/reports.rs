//! Writes the results: at the end of a run, and again from the ledger alone.

use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::arguments::ReportArguments;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::files::CallFiles;
use super::links;
use super::manifest_source::stem;
use super::shard::{open_to_read, tell_of_part};
use super::sharded;
use super::stores::{ObjectReport, Stores, is_object};
use crate::checkpoint::{Ledger, LedgerError, LineResult, RunKind, RunRecord, ShardedLedger};
use crate::model::Shard;
use crate::report::{ReportFormat, ResultRecord, check_kept_columns, remove_left_behind, write_report};
use crate::settings::closest;

/// A report that is to be written.
#[derive(Debug)]
pub(super) struct ReportTarget {
    pub(super) path: PathBuf,
    pub(super) format: ReportFormat,
    /// Where it goes, if not into a file.
    object: Option<ObjectReport>,
}

/// Resolves `--report`: the default when none is given, nothing for `none`. Checked before anything is sent.
pub(super) fn targets(
    asked: &[PathBuf],
    manifest: &str,
    kept_columns: &[String],
    shard: Option<Shard>,
    stores: &Stores,
) -> Result<Vec<ReportTarget>, Failure> {
    let usage = |error: anyhow::Error, hint: &str| Failure::new(ExitCode::Usage, error, hint);
    check_kept_columns(kept_columns)
        .map_err(|error| usage(error.into(), "keep another column, or rename it"))?;
    let default = [of_shard(&format!("state/{}.results.csv", stem(manifest)), shard)];
    let asked = if asked.is_empty() { &default } else { asked };
    let resolve = |path: &PathBuf| {
        let format = ReportFormat::of_path(path).map_err(|error| usage(error.into(), &ending_hint(path)))?;
        let object = is_object(path).then(|| ObjectReport::new(path, stores)).transpose()?;
        Ok(ReportTarget { path: path.clone(), format, object })
    };
    asked.iter().filter(|path| path.as_os_str() != "none").map(resolve).collect()
}

/// What to write instead of a path whose ending names no format.
fn ending_hint(path: &Path) -> String {
    let endings = ReportFormat::ALL.map(ReportFormat::ending);
    let [before @ .., last] = &endings.map(|ending| format!("FILE.{ending}"));
    let choices =
        format!("nothing was sent; write --report {} or {last}, or --report none", before.join(", "));
    let ending =
        path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    match closest(&ending, endings) {
        Some(near) => format!("did you mean {}? {choices}", path.with_extension(near).display()),
        None if ending.starts_with("xls") => format!("{choices}; Excel opens .csv"),
        None => choices,
    }
}

/// The default file of this name, or that of the shard: the results of one shard don't take the place of another's.
pub(super) fn of_shard(default: &str, shard: Option<Shard>) -> PathBuf {
    let path = PathBuf::from(default);
    shard.map_or_else(|| path.clone(), |shard| shard.path(&path))
}

/// The files of these reports.
pub(super) fn paths(targets: &[ReportTarget]) -> impl Iterator<Item = &PathBuf> {
    targets.iter().map(|target| &target.path)
}

/// Makes sure that a file can be written there, before anything is sent: another is made beside it and taken away again, and
/// so is what killed processes left half written.
pub(super) fn prepare_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder))?;
    remove_left_behind(folder);
    Ok(())
}

/// Makes sure that every report can be written.
pub(super) fn prepare(targets: &[ReportTarget]) -> Result<(), Failure> {
    for ReportTarget { path, object, .. } in targets {
        let prepared = match object {
            Some(object) => object.check().map_err(anyhow::Error::new),
            None => prepare_folder(path).map_err(anyhow::Error::new),
        };
        let place = object.as_ref().map_or(
            "name another place with --report FILE",
            |_| "check the address, the credentials and AWS_ENDPOINT_URL, or name a file with --report",
        );
        prepared.map_err(|error| {
            let error = error.context(format!("no report can be written to {}", path.display()));
            Failure::new(ExitCode::StateUnwritable, error, format!("nothing was sent; {place}"))
        })?;
    }
    Ok(())
}

/// Why the records of a report ended early.
#[derive(Debug, thiserror::Error)]
enum RecordError {
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Nobody waits for the report any longer.
    #[error("it was given up")]
    GivenUp,
}

/// Where the results of a run are read, and the run.
pub(super) enum ResultSource<'a> {
    /// One ledger holds all of them.
    Ledger(&'a Ledger, &'a RunRecord),
    /// The ledgers of several shards hold a part each.
    Shards(&'a ShardedLedger, &'a RunRecord),
}

impl ResultSource<'_> {
    pub(super) fn run(&self) -> &RunRecord {
        match self {
            Self::Ledger(_, run) | Self::Shards(_, run) => run,
        }
    }

    fn with_results<T>(
        &self,
        consume: impl FnOnce(&mut dyn Iterator<Item = Result<LineResult, LedgerError>>) -> T,
    ) -> Result<T, LedgerError> {
        match self {
            Self::Ledger(ledger, run) => ledger.with_results(run.run, consume),
            Self::Shards(ledger, _) => ledger.with_results(consume),
        }
    }
}

/// Writes every report of a run from the ledger, unless they are given up meanwhile.
pub(super) fn write(
    source: &ResultSource<'_>,
    targets: &[ReportTarget],
    given_up: &CancellationToken,
) -> Result<(), Failure> {
    let facts = source.facts(targets)?;
    for target in targets {
        let written = source.with_results(|results| {
            let records = results.map(|result| match result {
                _ if given_up.is_cancelled() => Err(RecordError::GivenUp),
                Ok(result) => Ok(record(result)),
                Err(error) => Err(error.into()),
            });
            match &target.object {
                Some(object) => object.write(&target.path, target.format, &facts, records),
                None => write_report(&target.path, target.format, &facts, records),
            }
        });
        written.map_err(Failure::from)?.map_err(|error| {
            let (what, place) = match target.object {
                Some(_) => ("the store and the credentials", target.path.display().to_string()),
                None => ("the path, its permissions and the room on the disk", "FILE".to_owned()),
            };
            let hint = format!(
                "the ledger holds the results; check {what}, then write them with `stara-onboard report {place}`"
            );
            Failure::new(ExitCode::StateUnwritable, error, hint)
        })?;
    }
    Ok(())
}

fn record(result: LineResult) -> ResultRecord {
    let outcome = result.outcome;
    let (id, status) = match outcome.credential {
        Some(credential) => (credential.id.map(String::from), credential.status),
        None => (None, None),
    };
    ResultRecord {
        line: result.line,
        leaf_user_id: result.leaf_user_id,
        login: result.login,
        outcome: outcome.code,
        origin: outcome.origin,
        stage: Some(outcome.stage),
        http_status: outcome.http_status,
        attempts: (outcome.attempts > 0).then_some(outcome.attempts),
        credential_id: id,
        credential_status: status,
        finished_at: result.finished_at,
        message: outcome.message.into_owned(),
        kept: result.kept,
        not_selected: result.not_selected,
    }
}

/// `report`: writes the results of the latest run again, and with `--magic-links` makes the links that are missing.
pub(super) fn report(arguments: &ReportArguments) -> Result<ExitCode, Failure> {
    let (paths, mut asked) = arguments.ledgers.paths(arguments.sandbox.is_on(), sharded::is_report);
    asked.extend(arguments.files.iter().chain(&arguments.report).cloned());
    let [path] = paths.as_slice() else { return sharded::report(arguments, &paths, &asked) };
    if let Some(rules) = arguments.links.rules() {
        return links::report(arguments, path, &asked, rules);
    }
    let ledger = open_to_read(path, &arguments.ledgers.first)?;
    let missing = || Failure::from(LedgerError::Missing { path: path.clone() });
    let run = ledger.latest_run()?.ok_or_else(missing)?;
    let targets = prepared_targets(arguments, &paths, &asked, &run, ledger.shard())?;
    write_again(&ledger, &run, &targets)?;
    tell_of_part(&ledger, Some(&run));
    Ok(ExitCode::Done)
}

/// Where the results of the latest run in these ledgers are to be written again.
pub(super) fn prepared_targets(
    arguments: &ReportArguments,
    ledgers: &[PathBuf],
    asked: &[PathBuf],
    run: &RunRecord,
    shard: Option<Shard>,
) -> Result<Vec<ReportTarget>, Failure> {
    let name = if run.kind == RunKind::Detach { super::detach::REPORT_NAME } else { &run.manifest };
    let targets = targets(asked, name, &run.kept_columns, shard, &Stores::from(&arguments.target))?;
    let files = CallFiles::beside_all(ledgers)
        .needing("the manifest", Some(Path::new(&run.manifest)))
        .writing("--report", paths(&targets));
    arguments.links.asked().map_or(files.clone(), |path| files.writing("--magic-links", [path])).check()?;
    prepare(&targets)?;
    Ok(targets)
}

/// Writes the results again, and prints where they are.
pub(super) fn write_again(ledger: &Ledger, run: &RunRecord, targets: &[ReportTarget]) -> Result<(), Failure> {
    write(&ResultSource::Ledger(ledger, run), targets, &CancellationToken::new())?;
    tell_paths(targets);
    Ok(())
}

/// Prints where the reports are.
pub(super) fn tell_paths(targets: &[ReportTarget]) {
    let written: Vec<String> = targets.iter().map(|target| format!("{}\n", target.path.display())).collect();
    super::status::print(&written.concat());
}
