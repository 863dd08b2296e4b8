//! Looks at the ledgers again and again, and shows what they tell.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::ended::summary;
use crate::checkpoint::{Ledger, LiveState, OutcomeCounts, RunLock, RunRecord};
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::run::tell;
use crate::cli::shard::open_to_read;
use crate::cli::signals;
use crate::cli::status::print;
use crate::model::{OutcomeCode, UnixMillis};
use crate::settings::StateFlags;
use crate::ui::{LiveShow, LogWriter, Terminal, count, printable, text_columns};

/// Counting goes through all lines of a large manifest. It may take this part of the time at most.
const SHARE_OF_COUNTING: u32 = 20;

/// A ledger that is followed.
struct Followed {
    ledger: Ledger,
    /// The run that is followed; `None` while it still reads its manifest.
    run: Option<i64>,
    counted: Option<(Instant, Duration, OutcomeCounts)>,
}

/// How a run stands.
enum Standing {
    /// It reads its manifest, or has just begun.
    Beginning,
    /// It is at work.
    AtWork(Option<LiveState>),
    /// It has ended.
    Ended,
    /// Its process is gone, and it had not ended.
    Died,
    /// It died, and another run has begun since.
    Replaced,
    /// Nobody is at work with the ledger, and nobody was while it was watched.
    Idle,
}

/// Follows the run of each ledger, one after another, until all have ended.
pub(in crate::cli) fn watch(
    paths: &[PathBuf],
    state: &StateFlags,
    interval: Duration,
) -> Result<ExitCode, Failure> {
    let mut code = ExitCode::Done;
    for path in paths {
        let mut followed = Followed { ledger: open_to_read(path, state)?, run: None, counted: None };
        if followed.follow(interval)? == ExitCode::Incomplete {
            code = ExitCode::Incomplete;
        }
    }
    Ok(code)
}

impl Followed {
    fn follow(&mut self, interval: Duration) -> Result<ExitCode, Failure> {
        let logs = LogWriter::default();
        let mut show = LiveShow::on_stderr(Terminal::of_stderr(), &logs);
        signals::clear_screen_when_stopped(&logs)?;
        signals::end_with_a_clean_screen(&logs)?;
        let name = self.ledger.path().display().to_string();
        if let Some(holder) = RunLock::holder(self.ledger.path()) {
            tell(&printable(&format!("watching {name}: {holder}\n")));
        }
        loop {
            let line = match self.standing()? {
                Standing::Beginning => show.say("the run reads its manifest"),
                Standing::AtWork(None) => {
                    show.say("the run is at work, and has said nothing of itself so far")
                }
                Standing::AtWork(Some(live)) => {
                    let failures = self.failures()?;
                    show.show(&live, &failures, UnixMillis::now())
                }
                Standing::Ended => {
                    show.end();
                    return self.tell_end();
                }
                Standing::Died => {
                    show.end();
                    print(&format!("{}\n", self.death()?));
                    return Ok(ExitCode::Incomplete);
                }
                Standing::Replaced => {
                    let death = self.death()?;
                    (self.run, self.counted) = (None, None);
                    show.begin_anew();
                    show.say(&death)
                }
                Standing::Idle => {
                    show.end();
                    return self.tell_idle();
                }
            };
            if let Some(line) = line {
                print(&format!("{line}\n"));
            }
            std::thread::sleep(interval);
        }
    }

    fn standing(&mut self) -> Result<Standing, Failure> {
        // First who holds it: a run says that it ended before it lets its ledger go.
        let is_held = RunLock::holder(self.ledger.path()).is_some();
        let latest = self.ledger.latest_run()?;
        let Some(run) = self.run else {
            return Ok(match latest {
                Some(latest) if is_held && latest.ended_at.is_none() => {
                    self.run = Some(latest.run);
                    Standing::AtWork(self.ledger.live_state(latest.run)?)
                }
                _ if is_held => Standing::Beginning,
                Some(latest) if latest.ended_at.is_none() => {
                    self.run = Some(latest.run);
                    Standing::Died
                }
                _ => Standing::Idle,
            });
        };
        let has_ended = self.record(run)?.is_none_or(|record| record.ended_at.is_some());
        let is_latest = latest.is_none_or(|latest| latest.run == run);
        Ok(match (has_ended, is_held) {
            (true, _) => Standing::Ended,
            (false, _) if !is_latest => Standing::Replaced,
            (false, true) => Standing::AtWork(self.ledger.live_state(run)?),
            (false, false) => Standing::Died,
        })
    }

    fn record(&self, run: i64) -> Result<Option<RunRecord>, Failure> {
        Ok(self.ledger.runs(10)?.into_iter().find(|record| record.run == run))
    }

    /// The lines that failed, by outcome, as they were when they were counted last.
    fn failures(&mut self) -> Result<Vec<(OutcomeCode, u64)>, Failure> {
        let is_due = |(at, took, _): &(Instant, Duration, _)| at.elapsed() >= *took * SHARE_OF_COUNTING;
        if self.counted.as_ref().is_none_or(is_due) {
            let began = Instant::now();
            let counts = self.ledger.count_outcomes(self.run.unwrap_or_default())?.without_open();
            self.counted = Some((Instant::now(), began.elapsed(), counts));
        }
        let counts = self.counted.iter().flat_map(|(.., counts)| counts.iter());
        Ok(counts.filter(|(code, _)| code.is_failure() && *code != OutcomeCode::Detached).collect())
    }

    fn tell_end(&self) -> Result<ExitCode, Failure> {
        if let Some(record) = self.run.map(|run| self.record(run)).transpose()?.flatten() {
            print(&summary(&self.ledger, &record)?.render_within(text_columns()));
            if let Some(code) = record.exit_code {
                print(&format!("It ended with exit code {code}.\n"));
            }
        }
        Ok(ExitCode::Done)
    }

    /// That the run died, and what to do.
    fn death(&self) -> Result<String, Failure> {
        let record = self.run.map(|run| self.record(run)).transpose()?.flatten();
        let live = self.run.map(|run| self.ledger.live_state(run)).transpose()?.flatten();
        let number = self.run.unwrap_or_default();
        let rows = live.map(|live| {
            let at = live.at.to_rfc3339();
            format!("; at {at} {} of {} rows had ended", count(live.rows_ended), count(live.to_do))
        });
        let manifest = record.map(|record| format!(" of {}", record.manifest)).unwrap_or_default();
        Ok(printable(&format!(
            "Run {number}{manifest} died: its process is gone, and it had not ended{}. The ledger is true; the same command \
             resumes.",
            rows.unwrap_or_default()
        )))
    }

    fn tell_idle(&self) -> Result<ExitCode, Failure> {
        match self.ledger.latest_run()? {
            Some(record) => {
                print("No run is at work. The latest:\n");
                print(&summary(&self.ledger, &record)?.render_within(text_columns()));
            }
            None => print("No run is at work, and no manifest has been run yet.\n"),
        }
        Ok(ExitCode::Done)
    }
}
