//! `detach`: takes credentials away, to offboard growers or to roll a run back.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::arguments::DetachArguments;
use super::conclusion::{Aloud, Ended, Telling};
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::run::{internal, make_state_folder, runtime, tell};
use super::scheduler::{HeldLock, Job};
use super::services::ServiceSettings;
use super::signals::TimeLimits;
use super::stores::Stores;
use super::{confirm, logging, manifest_source, output, reports, signals};
use crate::checkpoint::{
    KeyStanding, LeaverCounts, Ledger, LedgerAccess, RunKind, RunStart, StageError, Target,
};
use crate::manifest::{ClientColumn, Manifest, ManifestError, ReadOptions, Record, Wanted};
use crate::model::LeafUserId;
use crate::pipeline::{self, DetachOptions, Leaving, Observe, Stop};
use crate::settings::resolve_detach;
use crate::ui::{LogWriter, ProgressDisplay};

/// Under which name the report goes, whoever is detached.
pub(super) const REPORT_NAME: &str = "detach";

/// Takes credentials away, and says with which code to exit.
pub(super) fn detach(arguments: &DetachArguments) -> Result<ExitCode, Failure> {
    let asked = Asked::of(arguments)?;
    let ledger = arguments.state.path(false);
    let job = Job::begin("detach", asked.name(), ledger, &arguments.scheduler, &arguments.output)
        .of_shard(arguments.state.shard());
    job.end(take_away(arguments, asked, &job))
}

fn take_away(arguments: &DetachArguments, asked: Asked, job: &Job<'_>) -> Result<ExitCode, Failure> {
    let limits = TimeLimits { began: job.began(), longest: arguments.max_duration, grace: arguments.grace };
    let logs = LogWriter::default();
    let manifest = match &asked {
        Asked::Manifest(manifest) => Some(manifest.as_path()),
        Asked::Users(_) | Asked::Run(_) => None,
    };
    let files = job
        .files(&arguments.target)
        .needing("the manifest", manifest)
        .needing_to_decrypt(&arguments.reading.decryption);
    job.check(&files)?;
    let targets = reports::targets(
        &arguments.report,
        REPORT_NAME,
        &arguments.lines.keep_column,
        arguments.state.shard(),
        &Stores::from(&arguments.target),
    )?;
    files.writing("--report", reports::paths(&targets)).check()?;
    logging::start(&arguments.output, &logs)?;
    runtime()?.block_on(async {
        signals::outlive_file_limit()?;
        let prepared = Prepared::new(arguments, asked, job).await?;
        reports::prepare(&targets)?;
        prepared.confirm(arguments)?;
        let display = output::display(arguments.output.progress(), &logs)?;
        let ended = prepared.carry_out(arguments, limits, Arc::clone(&display)).await;
        display.finish();
        let telling = Telling {
            kind: RunKind::Detach,
            aloud: Aloud::unless(arguments.output.quiet),
            state: &arguments.state,
            is_rehearsal: false,
            job,
            rehearsed: None,
            links: None,
        };
        ended?.conclude(&telling, targets.into()).await
    })
}

/// Whom the command line names.
enum Asked {
    /// Users, one by one.
    Users(Vec<LeafUserId>),
    /// A manifest of users.
    Manifest(PathBuf),
    /// Whomever a run attached.
    Run(i64),
}

/// Whether a word is more probably a mistyped id than a file.
fn is_like_an_id(word: &Path) -> bool {
    let is_of_id = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    let text = word.as_os_str().as_encoded_bytes();
    text.len() >= 16 && text.iter().copied().all(is_of_id) && !word.exists()
}

impl Asked {
    fn of(arguments: &DetachArguments) -> Result<Self, Failure> {
        if let Some(run) = arguments.from_run {
            return Ok(Self::Run(run));
        }
        let id = |word: &PathBuf| word.to_str().and_then(|word| word.parse::<LeafUserId>().ok());
        let users: Option<Vec<LeafUserId>> = arguments.leavers.iter().map(id).collect();
        match (users, arguments.leavers.as_slice()) {
            (Some(users), _) => Ok(Self::Users(users)),
            (None, [word]) if is_like_an_id(word) => Err(Failure::new(
                ExitCode::Usage,
                anyhow::anyhow!("{} is neither a leafUserId nor a file", word.display()),
                "nothing was sent; a leafUserId has 32 hexadecimal digits and 4 hyphens",
            )),
            (None, [manifest]) => Ok(Self::Manifest(manifest.clone())),
            (None, _) => Err(Failure::new(
                ExitCode::Usage,
                anyhow::anyhow!("a manifest stands alone, and what isn't a leafUserId counts as a manifest"),
                "nothing was sent; name leafUserIds only, or one manifest",
            )),
        }
    }

    /// What the ledger calls it.
    fn name(&self) -> String {
        match self {
            Self::Users(users) if users.len() == 1 => "1 user".to_owned(),
            Self::Users(users) => format!("{} users", users.len()),
            Self::Manifest(path) => path.display().to_string(),
            Self::Run(run) => format!("run {run}"),
        }
    }
}

