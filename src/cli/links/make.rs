//! Makes the links of runs that have ended, out of the ledgers that nobody else holds meanwhile.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ended::LinksEnded;
use super::file::LinkFile;
use crate::checkpoint::{Ledger, LedgerAccess, Rejected, RunLock, Target};
use crate::cli::arguments::ReportArguments;
use crate::cli::conclusion::code_of_stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::prepared::tell_of_lost_key;
use crate::cli::run::{runtime, tell};
use crate::cli::services::ServiceSettings;
use crate::cli::signals::{self, TimeLimits};
use crate::model::Shard;
use crate::pipeline::{Event, LinkRules, LinksMade, Observe, Services, Stop, StopCause, make_links};

/// How long what is under way may go on after a signal.
const GRACE: Duration = Duration::from_secs(20);

/// A ledger that nobody else holds.
pub(in crate::cli) struct HeldLedger {
    _lock: RunLock,
    pub(in crate::cli) ledger: Ledger,
}

/// The users of a ledger whose links are made, and the services that are asked for them.
pub(in crate::cli) type LinkSource<'a> = (Services, &'a Ledger, Rejected);

impl HeldLedger {
    /// Opens the ledger at `path`, of this shard or of whole manifests, which no run may hold, and readies the services that it is about.
    ///
    /// # Errors
    ///
    /// When it is another hosts' one, or can't be used.
    pub(in crate::cli) fn hold(
        arguments: &ReportArguments,
        path: &Path,
        shard: Option<Shard>,
    ) -> Result<(Self, Services), Failure> {
        let settings = ServiceSettings::read(&arguments.target, &arguments.rates, shard, false)?;
        let services = settings.services()?;
        Ledger::check_file(path)?;
        if !path.exists() {
            return Err(Ledger::missing(path).into());
        }
        let lock = RunLock::acquire(path)?;
        let hosts = Target::new(&services.stara.http.origin(), &services.leaf.http.origin());
        let ledger = Ledger::open(path, LedgerAccess::of_run(&hosts, shard))?;
        tell_of_lost_key(&ledger);
        Ok((Self { _lock: lock, ledger }, services))
    }
}

/// Refuses to make links in a rehearsal.
///
/// # Errors
///
/// When it is one.
pub(in crate::cli) fn refuse_rehearsal(arguments: &ReportArguments) -> Result<(), Failure> {
    if !arguments.sandbox.is_on() {
        return Ok(());
    }
    let error = anyhow::anyhow!("the simulated services of a rehearsal are gone with its run");
    let hint = "nothing was sent; rehearse with run --sandbox --magic-links FILE";
    Err(Failure::new(ExitCode::Usage, error, hint))
}

/// Makes the links that are missing, one ledger after another, writes the file, and tells with which code that was stopped, if it
/// was.
///
/// # Errors
///
/// When a ledger can't be read or the file can't be written.
pub(in crate::cli) fn make(
    sources: Vec<LinkSource<'_>>,
    rules: LinkRules,
    file: &LinkFile,
) -> Result<(LinksEnded, Option<ExitCode>), Failure> {
    let mut all = LinksMade::default();
    let whose: Vec<_> = sources.iter().map(|(_, ledger, whose)| (*ledger, *whose)).collect();
    let stopped = runtime()?.block_on(async {
        let observer: Arc<dyn Observe> = Arc::new(Unwatched);
        signals::outlive_file_limit()?;
        let stop = Stop::default();
        let limits = TimeLimits { began: Instant::now(), longest: None, grace: GRACE };
        signals::watch(stop.clone(), limits, Arc::clone(&observer))?;
        for (services, ledger, whose) in sources {
            // Once it is stopped, those that follow only count whom they would have asked for.
            let (stop, observer) = (stop.clone(), Arc::clone(&observer));
            all += make_links(services, ledger, whose, rules, stop, observer).await?.made;
        }
        Ok::<Option<StopCause>, Failure>(stop.cause())
    })?;
    if let Some(cause) = &stopped {
        tell(&format!(
            "stopped: {cause}\nhint: links that were made are kept. {}\n",
            code_of_stop(cause).advice()
        ));
    }
    let ended = LinksEnded::new(file, &whose, Some(&all), stopped.as_ref())?;
    Ok((ended, stopped.as_ref().map(code_of_stop)))
}

/// Nobody watches: what there is to tell is told at the end.
struct Unwatched;

impl Observe for Unwatched {
    fn observe(&self, _event: &Event) {}
}
