//! `--quiet`: silence until somebody is needed, and then one line.

use rustix::process::Signal;

use super::with_a_refused_one;
use crate::support::{Bench, growers};

/// The one line that was said.
#[track_caller]
fn one_line(stderr: &str) -> &str {
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.ends_with('\n'));
    stderr.trim_end()
}

#[test]
fn a_quiet_run_is_silent_when_all_is_well_and_says_one_line_when_somebody_is_needed() {
    let mut rows = with_a_refused_one(5);
    let bench = Bench::new(&rows);
    bench.write_manifest(&rows[1..]);
    let ended = bench.run(&["-q"]).with_code(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    bench.write_manifest(&rows);
    let ended = bench.run(&["-q"]).with_code(3);
    let expected = "Run 2: 5 lines, 4 well, 1 up to the grower; report results.jsonl; exit code 3";
    assert_eq!((one_line(&ended.stderr), ended.stdout.as_str()), (expected, ""));
    // The same once more the next night, and silence again once the row is right.
    assert!(bench.run(&["-q"]).with_code(3).stderr.starts_with("Run 3: "));
    rows[0] = growers(1)[0].clone();
    rows[0].join(bench.world());
    bench.write_manifest(&rows);
    let ended = bench.run(&["-q"]).with_code(0);
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_quiet_run_that_stops_early_says_why_and_an_error_keeps_its_lines() {
    let rows: Vec<_> = growers(60).iter().map(|grower| grower.with_password("sandbox:stara-html")).collect();
    let bench = Bench::new(&rows);
    let ended = bench.run(&["-q"]).with_code(4);
    let line = one_line(&ended.stderr);
    assert!(line.contains("; stopped early: ") && line.ends_with("; exit code 4"), "{line}");
    let ended = bench.run_of("nowhere.csv", &["-q"]).end().with_code(2);
    let beginnings: Vec<&str> = ended.stderr.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(beginnings, ["error:", "caused", "hint:"]);
}

#[test]
fn a_quiet_run_that_is_stopped_says_one_line() {
    let bench = Bench::slow(&growers(60));
    let running = bench.run_of("growers.csv", &["-q", "--concurrency", "2"]).start();
    bench.until(|world| world.attach_effects_in_all() >= 1);
    running.signal(Signal::TERM);
    let ended = running.end().with_code(143);
    let line = one_line(&ended.stderr);
    assert!(line.contains("stopped by SIGTERM") && line.contains("not reached"), "{line}");
}

#[test]
fn the_log_file_gets_one_line_of_every_run_quiet_or_not() {
    let rows = with_a_refused_one(3);
    let bench = Bench::new(&rows);
    let logged = |arguments: &[&str], code: i32| {
        let arguments = [arguments, &["--log-file", "run.log", "--progress", "none"]].concat();
        let ended = bench.run(&arguments).with_code(code);
        (ended.stderr.lines().count(), std::fs::read_to_string(bench.path("run.log")).unwrap())
    };
    let (told, log) = logged(&[], 3);
    assert!(told > 1);
    let line = "Run 1: 3 lines, 2 well, 1 up to the grower; report results.jsonl; exit code 3";
    assert_eq!(log.matches(line).count(), 1, "{log}");
    bench.write_manifest(&rows[1..]);
    let (told, log) = logged(&["-q"], 0);
    assert_eq!(told, 0);
    assert_eq!(log.matches("Run 2: 2 lines, 2 well; report results.jsonl; exit code 0").count(), 1, "{log}");
    // A night that doesn't get so far stands there as well.
    bench.write("growers.csv", "leafUserId,login\n");
    let (_, log) = logged(&["-q"], 2);
    assert!(log.contains("run ended with an error") && log.contains("exit_code=2"), "{log}");
}

#[test]
fn a_quiet_detach_says_one_line_of_what_it_left_alone() {
    let rows = growers(3);
    let bench = Bench::new(&rows[..2]);
    bench.run(&[]).with_code(0);
    let detach = |rows: &[crate::support::Grower]| {
        bench.write_manifest(rows);
        bench.program().args(["detach", "growers.csv", "--yes", "-q", "--report", "none"]).end()
    };
    assert_eq!(detach(&rows[..1]).with_code(0).stderr, "");
    let ended = detach(&rows).with_code(3);
    assert!(one_line(&ended.stderr).ends_with("exit code 3"), "{}", ended.stderr);
}
