//! The array's script, run by bash as Slurm runs it. What Slurm does was seen at a real one (22.05): when it ends a job it
//! sends SIGTERM to script and program alike.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use super::{deployed, has, prepared_of, say};
use crate::support::{Bench, Grower, growers};

const SCRIPT: &str = "slurm/stara-onboard.sbatch";

/// The folder of the ledgers, on a disk of the node.
fn disk(bench: &Bench) -> PathBuf {
    bench.path("disk")
}

/// Puts a command of Slurm's into the folder `bin`.
fn command(bench: &Bench, name: &str, script: &str) {
    std::fs::create_dir_all(bench.path("bin")).unwrap();
    let path = bench.path("bin").join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

/// A bench with an `scontrol` that only writes down what it is asked for, and a Slurm whose jobs may take as long as they like.
fn with_slurm((bench, rows): (Bench, Vec<Grower>)) -> (Bench, Vec<Grower>) {
    command(&bench, "scontrol", "echo \"$@\" >>scontrol.txt");
    command(&bench, "squeue", "echo NONE");
    (bench, rows)
}

/// Starts a task of an array of four shards.
fn start(bench: &Bench, index: u32, node: &str) -> Child {
    task(bench, index, node).spawn().unwrap()
}

fn task(bench: &Bench, index: u32, node: &str) -> Command {
    task_of(bench, index, node, "4", disk(bench).to_str().unwrap())
}

/// A task with another number of shards, or another folder, than the other tests have.
fn task_of(bench: &Bench, index: u32, node: &str, shards: &str, folder: &str) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_stara-onboard")).parent().unwrap();
    let bin = bench.path("bin");
    let path = format!("{}:{}:{}", bin.display(), program.display(), std::env::var("PATH").unwrap());
    let mut task = Command::new("bash");
    task.arg(deployed(SCRIPT))
        .args(["growers.csv", shards, folder])
        .current_dir(bench.folder())
        .env_clear()
        .envs(bench.environment().into_iter().filter(|(name, _)| *name != "LEAF_TOKEN"))
        .env("PATH", path)
        .env("SLURM_ARRAY_TASK_ID", index.to_string())
        .env("SLURM_JOB_ID", (100 + index).to_string())
        .env("SLURMD_NODENAME", node)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    task
}

#[track_caller]
fn end(task: Child, expected: i32) -> String {
    let Output { status, stderr, .. } = task.wait_with_output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(expected), "{said}");
    said
}

fn requeued(bench: &Bench) -> String {
    std::fs::read_to_string(bench.path("scontrol.txt")).unwrap_or_default()
}

/// Services that are slow enough for a task to be stopped in its middle.
fn slow() -> (Bench, Vec<Grower>) {
    let rows = growers(600);
    let bench = Bench::slow(&rows);
    bench.write("leaf-token", "leaf-token-of-the-file\n");
    with_slurm((bench, rows))
}

#[test]
fn the_script_passes_shellcheck() {
    if !has("shellcheck", "the script for Slurm") {
        return;
    }
    assert_eq!(say("shellcheck", &[deployed(SCRIPT).to_str().unwrap()]), (true, String::new()));
}

#[test]
fn an_array_onboards_everybody_once_and_what_it_collects_makes_one_report() {
    let (bench, rows) = with_slurm(prepared_of(20));
    let tasks: Vec<_> = (0..4).map(|index| start(&bench, index, "node1")).collect();
    for task in tasks {
        end(task, 0);
    }
    bench.expect_one_effect_each(&rows);
    assert_eq!(requeued(&bench), "");
    let mut report = bench.program().args(["report", "results.csv"]);
    for index in 0..4 {
        assert!(disk(&bench).join(format!("ledger.{index}-of-4.db")).exists());
        report = report.args(["--state", &format!("shards/ledger.{index}-of-4.db")]);
    }
    report.end().with_code(0);
    let report = std::fs::read_to_string(bench.path("results.csv")).unwrap();
    assert_eq!(report.lines().count(), rows.len() + 1);
    assert!(!bench.path("shards").join("ledger.0-of-4.key").exists());
}

