//! What stands in `deploy/` is what a scheduler takes, and what it starts is what the program takes: each command is run
//! against the simulated services.

mod cron;
mod kubernetes;
mod systemd;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Bench, Grower, growers};

/// A file of `deploy/`.
fn deployed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(deployed(name)).unwrap()
}

/// Whether there is such a program. Where there is none, says aloud that something isn't checked.
fn has(program: &str, what_for: &str) -> bool {
    let found =
        Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap().status.success();
    if !found {
        // Past the tests' capture, which hides what a test that passes prints.
        let aloud = format!("SKIPPED: there is no {program}, so that {what_for} isn't checked\n");
        std::io::stderr().write_all(aloud.as_bytes()).unwrap();
    }
    found
}

/// What a program says, with whether it was content.
fn say(program: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.success(), said)
}

/// Services that know three growers, and a folder with what the pages say should be there.
fn prepared() -> (Bench, Vec<Grower>) {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    bench.write("leaf-token", "leaf-token-of-the-file\n");
    (bench, rows)
}
