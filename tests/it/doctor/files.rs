//! What lies on this machine: the manifest, the ledger with its key and its folder, and the disk.

use std::os::unix::fs::PermissionsExt as _;

use stara_onboard::checkpoint::RunLock;

use super::{Checkup, doctor};
use crate::support::{Bench, growers};

fn allow(bench: &Bench, name: &str, mode: u32) {
    std::fs::set_permissions(bench.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_manifest_that_others_may_read_is_a_warning() {
    let bench = Bench::new(&growers(2));
    for mode in [0o644, 0o640, 0o604, 0o660] {
        allow(&bench, "growers.csv", mode);
        let checkup = Checkup::of(&bench.program().args(["doctor", "growers.csv", "--json"]).end());
        checkup.expect(&["manifest-mode"], &[]).expect_said("manifest-mode", &format!("mode {mode:04o}"));
        checkup.expect_said("manifest-mode", "chmod 600 growers.csv");
    }
    let piped = bench
        .program()
        .args(["doctor", "-", "--json"])
        .stdin(std::fs::read(bench.path("growers.csv")).unwrap());
    Checkup::of(&piped.end()).expect(&[], &[]).expect_said("manifest", "2 rows");
}

#[test]
fn a_manifest_that_cannot_be_run_is_a_problem_and_lines_that_are_no_rows_a_warning() {
    let bench = Bench::new(&growers(2));
    bench.write("growers.csv", "leafUserId,login\nx,y\n");
    Checkup::of(&doctor(&bench, &[]).end()).expect(&[], &["manifest"]).expect_said("manifest", "password");
    bench.write("growers.csv", "leafUserId,login,password\nnobody,ana,the-password-of-ana\n");
    let ended = doctor(&bench, &[]).end();
    Checkup::of(&ended).expect(&[], &["manifest"]).expect_said("manifest", "has no row");
    assert!(!ended.stdout.contains("the-password-of-ana"));
    let id = growers(1)[0].id;
    bench.write("growers.csv", format!("leafUserId,login,password\nnobody,ana,a\n{id},ana,a\n"));
    Checkup::of(&doctor(&bench, &[]).end())
        .expect(&["manifest"], &[])
        .expect_said("manifest", "1 rows, and 1 line");
}

#[test]
fn a_ledger_after_a_run_is_in_order_and_a_checkup_changes_nothing_of_it() {
    let bench = Bench::new(&growers(2));
    bench.run(&[]).with_code(0);
    let before = bench.status(&[]);
    Checkup::of(&doctor(&bench, &[]).end()).expect(&[], &[]).expect_said("ledger", "mode 0600");
    assert_eq!(bench.status(&[]), before);
}

#[test]
fn a_ledger_that_others_may_read_one_without_its_key_and_one_that_is_held_are_warnings() {
    let bench = Bench::new(&growers(2));
    bench.run(&[]).with_code(0);
    let checkup_now = || Checkup::of(&doctor(&bench, &[]).end());
    allow(&bench, "state/ledger.db", 0o644);
    allow(&bench, "state/ledger.key", 0o640);
    checkup_now()
        .expect(&["ledger", "fingerprint-key"], &[])
        .expect_said("fingerprint-key", "chmod 600 state/ledger.key");
    allow(&bench, "state/ledger.db", 0o600);
    std::fs::remove_file(bench.path("state/ledger.key")).unwrap();
    checkup_now()
        .expect(&["fingerprint-key"], &[])
        .expect_said("fingerprint-key", "no row counts as changed");
    allow(&bench, "state", 0o777);
    let lock = RunLock::acquire(&bench.path("state/ledger.db")).unwrap();
    let checkup = checkup_now();
    checkup.expect(&["state-folder", "fingerprint-key", "run-lock"], &[]);
    checkup.expect_said("run-lock", &format!("process {}", std::process::id()));
    drop(lock);
}

#[test]
fn what_a_run_would_refuse_as_its_ledger_is_a_problem() {
    let bench = Bench::new(&growers(2));
    bench.run(&[]).with_code(0);
    let elsewhere = doctor(&bench, &["--allow-insecure-http"]).env("STARA_URL", "http://stara.invalid");
    let checkup = Checkup::of(&elsewhere.end());
    checkup.expect(&[], &["name of stara", "ledger"]).expect_said("ledger", "belongs to");
    bench.write("other.db", "shopping list: milk");
    let checkup = Checkup::of(&doctor(&bench, &["--state", "other.db"]).end());
    checkup.expect(&[], &["ledger"]).expect_said("ledger", "is not a ledger");
    bench.write("state/ledger.key", "short");
    let checkup = Checkup::of(&doctor(&bench, &[]).end());
    checkup.expect(&[], &["ledger"]).expect_said("ledger", "64 hexadecimal digits");
}

#[cfg(target_os = "linux")]
#[test]
fn a_place_that_takes_no_file_is_a_problem_whatever_its_mode_says() {
    let bench = Bench::new(&growers(1));
    // Even root makes no file there.
    let checkup = Checkup::of(&doctor(&bench, &["--state", "/proc/stara/ledger.db"]).end());
    let problems = checkup.with("problem");
    assert!(problems.contains(&"state-folder".to_owned()), "{:#}", checkup.0);
    checkup
        .expect_said("state-folder", "nothing can be written in /proc")
        .expect_said("state-folder", "--state FILE");
}

#[test]
fn a_limit_on_open_files_below_what_the_rows_under_way_take_is_a_warning() {
    let bench = Bench::new(&growers(1));
    let checkup = Checkup::of(&doctor(&bench, &["--concurrency", "10000"]).end());
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let is_low = limit.is_some_and(|limit| limit < 20_064);
    assert_eq!(checkup.with("warning").contains(&"open-files".to_owned()), is_low, "{:#}", checkup.0);
}
