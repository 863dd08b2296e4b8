//! `plan`, and `run --dry-run`: foresees what a run would do, touching nothing.

use std::io::{BufWriter, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::arguments::{PlanArguments, PlanFlags};
use super::check::LintNotice;
use super::conclusion::code_of_stop;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::files::CallFiles;
use super::prepared::{Onboarding, Prepared, tell_of_lost_key};
use super::run::{internal, runtime, tell};
use super::scheduler::ExitFlags;
use super::signals::TimeLimits;
use super::{invocation, logging, output, plan_json, signals};
use crate::checkpoint::{Ledger, LedgerAccess, LedgerError, StagingTotals};
use crate::model::Sign;
use crate::pipeline::{self, Forecast, Stop, StopCause};
use crate::ui::{ForecastText, LogWriter, Progress, ProgressDisplay};

/// How many rows of each sign are listed for people.
const LISTED: usize = 20;

/// Foresees a run, and says with which code to exit.
pub(super) fn plan(arguments: &PlanArguments) -> Result<ExitCode, Failure> {
    let PlanArguments { manifest, rehearsal, flags, told, exit } = arguments;
    foresee(Onboarding { manifest, rehearsal: rehearsal.rehearsal(), flags }, *told, exit)
}

/// What is foreseen, and of which lines.
struct Foreseen {
    forecast: Forecast,
    staged: StagingTotals,
    /// Where Leaf is, and as whom it was asked.
    leaf: String,
}

/// Foresees a run of what is asked.
pub(super) fn foresee(asked: Onboarding<'_>, told: PlanFlags, exit: &ExitFlags) -> Result<ExitCode, Failure> {
    exit.shown_of(look_ahead(asked, told))
}

fn look_ahead(asked: Onboarding<'_>, told: PlanFlags) -> Result<ExitCode, Failure> {
    let logs = LogWriter::default();
    CallFiles::beside(&asked.flags.state.path(asked.is_rehearsal()))
        .needing_for(&asked.flags.target)
        .needing("the manifest", Some(asked.manifest))
        .needing_to_decrypt(&asked.flags.reading.decryption)
        .writing("--log-file", asked.flags.output.log_file())
        .check()?;
    logging::start(&asked.flags.output, &logs)?;
    let foreseen = runtime()?.block_on(async {
        let prepared = Prepared::new(asked).await?;
        // What is printed here is the plan, and nothing else.
        let progress = match asked.flags.output.progress() {
            Progress::Json => Progress::None,
            progress => progress,
        };
        let display = output::display(progress, &logs)?;
        let foreseen = carry_out(prepared, asked, told, Arc::clone(&display), &logs).await;
        display.finish();
        foreseen
    })?;
    let Foreseen { forecast, staged, .. } = &foreseen;
    if forecast.lines(staged) != staged.lines {
        return Err(internal("the signs don't add up to the lines of the manifest"));
    }
    if told.json {
        let mut out = BufWriter::new(std::io::stdout().lock());
        plan_json::write(&mut out, forecast, staged)?;
        // A reader that has gone away has all it wanted.
        let _ = out.flush();
    } else {
        super::status::print(&text(&foreseen)?);
    }
    if forecast.unseen > 0 {
        tell(&format!("warning: Leaf couldn't be asked about {} rows; run plan again\n", forecast.unseen));
        return Ok(ExitCode::Incomplete);
    }
    let has_work = told.detailed_exitcode && forecast.has_work();
    Ok(if has_work { ExitCode::Changes } else { ExitCode::Done })
}

/// Copies the ledger, stages into the copy, sees, and foresees.
async fn carry_out(
    prepared: Prepared,
    asked: Onboarding<'_>,
    told: PlanFlags,
    display: Arc<ProgressDisplay>,
    logs: &LogWriter,
) -> Result<Foreseen, Failure> {
    let observer = LintNotice::around(display, asked.manifest, logs, asked.flags.output.quiet);
    let stop = Stop::default();
    // Nothing that is under way need be brought to its end.
    let limits = TimeLimits { began: Instant::now(), longest: None, grace: Duration::ZERO };
    signals::watch(stop.clone(), limits, Arc::clone(&observer))?;
    // Only now, so that no signal ends the process while the copy still has a name.
    let path = asked.flags.state.path(asked.is_rehearsal());
    // Nothing is written there, but a run would refuse it.
    Ledger::check_place(&path)?;
    let mut ledger =
        Ledger::copy_of(&path, LedgerAccess::of_run(&prepared.target(), asked.flags.state.shard()))?;
    tell_of_lost_key(&ledger);
    let (start, staging) = prepared.staging(asked);
    let Prepared { manifest, options, sandbox, .. } = prepared;
    let (watching, stopping) = (Arc::clone(&observer), stop.clone());
    let approach = start.approach;
    let staging = tokio::task::spawn_blocking(move || {
        let staged = pipeline::stage(&mut ledger, &manifest, &start, &staging, &stopping, &*watching);
        staged.map(|staged| (staged, ledger))
    });
    let (staged, ledger) = staging.await.map_err(|_| internal("staging ended unexpectedly"))??;
    tracing::info!(lines = staged.lines, to_do = staged.to_do, "staged, to be foreseen");
    let leaf = format!("{} {}", options.services.leaf.http.origin(), options.services.account);
    let forecast =
        pipeline::forecast(ledger, approach, options, staged, told.refresh, stop.clone(), observer);
    let forecast = tokio::select! {
        forecast = forecast => forecast?,
        () = stop.aborting() => return Err(stopped(stop.cause())),
    };
    if let Some(sandbox) = sandbox {
        sandbox.stop().await;
    }
    match &forecast.stopped {
        None => Ok(Foreseen { forecast, staged, leaf }),
        Some(_) => Err(stopped(forecast.stopped)),
    }
}

fn stopped(cause: Option<StopCause>) -> Failure {
    let Some(cause) = cause else { return internal("it was stopped, and nobody knows why") };
    let code = code_of_stop(&cause);
    Failure::new(code, anyhow::anyhow!("{cause}; nothing was changed"), code.advice())
}

fn text(foreseen: &Foreseen) -> Result<String, LedgerError> {
    let Foreseen { forecast, staged, leaf } = foreseen;
    let mut rows = Vec::new();
    let of_signs = Sign::ALL.into_iter().filter(|sign| *sign != Sign::Healthy).map(Some);
    for sign in of_signs.chain([None]) {
        rows.push((sign, forecast.ledger.foreseen(Some(sign), 0, LISTED)?));
    }
    let ledger = &forecast.ledger;
    let part = ledger.shard().zip(ledger.latest_run()?.and_then(|run| run.manifest_lines));
    let text =
        ForecastText { forecast, staged, part, leaf, rows: &rows, command: &invocation::run_command() };
    Ok(text.render())
}
