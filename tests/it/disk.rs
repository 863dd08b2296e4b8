//! A disk that is full, can't be written, or isn't there to be listened to: the ledger stays true, and the run says so.

use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use stara_onboard::model::LeafUserId;

use crate::support::{Bench, Grower, Running, growers, side_by_side};

/// A file system of its own, in memory, taken away when this is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one of so many KiB; `None`, said aloud, where that isn't allowed.
    fn mount(at: PathBuf, kib: u32) -> Option<Self> {
        std::fs::create_dir_all(&at).unwrap();
        let options = format!("size={kib}k,mode=700");
        if mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], &at) {
            return Some(Self(at));
        }
        skip("!! SKIPPED: no file system can be mounted here (it takes root)");
        None
    }

    fn remount(&self, options: &str) {
        assert!(mount(&["-o", &format!("remount,{options}")], &self.0), "remount {options}");
    }

    /// Leaves no byte free.
    fn fill(&self) {
        use std::io::Write as _;
        let mut ballast = std::fs::File::create(self.ballast()).unwrap();
        for size in [65_536, 4_096, 512, 1] {
            while ballast.write_all(&vec![7; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, for a test that failed may have left something open.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Says aloud, past the capture of a test's output, that a promise was not looked at.
fn skip(why: &str) {
    use std::io::Write as _;
    std::io::stderr().write_all(format!("{why}\n").as_bytes()).unwrap();
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    Command::new("mount").args(arguments).arg(at).output().is_ok_and(|output| output.status.success())
}

/// Lowers what a process under way may have of something.
fn limit(running: &Running, resource: Resource, most: u64) {
    let limit = Rlimit { current: Some(most), ..getrlimit(resource) };
    prlimit(Pid::from_raw(running.pid()), resource, limit).unwrap();
}

/// Every user that was attached has an intent or an outcome in the ledger, and the ledger is whole.
fn expect_all_known(bench: &Bench, rows: &[Grower]) {
    let ledger = Connection::open(bench.path("state/ledger.db")).unwrap();
    let check: String = ledger.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let known = "SELECT count(*) FROM users WHERE leaf_user_id = ?1 AND (intent_at IS NOT NULL OR outcome = 'attached')";
    let is_known = |id: LeafUserId| -> bool {
        ledger.query_row(known, [id.as_bytes().as_slice()], |row| row.get(0)).unwrap()
    };
    for row in rows {
        let effects = bench.world().attach_effects(row.id);
        assert!(effects <= 1, "attached {effects} times");
        assert!(effects == 0 || is_known(row.id), "attached, and the ledger doesn't know");
    }
}

#[test]
fn a_disk_that_fills_up_in_mid_run_stops_it_and_it_goes_on_once_there_is_room() {
    let rows = growers(300);
    let bench = Bench::slow(&rows);
    let Some(disk) = SmallDisk::mount(bench.path("state"), 8_192) else { return };
    let running = bench.run_of("growers.csv", &["--report", "results.csv"]).start();
    bench.until(|world| world.attach_effects_in_all() >= 20);
    disk.fill();
    let ended = running.end().with_code(8);
    ended.saying("make room").saying("run the same command again");
    assert!(bench.world().attach_effects_in_all() < 300, "it stopped");
    expect_all_known(&bench, &rows);
    disk.make_room();
    bench.run(&["--settle", "1s"]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_limit_on_the_size_of_files_is_a_full_disk_and_not_the_end_of_the_process() {
    let rows = growers(200);
    let bench = Bench::slow(&rows);
    let running = bench.run_of("growers.csv", &[]).start();
    bench.until(|world| world.attach_effects_in_all() >= 20);
    limit(&running, Resource::Fsize, 1);
    let ended = running.end();
    assert_eq!((ended.code, ended.signal), (Some(8), None), "{}", ended.stderr);
    expect_all_known(&bench, &rows);
    bench.run(&["--settle", "1s"]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_disk_without_room_for_the_manifest_is_told_of_before_anything_is_sent() {
    let rows = growers(2_000);
    let bench = Bench::new(&rows);
    for kib in [4, 32, 128] {
        let Some(disk) = SmallDisk::mount(bench.path("state"), kib) else { return };
        let ended = bench.run(&[]).with_code(8);
        assert!(ended.stderr.contains("hint: "), "{kib} KiB: {}", ended.stderr);
        assert!(!ended.stderr.contains("defect"), "{kib} KiB: {}", ended.stderr);
        assert_eq!(bench.calls(), 0, "{kib} KiB");
        disk.remount("size=16m");
        bench.run(&["--limit", "0"]).with_code(0);
    }
}

#[test]
fn a_read_only_disk_is_told_of_before_anything_is_sent() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    let Some(disk) = SmallDisk::mount(bench.path("state"), 4_096) else { return };
    bench.run(&["--limit", "1"]).with_code(0);
    let calls = bench.calls();
    disk.remount("ro");
    let ended = bench.run(&[]).with_code(8);
    ended.saying("is mounted read-only: mount it for writing; or name another place with --state FILE");
    assert_eq!(bench.calls(), calls);
    // SQLite needs to write beside a ledger even to read it, and who looks at one must not need that.
    for verb in [&["status"][..], &["report", "again.csv"], &["events", &rows[0].id.to_string(), "--saved"]] {
        bench.program().args(verb).end().with_code(0);
    }
    assert_eq!(std::fs::read_to_string(bench.path("again.csv")).unwrap().lines().count(), 4);
    disk.remount("rw");
    bench.run(&[]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_canary_is_not_sent_where_its_refusal_could_not_be_written() {
    use stara_onboard::sandbox::CallKind::Authenticate;
    let bench = Bench::new(&growers(3));
    let Some(disk) = SmallDisk::mount(bench.path("state"), 4_096) else { return };
    let expect_withheld = |state: &str| {
        let ended = bench.program().args(["doctor", "growers.csv", "--canary", "2"]).end();
        let said = "not sent, because a refusal couldn't be remembered";
        assert!(ended.stdout.contains(said), "{state}:\n{}", ended.stdout);
        assert_eq!(bench.calls_of(Authenticate), 0, "{state}");
    };
    disk.fill();
    expect_withheld("a full disk without a ledger");
    disk.make_room();
    bench.run(&["--limit", "0"]).with_code(0);
    disk.fill();
    expect_withheld("a full disk with a ledger");
    disk.make_room();
    disk.remount("ro");
    expect_withheld("a disk that can only be read");
    disk.remount("rw");
    bench.run(&[]).with_code(0);
}

#[test]
fn a_state_folder_that_belongs_to_somebody_else_is_told_of_before_anything_is_sent() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new(&growers(1));
    std::fs::create_dir(bench.path("state")).unwrap();
    let open = [
        (bench.folder().to_owned(), 0o755),
        (bench.path("state"), 0o555),
        (bench.path("growers.csv"), 0o644),
    ];
    for (path, mode) in open {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let program = bench.path("stara-onboard");
    std::fs::copy(env!("CARGO_BIN_EXE_stara-onboard"), &program).unwrap();
    let arguments = ["run", "growers.csv", "--report", "none"];
    let Some((code, stderr)) = as_somebody_else(&bench, &program, &arguments) else { return };
    assert_eq!(code, Some(8), "{stderr}");
    assert!(stderr.contains("Permission denied") && stderr.contains("hint: "), "{stderr}");
    assert_eq!(bench.calls(), 0);
}

/// How the program ends for a user who owns nothing, and what it says; `None`, aloud, where nobody else can be become.
fn as_somebody_else(
    bench: &Bench,
    program: &std::path::Path,
    arguments: &[&str],
) -> Option<(Option<i32>, String)> {
    let mut nobody = Command::new("setpriv");
    nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    nobody.args(arguments).current_dir(bench.folder()).envs(bench.environment());
    let Ok(output) = nobody.output() else {
        skip("!! SKIPPED: there is no setpriv here");
        return None;
    };
    let stderr = String::from_utf8(output.stderr).unwrap();
    if stderr.starts_with("setpriv:") {
        skip("!! SKIPPED: nobody else can be become here (it takes root)");
        return None;
    }
    Some((output.status.code(), stderr))
}

#[test]
fn a_ledger_that_somebody_may_not_read_is_never_called_missing() {
    use std::os::unix::fs::PermissionsExt as _;
    let rows = growers(1);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    let id = rows[0].id.to_string();
    for (path, mode) in [(bench.folder().to_owned(), 0o755), (bench.path("state"), 0o700)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let program = bench.path("stara-onboard");
    std::fs::copy(env!("CARGO_BIN_EXE_stara-onboard"), &program).unwrap();
    let asked = bench.calls();
    let verbs: [&[&str]; 8] = [
        &["status"],
        &["status", &id],
        &["status", "--watch"],
        &["report", "again.csv"],
        &["audit"],
        &["events", &id],
        &["events", &id, "--saved"],
        &["state", "forget", &id],
    ];
    for verb in verbs {
        let Some((code, stderr)) = as_somebody_else(&bench, &program, verb) else { return };
        assert_eq!(code, Some(8), "{verb:?}: {stderr}");
        let told =
            ["state/ledger.db can't be used", "Permission denied", "hint: user 65534 may not", "(mode 0700)"];
        for part in told {
            assert!(stderr.contains(part), "{verb:?}: {part:?} isn't in {stderr}");
        }
        assert!(!stderr.contains("no ledger"), "{verb:?}: {stderr}");
    }
    assert_eq!(bench.calls(), asked);
}

#[test]
fn a_report_without_room_is_told_of_and_can_be_written_later() {
    let rows = growers(500);
    let bench = Bench::new(&rows);
    let Some(disk) = SmallDisk::mount(bench.path("reports"), 64) else { return };
    disk.fill();
    for name in ["results.csv", "results.jsonl", "results.parquet"] {
        let path = format!("reports/{name}");
        let run = bench.program().args(["run", "growers.csv", "--report", &path]);
        let ended = run.end().with_code(8);
        ended.saying("the ledger holds the results").saying("stara-onboard report FILE");
        bench.expect_one_effect_each(&rows);
        let left: Vec<_> = std::fs::read_dir(bench.path("reports")).unwrap().collect();
        assert_eq!(left.len(), 1, "only the ballast is left: {left:?}");
        bench.program().args(["report", name]).end().with_code(0);
        assert!(std::fs::metadata(bench.path(name)).unwrap().len() > 0);
    }
}

#[test]
fn a_log_file_without_room_costs_the_log_and_nothing_else() {
    let arguments: [&[&str]; 2] = [&[], &["--log-format", "json"]];
    side_by_side(arguments, |more| {
        let rows = growers(10);
        let bench = Bench::new(&rows);
        let ended = bench.run(&[&["-vvv", "--log-file", "/dev/full"], more].concat()).with_code(0);
        bench.expect_one_effect_each(&rows);
        assert_eq!(bench.outcomes(), ["attached"; 10]);
        assert!(ended.stderr.lines().count() < 60, "it isn't told once a line:\n{}", ended.stderr);
        assert!(!ended.stderr.contains("tracing-subscriber"), "{}", ended.stderr);
    });
}

#[test]
fn a_run_outlives_whoever_listened_to_it() {
    let cases: [&[&str]; 6] = [
        &["--progress", "lines"],
        &["--progress", "json"],
        &["--progress", "bar"],
        &["-vvv"],
        &["-vvv", "--log-format", "json", "--progress", "json"],
        &["-vvv", "--log-file", "/dev/full"],
    ];
    side_by_side(cases, |arguments| {
        let rows = growers(40);
        let bench = Bench::slow(&rows);
        let running = bench.run_of("growers.csv", arguments).start_unheard();
        let ended = running.end();
        assert_eq!((ended.code, ended.signal), (Some(0), None), "{arguments:?}");
        assert_eq!(bench.outcomes(), ["attached"; 40], "{arguments:?}");
        bench.expect_one_effect_each(&rows);
    });
}

#[test]
fn a_failed_run_says_so_by_its_code_when_nobody_listens() {
    let rows = growers(4);
    let bench = Bench::new(&rows);
    bench.write_manifest(&[rows[0].with_password("not the password"), rows[1].clone()]);
    assert_eq!(bench.run_of("growers.csv", &[]).start_unheard().end().code, Some(3));
    bench.write("growers.csv", "nothing of use");
    assert_eq!(bench.run_of("growers.csv", &[]).start_unheard().end().code, Some(2));
    for verb in ["explain", "status"] {
        let heard_by_nobody = bench.program().args([verb]).start_unheard().end();
        assert_eq!((heard_by_nobody.code, heard_by_nobody.signal), (Some(0), None), "{verb}");
    }
}

#[test]
fn streams_that_were_closed_from_the_start_are_no_files_of_ours() {
    let rows = growers(5);
    let bench = Bench::new(&rows);
    let program = env!("CARGO_BIN_EXE_stara-onboard");
    let script = format!("exec '{program}' run growers.csv --report results.jsonl -vvv <&- >&- 2>&-");
    let status = Command::new("sh")
        .args(["-c", &script])
        .current_dir(bench.folder())
        .envs(bench.environment())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    bench.expect_one_effect_each(&rows);
    assert_eq!(bench.outcomes(), ["attached"; 5]);
    let header = std::fs::read(bench.path("state/ledger.db")).unwrap();
    assert!(header.starts_with(b"SQLite format 3\0"));
}

#[test]
fn a_link_or_a_pipe_in_the_place_of_a_file_of_the_ledger_is_refused_and_nothing_behind_it_touched() {
    for name in
        ["ledger.db", "ledger.key", "ledger.lock", "ledger.db-wal", "ledger.db-shm", "ledger.db-journal"]
    {
        for with_ledger in [false, true] {
            let rows = growers(1);
            let bench = Bench::new(&rows);
            std::fs::create_dir(bench.path("state")).unwrap();
            if with_ledger {
                bench.run(&[]).with_code(0);
            }
            let calls = bench.calls();
            let place = bench.path("state").join(name);
            let _may_be_absent = std::fs::remove_file(&place);
            bench.write("precious", "precious");
            std::os::unix::fs::symlink(bench.path("precious"), &place).unwrap();
            bench.run(&[]).with_code(2).saying("is a symbolic link");
            assert_eq!(std::fs::read_to_string(bench.path("precious")).unwrap(), "precious", "{name}");
            std::fs::remove_file(&place).unwrap();
            assert!(Command::new("mkfifo").arg(&place).status().unwrap().success());
            bench.run(&[]).with_code(2).saying("is left untouched");
            let read = bench.program().args(["status"]).end();
            assert!(!read.stderr.contains("defect"), "{name}: {}", read.stderr);
            assert_eq!(bench.calls(), calls, "{name}");
        }
    }
}

#[test]
fn a_process_out_of_file_descriptors_loses_no_row_and_attaches_none_twice() {
    let rows = growers(100);
    let bench = Bench::slow(&rows);
    let patience = ["--max-failures", "100%", "--max-hold", "1s"];
    let running = bench.run_of("growers.csv", &patience).args(["--concurrency", "64"]).start();
    bench.until(|world| world.attach_effects_in_all() >= 5);
    // No connection more than there are, and no file. Whoever can connect to nobody takes the hosts for down.
    limit(&running, Resource::Nofile, 3);
    let ended = running.end();
    assert!(matches!(ended.code, Some(0 | 3 | 5 | 8)), "{ended:?}");
    assert!(!ended.stderr.contains("defect"), "{}", ended.stderr);
    expect_all_known(&bench, &rows);
    bench.run(&["--settle", "1s"]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn garbage_in_the_place_of_sqlites_own_files_costs_nothing_of_the_ledger() {
    let rows = growers(5);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    let calls = bench.calls();
    for name in ["ledger.db-wal", "ledger.db-shm", "ledger.db-journal", "ledger.lock"] {
        bench.write(&format!("state/{name}"), vec![0xa5; 40_000]);
        bench.run(&[]).with_code(0);
        assert_eq!(bench.outcomes(), ["attached"; 5], "{name}");
        assert_eq!(bench.calls(), calls, "{name}: what is done stays done");
    }
}
