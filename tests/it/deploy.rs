//! What stands in `deploy/` is what a scheduler takes, and what it starts is what the program takes: each command is run
//! against the simulated services.

mod aws_batch;
mod container;
mod cron;
mod debian;
mod indexed_job;
mod kubernetes;
mod scaling_page;
mod shards_night;
mod slurm;
mod systemd;
mod workflows;

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Bench, Grower, growers};

/// The files that start runs. Each says where the rates go, because without them `auto` is slow.
const STARTING: [&str; 6] = [
    "aws-batch/job-definition.json",
    "cron/stara-onboard.crontab",
    "kubernetes/cronjob.yaml",
    "kubernetes/indexed-job.yaml",
    "slurm/stara-onboard.sbatch",
    "systemd/stara-onboard.service",
];

/// The settings that decide how fast a run is.
const SPEEDS: [&str; 3] =
    ["STARA_ONBOARD_STARA_RATE", "STARA_ONBOARD_LEAF_RATE", "STARA_ONBOARD_CONCURRENCY"];

#[test]
fn every_file_that_starts_a_run_has_a_place_for_the_rates() {
    for file in STARTING {
        for name in SPEEDS {
            assert!(read(file).contains(name), "{file} lacks {name}");
        }
    }
}

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
        tell_aloud(&format!("there is no {program}, so that {what_for} isn't checked"));
    }
    found
}

/// Says that something is left out, past the tests' capture, which hides what a test that passes prints.
fn tell_aloud(what: &str) {
    std::io::stderr().write_all(format!("SKIPPED: {what}\n").as_bytes()).unwrap();
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
    prepared_of(3)
}

/// The same with so many growers.
fn prepared_of(count: usize) -> (Bench, Vec<Grower>) {
    let rows = growers(count);
    let bench = Bench::new(&rows);
    bench.write("leaf-token", "leaf-token-of-the-file\n");
    // A container's user is somebody else.
    for name in ["growers.csv", "leaf-token"] {
        std::fs::set_permissions(bench.path(name), std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    (bench, rows)
}
