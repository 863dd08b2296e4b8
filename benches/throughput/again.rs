//! A manifest that is half finished, then finished: how soon the first call leaves, how fast everything is decided again without
//! a call, and how fast the reports are written.

use std::process::Command;
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

/// Measures, and prints a table.
pub(crate) fn measure(asked: &Again) {
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

    for format in FORMATS {
        let name = format!("again.{format}");
        let written = median_of(asked.rounds, || (Process::run(&mut workplace.report(&name)), ())).0;
        print(&format!("`report` as {format}"), written, None);
    }
    let shown = median_of(asked.rounds, || (Process::run(&mut workplace.status()), ())).0;
    print("`status`", shown, None);
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
