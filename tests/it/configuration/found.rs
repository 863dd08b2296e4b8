//! The file that is found by itself: it must be safe, and what was read is said.

use std::os::unix::fs::{PermissionsExt as _, chown, lchown};
use std::process::Command;

use super::FILE;
use crate::support::{Bench, growers};

/// Somebody who is neither root nor whoever runs the tests.
const STRANGER: u32 = 12_345;

fn set_mode(bench: &Bench, mode: u32) {
    std::fs::set_permissions(bench.path(FILE), std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Expects that no verb takes anything from the file, and that each says how it can be meant.
#[track_caller]
fn expect_refused(bench: &Bench, why: &str) {
    for arguments in [
        &["run", "growers.csv"][..],
        &["run", "growers.csv", "-q"],
        &["plan", "growers.csv"],
        &["check", "growers.csv"],
        &["audit"],
        &["status"],
        &["doctor"],
        &["run", "--show-settings"],
    ] {
        let ended = bench.program().args(arguments).end().with_code(2);
        let ended = ended.saying(&format!("the settings file {FILE}")).saying(why);
        ended.saying("hint: nothing was done; ").saying(&format!("--config {FILE}")).saying("--config none");
    }
    assert_eq!(bench.calls(), 0);
    assert!(!bench.path("state").exists());
}

/// Expects that the file is read when it is named.
#[track_caller]
fn expect_read_when_named(bench: &Bench) {
    let named = bench.program().args(["run", "growers.csv", "--config", FILE]).end().with_code(0);
    named.saying(&format!("settings from {FILE}"));
    assert!(bench.path("from-the-file.jsonl").exists());
}

#[test]
fn a_file_that_everybody_may_write_to_is_read_only_when_it_is_named() {
    let bench = Bench::new(&growers(1));
    bench.write(FILE, "report = ['from-the-file.jsonl']\n");
    for mode in [0o666, 0o602] {
        set_mode(&bench, mode);
        expect_refused(&bench, "can be written to by everybody");
    }
    bench.run(&["--config", "none"]).with_code(0);
    assert!(!bench.path("from-the-file.jsonl").exists());
    expect_read_when_named(&bench);
}

#[test]
fn a_file_of_ones_own_is_read_though_the_group_may_write_to_it() {
    let bench = Bench::new(&growers(1));
    bench.write(FILE, "report = ['from-the-file.jsonl']\n");
    set_mode(&bench, 0o664);
    bench.program().args(["run", "growers.csv"]).end().with_code(0);
    assert!(bench.path("from-the-file.jsonl").exists());
}

#[test]
fn a_file_or_a_link_of_somebody_else_is_read_only_when_it_is_named() {
    let bench = Bench::new(&growers(1));
    bench.write(FILE, "report = ['from-the-file.jsonl']\n");
    if let Err(error) = chown(bench.path(FILE), Some(STRANGER), None) {
        eprintln!("skipped: only root can give files away: {error}");
        return;
    }
    expect_refused(&bench, "belongs to somebody else (user 12345)");
    expect_read_when_named(&bench);

    let bench = Bench::new(&growers(1));
    bench.write("mine.toml", "report = ['from-the-file.jsonl']\n");
    std::os::unix::fs::symlink("mine.toml", bench.path(FILE)).unwrap();
    lchown(bench.path(FILE), Some(STRANGER), None).unwrap();
    expect_refused(&bench, "belongs to somebody else (user 12345)");
    lchown(bench.path(FILE), Some(0), None).unwrap();
    bench.program().args(["run", "growers.csv"]).end().with_code(0);
    assert!(bench.path("from-the-file.jsonl").exists());
}

#[test]
fn what_is_no_regular_file_is_refused_at_once_and_never_waited_for() {
    let bench = Bench::new(&growers(1));
    assert!(Command::new("mkfifo").arg(bench.path(FILE)).status().unwrap().success());
    expect_refused(&bench, "is no regular file");
    std::fs::remove_file(bench.path(FILE)).unwrap();
    std::fs::create_dir(bench.path(FILE)).unwrap();
    expect_refused(&bench, "is no regular file");
}

#[test]
fn a_pipe_that_is_named_is_read() {
    let bench = Bench::new(&growers(1));
    let run = bench.program().args(["run", "growers.csv", "--config", "/dev/stdin"]);
    let report = bench.path("from-the-pipe.jsonl");
    run.stdin(format!("report = ['{}']\n", report.display())).end().with_code(0);
    assert!(report.exists());
}

#[test]
fn each_verb_that_talks_to_the_services_says_which_file_was_read() {
    let bench = Bench::new(&growers(1));
    let id = growers(1)[0].id.to_string();
    bench.write(FILE, "concurrency = 4\n");
    for arguments in [
        &["run", "growers.csv"][..],
        &["run", "growers.csv", "--dry-run"],
        &["plan", "growers.csv"],
        &["audit"],
        &["doctor"],
        &["detach", &id, "--yes"],
    ] {
        let said = |more: &[&str]| bench.program().args(arguments).args(more).end().stderr;
        let lines = |stderr: &str| stderr.lines().filter(|line| line.starts_with("settings from")).count();
        let aloud = said(&[]);
        assert!(aloud.starts_with("settings from stara-onboard.toml\n"), "{arguments:?}: {aloud}");
        assert_eq!(lines(&aloud), 1, "{arguments:?}: {aloud}");
        assert_eq!(lines(&said(&["-q"])), 0, "{arguments:?}");
        assert_eq!(lines(&said(&["--config", "none"])), 0, "{arguments:?}");
        for quietly in [&[][..], &["-q"]] {
            let log = bench.path("x.log");
            let stderr = said(&[&["--log-file", "x.log"], quietly].concat());
            assert_eq!(lines(&stderr), usize::from(quietly.is_empty()), "{arguments:?}: {stderr}");
            let logged = std::fs::read_to_string(&log).unwrap();
            assert_eq!(logged.matches("settings from stara-onboard.toml").count(), 1, "{logged}");
            std::fs::remove_file(log).unwrap();
        }
    }
}

#[test]
fn the_file_is_named_before_what_it_leads_to_is_refused() {
    let bench = Bench::new(&growers(1));
    bench.write(FILE, "report = ['results.txt']\n");
    let ended = bench.program().args(["run", "growers.csv"]).end().with_code(2);
    assert!(ended.stderr.starts_with("settings from stara-onboard.toml\nerror: "), "{}", ended.stderr);
}

#[test]
fn a_variable_that_sets_nothing_is_kept_for_the_log_where_nothing_is_to_be_said() {
    let bench = Bench::new(&growers(1));
    let warning = "the environment variable STARA_ONBOARD_LEAFRATE sets nothing";
    let run = |arguments: &[&str]| {
        bench.run_of("growers.csv", arguments).env("STARA_ONBOARD_LEAFRATE", "5/s").end().with_code(0).stderr
    };
    assert_eq!(run(&["-q", "--log-file", "x.log"]), "");
    let logged = || std::fs::read_to_string(bench.path("x.log")).unwrap();
    assert_eq!(logged().matches(warning).count(), 1, "{}", logged());
    assert_eq!(run(&["--log-file", "x.log"]).matches(warning).count(), 1);
    assert_eq!(logged().matches(warning).count(), 2, "{}", logged());
    // Without a log it would be said nowhere, and somebody is needed.
    let alone = run(&["-q"]);
    assert!(alone.starts_with(&format!("warning: {warning}")) && alone.lines().count() == 1, "{alone}");
}
