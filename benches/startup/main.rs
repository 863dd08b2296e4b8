//! How long it takes until the tool has answered: what is asked for at a prompt, and by schedulers many times an hour.
//!
//! `cargo bench --bench startup [-- TOOL]` starts each command fifty times and prints the medians. It fails where processor
//! time exceeds the target, for that is what the tool can answer for; on an idle machine both times are nearly the same.
//!
//! Each command is measured once more among the thousands of environment variables that a pod of a large namespace has.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench prints what it measured, and stops when it can't"
)]

#[path = "../process/mod.rs"]
mod process;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use process::{Process, median};

/// How often each command is started.
const ROUNDS: usize = 50;

/// How long it may take.
const TARGET: Duration = Duration::from_millis(20);

/// The services of the namespace; each gives its pods seven variables.
const SERVICES_OF_A_NAMESPACE: usize = 500;

/// What is asked, and whether it is about a ledger.
const COMMANDS: [(&[&str], bool); 5] = [
    (&["--version"], false),
    (&["--help"], false),
    (&["run", "--help"], false),
    (&["explain", "attached"], false),
    (&["status"], true),
];

fn main() -> ExitCode {
    // Cargo says so to every bench.
    let named = std::env::args_os().skip(1).find(|word| word != "--bench");
    let tool = named.map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_stara-onboard")), PathBuf::from);
    let directory = tempfile::tempdir().expect("a temporary folder");
    let ledger = make_ledger(&tool, directory.path());
    println!("| command | variables | ms, median | CPU ms, median | peak, MB |\n|---|---|--:|--:|--:|");
    let mut is_met = true;
    for (words, is_about_a_ledger) in COMMANDS {
        for among_services in [0, SERVICES_OF_A_NAMESPACE] {
            let start = |_| {
                let mut command = Command::new(&tool);
                command.args(words).current_dir(directory.path()).envs(variables(among_services));
                if is_about_a_ledger {
                    command.arg("--state").arg(&ledger);
                }
                Process::run(&mut command)
            };
            let started: Vec<Process> = (0..ROUNDS).map(start).collect();
            let time = median(started.iter().map(|process| process.time));
            let processor_time = median(started.iter().map(|process| process.processor_time));
            let peak = median(started.iter().map(Process::megabytes));
            let among = if among_services == 0 { "few" } else { "those of a pod" };
            println!(
                "| `{}` | {among} | {:.1} | {:.1} | {peak:.1} |",
                words.join(" "),
                time.as_secs_f64() * 1e3,
                processor_time.as_secs_f64() * 1e3,
            );
            is_met &= processor_time < TARGET;
        }
    }
    if is_met {
        return ExitCode::SUCCESS;
    }
    println!("MISSED: each is to take less than {TARGET:?} of processor time");
    ExitCode::FAILURE
}

/// A ledger of a rehearsal with a few growers.
fn make_ledger(tool: &Path, directory: &Path) -> PathBuf {
    let manifest = directory.join("growers.csv");
    let rows = (0..10)
        .map(|row| format!("0a1b2c3d-0000-4000-8000-{row:012x},grower{row}@fazenda.example,pw-{row}\n"));
    let text = "leafUserId,login,password\n".to_owned() + &rows.collect::<String>();
    fs::write(&manifest, text).expect("the manifest can be written");
    let ledger = directory.join("ledger.db");
    let mut command = Command::new(tool);
    command.arg("run").arg(&manifest).args([
        "--sandbox",
        "--progress",
        "none",
        "--report",
        "none",
        "--state",
    ]);
    Process::run(command.arg(&ledger).current_dir(directory));
    ledger
}

/// What Kubernetes sets for every service of a pod's namespace.
fn variables(services: usize) -> impl Iterator<Item = (String, String)> {
    let names = [
        "SERVICE_HOST",
        "SERVICE_PORT",
        "PORT",
        "PORT_80_TCP",
        "PORT_80_TCP_PROTO",
        "PORT_80_TCP_PORT",
        "PORT_80_TCP_ADDR",
    ];
    (0..services).flat_map(move |service| {
        names.map(|name| {
            (format!("BILLING_BACKEND_{service}_{name}"), format!("tcp://10.0.0.{}:80", service % 256))
        })
    })
}
