//! The ledger: one run at a time, one target, private files, and a key that may get lost.

use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;
use stara_onboard::sandbox::CallKind::{Authenticate, DeleteCredential};

use crate::support::{Bench, growers};

#[test]
fn a_second_run_at_the_same_time_says_who_holds_the_ledger() {
    let rows = growers(200);
    let bench = Bench::slow(&rows);
    let first = bench.run_of("growers.csv", &["--concurrency", "4"]).start();
    bench.until(|world| world.attach_effects_in_all() >= 1);
    let process = format!("process {}", first.pid());
    let second = bench.program().args(["run", "growers.csv", "--report", "none"]).end();
    second.with_code(11).saying(&process).saying("another run holds the ledger state/ledger.db");
    // Reading what is known needs no turn.
    assert!(bench.status(&[])["running"].as_str().unwrap().contains(&process));
    // Another ledger is another turn.
    let elsewhere = ["run", "growers.csv", "--state", "elsewhere/other.db", "--limit", "0"];
    bench.program().args(elsewhere).end().with_code(0);
    first.signal(Signal::INT);
    first.end().with_code(130);
    assert!(bench.status(&[])["running"].is_null());
}

#[test]
fn a_ledger_of_another_target_is_refused_before_any_call() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    let calls = bench.calls();
    let elsewhere = bench.run_of("growers.csv", &["--leaf-url", "https://leaf.invalid"]).end().with_code(2);
    elsewhere.saying("belongs to Stara at this machine").saying("https://leaf.invalid").saying("--state");
    assert_eq!(bench.calls(), calls);
    // On this machine ports come and go.
    let other = Bench::new(&rows);
    std::fs::create_dir(other.path("state")).unwrap();
    for name in ["ledger.db", "ledger.key"] {
        std::fs::copy(bench.path("state").join(name), other.path("state").join(name)).unwrap();
    }
    other.run(&[]).with_code(0);
    assert_eq!(other.calls(), 0);
}

#[test]
fn a_first_run_that_is_refused_binds_the_ledger_to_no_target() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    bench.write("bad.csv", "leafUserId,login,password\nno uuid,ana,secret\n");
    let refused = bench.run_of("bad.csv", &["--strict", "--leaf-url", "https://leaf.invalid"]).end();
    refused.with_code(2).saying("line 2");
    bench.run(&[]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn every_file_of_a_run_is_its_owners_alone() {
    let bench = Bench::slow(&growers(60));
    let arguments = [
        "run",
        "growers.csv",
        "--concurrency",
        "4",
        "--report",
        "r.csv",
        "--report",
        "r.jsonl",
        "--report",
        "r.parquet",
    ];
    let running = bench.program().args(arguments).args(["--log-file", "run.log"]).start();
    bench.until(|world| world.attach_effects_in_all() >= 1);
    // While it runs, so that SQLite's own files are there.
    let modes = |folder: &str| -> Vec<(String, u32)> {
        let entries = bench.path(folder).read_dir().unwrap().map(|entry| entry.unwrap());
        let mode = |entry: std::fs::DirEntry| {
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            (entry.file_name().into_string().unwrap(), mode)
        };
        let mut modes: Vec<_> = entries.map(mode).collect();
        modes.sort();
        modes
    };
    let private = |names: &[&str]| names.iter().map(|&name| (name.to_owned(), 0o600)).collect::<Vec<_>>();
    let during = ["ledger.db", "ledger.db-shm", "ledger.db-wal", "ledger.key", "ledger.lock"];
    assert_eq!(modes("state"), private(&during));
    running.end().with_code(0);
    for report in ["r.csv", "r.jsonl", "r.parquet", "run.log"] {
        let mode = std::fs::metadata(bench.path(report)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{report}");
    }
}

#[test]
fn without_its_key_the_ledger_still_knows_what_is_done_and_refused() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    let mut manifest = rows.clone();
    manifest[2] = rows[2].with_password("not the password");
    bench.write_manifest(&manifest);
    bench.run(&[]).with_code(3);
    let calls = bench.calls();
    std::fs::remove_file(bench.path("state/ledger.key")).unwrap();
    manifest[0] = rows[0].with_login("changed@agro.example");
    bench.write_manifest(&manifest);
    bench.run(&[]).with_code(3).saying("the fingerprint key beside the ledger is missing");
    assert_eq!(bench.outcomes(), ["attached", "attached", "stara-login-rejected"]);
    assert_eq!(bench.calls(), calls, "done stays done, refused stays refused");
    assert_eq!(bench.calls_of(DeleteCredential), 0);
}

#[test]
fn with_another_key_nothing_counts_as_changed() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    let manifest = [rows[0].clone(), rows[1].with_password("not the password")];
    bench.write_manifest(&manifest);
    bench.run(&[]).with_code(3);
    let calls = bench.calls();
    std::fs::write(bench.path("state/ledger.key"), "0".repeat(64)).unwrap();
    bench.run(&[]).with_code(3).saying("the fingerprint key beside the ledger is missing or another one");
    assert_eq!(bench.calls(), calls);
    std::fs::write(bench.path("state/ledger.key"), "no key").unwrap();
    bench.run(&[]).with_code(2).saying("holds no fingerprint key");
    assert_eq!(bench.calls(), calls);
}

