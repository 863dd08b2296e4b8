//! How much of a bare program's speed the tool keeps, and what it takes for it.
//!
//! In one go and in turn, against a server of the bench's own: the bare program (the same four calls with reqwest and
//! `buffer_unordered`, and nothing else) and the tool (`--precheck off`, no quota, ledger and report included), each a
//! process of its own with a new server of its own. What is compared are rows per second, processor time a row and peak
//! memory; what is printed are tables in Markdown for `docs/PERFORMANCE.md`, where the method is.
//!
//! ```sh
//! cargo bench --bench throughput                          # quick: 10,000 and 100,000 rows of CSV; fails below the targets
//! cargo bench --bench throughput -- --help
//! cargo bench --bench throughput -- --rows 1000000 --manifest csv,parquet --rounds 1
//! cargo bench --bench throughput -- --rows 10000 --tls no,yes --latency 0,20
//! cargo bench --bench throughput -- again --rows 1000000  # a finished manifest once more, and its reports
//! cargo bench --bench throughput -- rivals                # what one would use instead
//! ```
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    reason = "a bench prints what it measured, and stops when it can't"
)]

mod again;
mod arguments;
mod bare;
mod certificate;
mod comparison;
#[path = "../growers/mod.rs"]
mod growers;
mod machine;
mod manifest;
#[path = "../process/mod.rs"]
mod process;
mod rivals;
mod server;
mod services;
mod setting;
mod targets;
mod tool;
mod world;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Mode};

fn main() -> ExitCode {
    // Cargo says so to every bench.
    let words = std::env::args_os().filter(|word| word != "--bench");
    let arguments = Arguments::parse_from(words);
    match &arguments.mode {
        None => comparison::compare(&arguments.matrix),
        Some(Mode::Again(asked)) => again::measure(asked),
        Some(Mode::Rivals(asked)) => {
            rivals::measure(asked);
            ExitCode::SUCCESS
        }
        Some(Mode::Bare(asked)) => {
            bare::run(asked);
            ExitCode::SUCCESS
        }
        Some(Mode::Serve(asked)) => {
            server::serve(asked);
            ExitCode::SUCCESS
        }
        Some(Mode::WriteManifest(asked)) => {
            manifest::write(asked);
            ExitCode::SUCCESS
        }
    }
}