/// Whose credentials go.
enum Leavers {
    Manifest(Box<Manifest>),
    Users(Vec<LeafUserId>),
}

impl Leavers {
    fn leaving(&self) -> Leaving<'_> {
        match self {
            Self::Manifest(manifest) => Leaving::Manifest(manifest),
            Self::Users(users) => Leaving::Users(users),
        }
    }

    /// What is known of them, how many lines name nobody, and how many a user of another shard.
    fn count(&self, ledger: &Ledger) -> Result<(LeaverCounts, u64, u64), Failure> {
        let (mut invalid, mut elsewhere) = (0, 0);
        let is_own = |id: LeafUserId| ledger.shard().is_none_or(|shard| shard.takes(id));
        let counted = match self {
            Self::Users(users) => ledger.count_leavers(users.iter().copied().map(Ok::<_, ManifestError>)),
            Self::Manifest(manifest) => {
                ledger.count_leavers(manifest.records()?.filter_map(|record| match record {
                    Ok(Record::User(user)) if is_own(user.leaf_user_id) => Some(Ok(user.leaf_user_id)),
                    Ok(Record::User(_)) => {
                        elsewhere += 1;
                        None
                    }
                    Ok(Record::Invalid(line)) => {
                        let is_own = ledger.shard().is_none_or(|shard| shard.takes_line(line.leaf_user_id));
                        invalid += u64::from(is_own);
                        None
                    }
                    Ok(Record::Row(_)) => None,
                    Err(error) => Some(Err(error)),
                }))
            }
        };
        let counted = counted.map_err(|error| match error {
            StageError::Lines(error) => error.into(),
            StageError::Ledger(error) => error.into(),
        });
        counted.map(|counts| (counts, invalid, elsewhere))
    }
}

/// The users that were named, if all of them are the ledger's: whoever names the wrong shard would believe them gone.
fn all_own(users: Vec<LeafUserId>, ledger: &Ledger) -> Result<Vec<LeafUserId>, Failure> {
    let Some(shard) = ledger.shard() else { return Ok(users) };
    let Some(other) = users.iter().find(|id| !shard.takes(**id)) else { return Ok(users) };
    let holder = shard.holder_of(*other);
    let error = anyhow::anyhow!("{other} belongs to shard {holder}, and this is the ledger of shard {shard}");
    Err(Failure::new(ExitCode::Usage, error, format!("nothing was sent; say --shard {holder} for that user")))
}

/// Everything checked that can be checked before anything is asked or sent.
struct Prepared {
    leavers: Leavers,
    name: String,
    options: DetachOptions,
    ledger: Ledger,
    lock: HeldLock,
}

impl Prepared {
    async fn new(arguments: &DetachArguments, asked: Asked, job: &Job<'_>) -> Result<Self, Failure> {
        let settings =
            ServiceSettings::read(&arguments.target, &arguments.rates, arguments.state.shard(), false)?;
        let options = resolve_detach(
            settings.services()?,
            &arguments.limits,
            arguments.include_foreign,
            arguments.from_run.is_none(),
        )?;
        job.watch(&options.services);
        let name = asked.name();
        let manifest = match &asked {
            Asked::Manifest(path) => Some(open_manifest(arguments, path)?),
            Asked::Users(_) | Asked::Run(_) => None,
        };
        let path = arguments.state.path(false);
        Ledger::check_file(&path)?;
        if path.symlink_metadata().is_err() && (matches!(asked, Asked::Run(_)) || !arguments.include_foreign)
        {
            // Without it nothing is known to be ours.
            return Err(Ledger::missing(&path).into());
        }
        make_state_folder(&path)?;
        if !path.exists() {
            Ledger::check_division(&path, arguments.state.shard())?;
        }
        let lock = job.acquire_lock().await?;
        let hosts = Target::new(&options.services.stara.http.origin(), &options.services.leaf.http.origin());
        let ledger = Ledger::open(&path, LedgerAccess::of_run(&hosts, arguments.state.shard()))?;
        if ledger.key_standing() == KeyStanding::Lost {
            let error = anyhow::anyhow!(
                "the fingerprint key beside the ledger is missing or another one, so that nothing is taken away"
            );
            return Err(Failure::new(
                ExitCode::Usage,
                error,
                "nothing was sent; put the key back beside the ledger, or name the right ledger with --state FILE",
            ));
        }
        let leavers = match (asked, manifest) {
            (_, Some(manifest)) => Leavers::Manifest(Box::new(manifest)),
            (Asked::Users(users), None) => Leavers::Users(all_own(users, &ledger)?),
            (Asked::Run(run), None) => Leavers::Users(attached_in(&ledger, run)?),
            (Asked::Manifest(_), None) => return Err(internal("the manifest wasn't opened")),
        };
        Ok(Self { leavers, name, options, ledger, lock })
    }