#[test]
fn a_key_can_come_from_the_environment() {
    let rows = growers(1);
    let bench = Bench::new(&[]);
    bench.world().seed_credential(rows[0].id, "OK");
    bench.world().remove_credential(rows[0].id);
    let key = "0123456789abcdef".repeat(4);
    let run = || bench.run_of("growers.csv", &[]).env("STARA_ONBOARD_FINGERPRINT_KEY", &key).end();
    bench.write_manifest(&rows);
    run().with_code(3);
    assert!(!bench.path("state/ledger.key").exists());
    run().with_code(3);
    assert_eq!(bench.calls_of(Authenticate), 1);
    bench.write_manifest(&[rows[0].with_password("another one")]);
    run().with_code(3);
    assert_eq!(bench.calls_of(Authenticate), 2, "with its key the changed row is noticed");
}

#[test]
fn a_file_that_is_no_ledger_is_refused_and_left_untouched() {
    let bench = Bench::new(&growers(1));
    std::fs::create_dir(bench.path("state")).unwrap();
    bench.write("state/ledger.db", "the accounts of 1987, in no format that SQLite knows".repeat(100));
    let database = rusqlite::Connection::open(bench.path("state/books.db")).unwrap();
    database
        .execute_batch("CREATE TABLE books (title TEXT); INSERT INTO books VALUES ('Grande Sertão');")
        .unwrap();
    drop(database);
    for state in ["state/ledger.db", "state/books.db"] {
        let before = std::fs::read(bench.path(state)).unwrap();
        bench.run(&["--state", state]).with_code(2).saying("is not a ledger of stara-onboard");
        assert_eq!(std::fs::read(bench.path(state)).unwrap(), before, "{state}");
    }
    assert_eq!(bench.calls(), 0);
}

#[test]
fn a_ledger_of_a_newer_program_is_refused() {
    let bench = Bench::new(&growers(1));
    bench.run(&[]).with_code(0);
    let ledger = rusqlite::Connection::open(bench.path("state/ledger.db")).unwrap();
    ledger.pragma_update(None, "user_version", 99).unwrap();
    drop(ledger);
    let calls = bench.calls();
    bench.run(&[]).with_code(2).saying("was written by a newer stara-onboard (schema 99");
    assert_eq!(bench.calls(), calls);
}

#[test]
fn a_symbolic_link_is_not_followed_to_a_ledger() {
    let bench = Bench::new(&growers(1));
    std::os::unix::fs::symlink(bench.path("elsewhere.db"), bench.path("link.db")).unwrap();
    bench.run(&["--state", "link.db"]).with_code(2).saying("is a symbolic link");
    assert!(!bench.path("elsewhere.db").exists());
    assert_eq!(bench.calls(), 0);
}

#[test]
fn a_ledger_that_can_no_longer_be_written_stops_the_run() {
    let rows = growers(120);
    let bench = Bench::slow(&rows);
    let running = bench.run_of("growers.csv", &["--concurrency", "4"]).start();
    bench.until(|world| world.attach_effects_in_all() >= 8);
    let ledger = rusqlite::Connection::open(bench.path("state/ledger.db")).unwrap();
    ledger.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    ledger.execute_batch("ALTER TABLE users RENAME TO mislaid").unwrap();
    running.end().with_code(8).saying("the ledger state/ledger.db can't be used");
    let effects = bench.world().attach_effects_in_all();
    assert!(effects < rows.len() as u64, "the run went on without its ledger");
    ledger.execute_batch("ALTER TABLE mislaid RENAME TO users").unwrap();
    drop(ledger);
    bench.run(&["--settle", "1s"]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_state_folder_that_cannot_be_made_ends_the_run_before_any_call() {
    let bench = Bench::new(&growers(1));
    bench.write("occupied", "a file stands where the folder would be");
    bench.run(&["--state", "occupied/ledger.db"]).with_code(8).saying("--state");
    bench.program().args(["run", "growers.csv", "--report", "occupied/r.csv"]).end().with_code(8);
    assert_eq!(bench.calls(), 0);
}

#[test]
fn without_a_ledger_there_is_nothing_to_show() {
    let bench = Bench::new(&[]);
    for verb in ["status", "report"] {
        bench.program().args([verb]).end().with_code(2).saying("there is no ledger at state/ledger.db yet");
    }
    assert!(!bench.path("state").exists());
}