#[test]
fn a_task_that_slurm_ends_brings_what_is_under_way_to_its_end_and_goes_on_when_it_is_queued_again() {
    let (bench, rows) = slow();
    let task = start(&bench, 1, "node1");
    bench.until(|world| world.attach_effects_in_all() > 0);
    kill_process_group(Pid::from_child(&task), Signal::TERM).unwrap();
    end(task, 143);
    let before = bench.world().attach_effects_in_all();
    assert!(before < 100, "it was stopped in its middle, after {before}");
    assert_eq!(requeued(&bench), "", "whoever ended it knows whether it is to go on");
    // One signal, not two: nothing was cut off.
    let ledger = disk(&bench).join("ledger.1-of-4.db");
    let status = bench.status(&["--state", ledger.to_str().unwrap()]);
    assert!(!status.to_string().contains("attach-unconfirmed"), "{status}");
    let tasks: Vec<_> = (0..4).map(|index| start(&bench, index, "node1")).collect();
    for task in tasks {
        end(task, 0);
    }
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_task_whose_time_is_nearly_up_stops_in_order_and_queues_itself_again() {
    let (bench, _) = slow();
    command(&bench, "squeue", "[ \"$*\" = '-h -j 102 -o %e' ] && date -d '+122 seconds' +%FT%T");
    // At this rate its shard takes half a minute.
    end(task(&bench, 2, "node1").env("STARA_ONBOARD_STARA_RATE", "40/s").spawn().unwrap(), 5);
    assert_eq!(requeued(&bench), "requeue 102\n");
    let ledger = disk(&bench).join("ledger.2-of-4.db");
    let status = bench.status(&["--state", ledger.to_str().unwrap()]);
    assert!(status.to_string().contains("not-reached"), "{status}");
}

#[test]
fn a_task_without_its_ledger_sends_nothing_and_says_where_it_is() {
    let (bench, _) = with_slurm(prepared_of(20));
    end(start(&bench, 3, "node1"), 0);
    let calls = bench.calls();
    let said = end(start(&bench, 3, "node2"), 2);
    assert!(said.contains("lies on node1, and this is node2"), "{said}");
    assert!(said.contains("--nodelist=node1 --array=3"), "{said}");
    std::fs::remove_file(disk(&bench).join("ledger.3-of-4.db")).unwrap();
    let said = end(start(&bench, 3, "node1"), 2);
    assert!(said.contains("is gone"), "{said}");
    assert_eq!(bench.calls(), calls);
}

#[test]
fn a_task_of_another_number_of_shards_or_with_another_folder_sends_nothing() {
    let (bench, _) = with_slurm(prepared_of(20));
    end(start(&bench, 3, "node1"), 0);
    let calls = bench.calls();
    let others = |shards: &str, folder: &str, node: &str| {
        let said = end(task_of(&bench, 3, node, shards, folder).spawn().unwrap(), 2);
        assert_eq!(bench.calls(), calls, "{said}");
        said
    };
    let elsewhere = bench.path("disk-of-node2");
    let said = others("8", elsewhere.to_str().unwrap(), "node2");
    assert!(said.contains("shards of 4") && said.contains("not of 8"), "{said}");
    assert!(!elsewhere.exists());
    let said = others("4", elsewhere.to_str().unwrap(), "node1");
    assert!(said.contains(&format!("lies in {}", disk(&bench).display())), "{said}");
    let said = others("4", "disk", "node1");
    assert!(said.contains("begins with /"), "{said}");
    // The same folder in other letters is the same.
    let folder = format!("{}/", disk(&bench).display());
    end(task_of(&bench, 3, "node1", "4", &folder).spawn().unwrap(), 0);
}

#[test]
fn a_task_that_never_began_leaves_no_claim_to_a_node() {
    let (bench, _) = with_slurm(prepared_of(20));
    std::fs::rename(bench.path("growers.csv"), bench.path("later.csv")).unwrap();
    end(start(&bench, 0, "node1"), 2);
    std::fs::rename(bench.path("later.csv"), bench.path("growers.csv")).unwrap();
    end(start(&bench, 0, "node2"), 0);
}