    /// Says what is about to be deleted, and asks whether it may.
    fn confirm(&self, arguments: &DetachArguments) -> Result<(), Failure> {
        let (counts, invalid, elsewhere) = self.leavers.count(&self.ledger)?;
        let services = &self.options.services;
        let mut what =
            announcement(&self.name, &counts, &services.leaf.http.origin(), &services.account, &self.options);
        if invalid > 0 {
            // Whoever is meant keeps the credential. Writing into a string can't fail.
            let _ = writeln!(what, "{invalid} of the lines name nobody: whoever they mean isn't detached.");
        }
        if elsewhere > 0 {
            let names = if elsewhere == 1 { "names a user" } else { "name users" };
            let _ =
                writeln!(what, "{elsewhere} of the lines {names} of another shard: run this for each shard.");
        }
        if arguments.yes {
            if !arguments.output.quiet {
                tell(&what);
            }
            return Ok(());
        }
        confirm::ask(&what)
    }

    async fn carry_out(
        self,
        arguments: &DetachArguments,
        limits: TimeLimits,
        display: Arc<ProgressDisplay>,
    ) -> Result<Ended, Failure> {
        let Self { leavers, name, options, mut ledger, lock } = self;
        let observer: Arc<dyn Observe> = display;
        let stop = Stop::default();
        let signalled = signals::watch(stop.clone(), limits, Arc::clone(&observer))?;
        let lock = lock.into_lock();
        let began = Instant::now();
        let start = RunStart {
            kind: RunKind::Detach,
            manifest: name,
            kept_columns: arguments.lines.keep_column.clone(),
            limit: None,
            approach: options.approach(),
            is_of_manifest: matches!(leavers, Leavers::Manifest(_)),
        };
        let limit = arguments.lines.invalid_limit();
        let (watching, stopping) = (Arc::clone(&observer), stop.clone());
        let staging = tokio::task::spawn_blocking(move || {
            let leaving = leavers.leaving();
            let staged = pipeline::stage_leavers(&mut ledger, leaving, &start, limit, &stopping, &*watching);
            staged.map(|staged| (staged, ledger))
        });
        let (staged, ledger) = staging.await.map_err(|_| internal("staging ended unexpectedly"))??;
        let origins = [options.services.stara.http.origin(), options.services.leaf.http.origin()];
        tracing::info!(run = staged.run, lines = staged.lines, to_do = staged.to_do, "staged");
        let result = pipeline::detach(ledger, staged, options, stop.clone(), observer).await?;
        Ok(Ended {
            result,
            run: staged.run,
            lines: staged.lines,
            vanished: 0,
            origins,
            duration: began.elapsed(),
            stop,
            signalled,
            lock,
        })
    }
}

fn open_manifest(arguments: &DetachArguments, path: &Path) -> Result<Manifest, Failure> {
    let source =
        manifest_source::open(path, &Stores::from(&arguments.target), &arguments.reading.decryption)?.source;
    let options = arguments.reading.read_options(ClientColumn::Optional, &arguments.lines.keep_column);
    let manifest = Manifest::open(source, &ReadOptions { wanted: Wanted::Users, ..options })?;
    if !arguments.output.quiet {
        manifest.warnings().iter().for_each(|warning| tell(&format!("warning: {warning}\n")));
    }
    Ok(manifest)
}

fn attached_in(ledger: &Ledger, run: i64) -> Result<Vec<LeafUserId>, Failure> {
    let error = match ledger.run_numbered(run)? {
        None => anyhow::anyhow!("the ledger knows no run {run}"),
        Some(found) if found.kind == RunKind::Detach => {
            anyhow::anyhow!("run {run} was a detach, and attached nobody")
        }
        Some(_) => return Ok(ledger.users_attached_in(run)?),
    };
    Err(Failure::new(ExitCode::Usage, error, "nothing was sent; `stara-onboard status` lists the runs"))
}

/// What is about to happen, in words.
fn announcement(
    whom: &str,
    counts: &LeaverCounts,
    leaf: &str,
    account: &str,
    options: &DetachOptions,
) -> String {
    let fate = if options.include_foreign { "goes, too (--include-foreign)" } else { "is left alone" };
    let mut text = format!("Takes Stara credentials of {whom} away at Leaf {leaf}, {account}:\n");
    let lines = [
        (counts.ours, "hold a credential that this tool attached".to_owned()),
        (counts.replaced, "of them one that took another one's place, which can't be given back".to_owned()),
        (counts.not_ours, format!("hold one that it didn't attach, which {fate}")),
        (counts.open, "have something in the open, which settles first; then a look decides".to_owned()),
        (counts.unknown, format!("hold none that the ledger knows of; what a look finds {fate}")),
        (counts.gone, "are detached already, and cost no call".to_owned()),
    ];
    for (users, what) in lines.iter().filter(|(users, _)| *users > 0) {
        // Writing into a string can't fail.
        let _ = writeln!(text, "{users:>11}  {what}");
    }
    if *counts == LeaverCounts::default() {
        text.push_str("          0  users: there is nothing to do\n");
    }
    let _ = writeln!(
        text,
        "At most {} credentials are deleted in this run (--max-changes).",
        options.most_changes
    );
    text
}
