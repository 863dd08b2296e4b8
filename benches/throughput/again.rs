//! A manifest that is half finished, then finished: how soon the first call leaves, how fast everything is decided again without
//! a call, and how fast the reports are written.

use std::process::{Command, ExitCode};
use std::time::SystemTime;

use crate::arguments::{Again, Tls};
use crate::machine;
use crate::process::{Process, median};
use crate::services::Services;
use crate::setting::{Bench, Setting};
use crate::world::Counts;

/// Rows in flight while the manifest is finished.
const CONCURRENCY: u32 = 64;

/// The endings of the reports' formats.
const FORMATS: [&str; 3] = ["csv", "jsonl", "parquet"];

/// In how many seconds a finished manifest is decided again, and a report is written.
const SECONDS: f64 = 10.0;

/// In how many seconds after staging the first call of a half finished manifest leaves. Staging decides every row again, too.
const SECONDS_TO_FIRST_CALL: f64 = 2.0;

/// How many rows these targets are about, at most.
const JUDGED_ROWS: u32 = 1_000_000;

/// Measures, prints a table, and fails below the targets.
pub(crate) fn measure(asked: &Again) -> ExitCode {
    let bench = Bench::new(asked.tool.directory.as_deref());
    machine::describe(&asked.tool.path);
    let setting = Setting {
        rows: asked.rows,
        latency: 0,
        manifest: asked.manifest,
        tls: Tls::No,
        concurrency: CONCURRENCY,
    };
    let manifest = bench.manifest(setting);
    let workplace = bench.workplace(&asked.tool.path);
    let run = |url: &str| workplace.run(&manifest, url, CONCURRENCY, None);
    let half = asked.rows / 2;
    println!(
        "\n| what, with {} rows of {} | seconds | peak, MB | calls |\n|---|--:|--:|--:|",
        asked.rows, asked.manifest
    );

    let (first, counts) = against_a_server(|url| {
        let mut command = run(url);
        command.args(["--limit", &half.to_string()]);
        command
    });
    print("the first half of the rows (`--limit`)", first, Some(counts));
    assert_eq!(counts.attached, u64::from(half));

    let began = SystemTime::now();
    let (rest, counts) = against_a_server(run);
    assert_eq!(counts.attached, u64::from(asked.rows - half));
    let first_call = counts.first_call.expect("a call").duration_since(began).expect("time goes on");
    print("the other half", rest, Some(counts));
    println!("| … of which until its first call | {:.2} | | |", first_call.as_secs_f64());

    let (decided, counts) = median_of(asked.rounds, || against_a_server(run));
    assert_eq!(counts.calls, 0, "a finished manifest costs no call");
    print("everything decided again (`--report none`)", decided, Some(counts));
    let mut is_met = decided.time.as_secs_f64() < SECONDS
        && first_call.as_secs_f64() < decided.time.as_secs_f64() + SECONDS_TO_FIRST_CALL;

    for format in FORMATS {
        let name = format!("again.{format}");
        let written = median_of(asked.rounds, || (Process::run(&mut workplace.report(&name)), ())).0;
        print(&format!("`report` as {format}"), written, None);
        is_met &= written.time.as_secs_f64() < SECONDS;
    }
    let shown = median_of(asked.rounds, || (Process::run(&mut workplace.status()), ())).0;
    print("`status`", shown, None);
    if is_met || asked.rows > JUDGED_ROWS {
        return ExitCode::SUCCESS;
    }
    println!(
        "\nMISSED: to be decided again and each report are to take less than {SECONDS} s, and the first call of a half \
         finished manifest is to leave within {SECONDS_TO_FIRST_CALL} s of staging"
    );
    ExitCode::FAILURE
}

fn against_a_server(command: impl FnOnce(&str) -> Command) -> (Process, Counts) {
    let services = Services::start(0, None);
    let process = Process::run(&mut command(&services.url));
    (process, services.end().0)
}

/// The round whose time is the median.
fn median_of<T>(rounds: usize, mut round: impl FnMut() -> (Process, T)) -> (Process, T) {
    let mut rounds: Vec<_> = (0..rounds.max(1)).map(|_| round()).collect();
    let time = median(rounds.iter().map(|(process, _)| process.time));
    let place = rounds.iter().position(|(process, _)| process.time == time).expect("one of them is it");
    rounds.swap_remove(place)
}

fn print(what: &str, process: Process, counts: Option<Counts>) {
    let calls = counts.map_or_else(String::new, |counts| counts.calls.to_string());
    println!("| {what} | {:.2} | {:.1} | {calls} |", process.time.as_secs_f64(), process.megabytes());
}
