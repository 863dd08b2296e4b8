//! `--quiet`: silence until somebody is needed, and then one line.

use rustix::process::Signal;

use super::with_a_refused_one;
use crate::support::{Bench, csv_of, growers};

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
    // Silence again once the row is right.
    rows[0] = growers(1)[0].clone();
    rows[0].join(bench.world());
    bench.write_manifest(&rows);
    let ended = bench.run(&["-q"]).with_code(0);
    assert_eq!(ended.stderr, "");
}

#[test]
fn the_same_rows_waiting_for_somebody_are_no_news_the_next_night_but_another_one_is() {
    let rows = with_a_refused_one(6);
    // Leaf doesn't know the last one.
    let bench = Bench::new(&rows[..5]);
    let told = |code| bench.run(&["-q"]).with_code(code).stderr;
    assert!(one_line(&told(3)).contains("1 up to the grower"));
    assert_eq!(told(3), "", "nothing is new");
    // Another order is no news either, and another row is.
    let turned: Vec<_> = rows[..5].iter().rev().cloned().collect();
    bench.write_manifest(&turned);
    assert_eq!(told(3), "");
    bench.write_manifest(&rows);
    assert!(one_line(&told(3)).starts_with("Run 4: "));
    assert_eq!(told(3), "", "that one is no news any more, though it was looked at again");
    // After a week it is said again, and since when it has been so.
    let ledger = rusqlite::Connection::open(bench.path("state/ledger.db")).unwrap();
    let week_ago = "json_set(value, '$.at', json_extract(value, '$.at') - 604800000)";
    ledger.execute(&format!("UPDATE facts SET value = {week_ago} WHERE name = 'told'"), []).unwrap();
    assert!(one_line(&told(3)).contains("; exit code 3; nothing new since 2"));
    assert_eq!(told(3), "");
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
fn the_page_asks_nobody_to_mend_a_run_that_was_stopped_by_a_signal() {
    let bench = Bench::slow(&growers(60));
    let running =
        bench.run_of("growers.csv", &["-q", "--concurrency", "2", "--report", "night.html"]).start();
    bench.until(|world| world.attach_effects_in_all() >= 1);
    running.signal(Signal::INT);
    running.end().with_code(130);
    let page = std::fs::read_to_string(bench.path("night.html")).unwrap();
    assert!(page.contains("Stopped by SIGINT.</strong> Run the same command again: it goes on"), "{page}");
    assert!(!page.contains("that is mended"), "{page}");
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

#[test]
fn a_manifest_that_lost_users_since_it_was_run_last_is_news_once_though_every_row_is_well() {
    let rows = growers(6);
    let bench = Bench::new(&rows);
    let told = |rows: &[crate::support::Grower]| {
        bench.write_manifest(rows);
        let ended = bench.run(&["-q", "--metrics", "night.prom"]).with_code(0);
        (ended.stderr, super::metrics(&bench).value("vanished_users", &[]))
    };
    assert_eq!(told(&rows), (String::new(), 0.0));
    let (stderr, vanished) = told(&rows[..2]);
    let expected = "Run 2: 2 lines, 2 well; 4 users of the ledger not in the manifest; report results.jsonl; exit code 0; \
                    4 of them there when it was run last: was the manifest cut off?";
    assert_eq!((one_line(&stderr), vanished), (expected, 4.0));
    assert_eq!(told(&rows[..2]), (String::new(), 4.0), "it was said; the metrics say it still");
    assert!(one_line(&told(&rows[..1]).0).contains("; 1 of them there"), "one more");
    assert_eq!(told(&rows), (String::new(), 0.0), "all are back");
    assert!(one_line(&told(&rows[3..]).0).contains("; 3 of them there"), "and gone again");
}

#[test]
fn a_manifest_beside_another_one_lost_nobody_whom_the_other_brought() {
    let rows = growers(6);
    let bench = Bench::new(&rows);
    let told = |name: &str, rows: &[crate::support::Grower]| {
        bench.write(name, csv_of(rows));
        bench.run_of(name, &["-q"]).end().with_code(0).stderr
    };
    assert_eq!(told("north.csv", &rows[..2]), "");
    assert!(
        one_line(&told("south.csv", &rows[2..5])).contains("; 2 of them there"),
        "a name may be that of a day"
    );
    assert_eq!(told("north.csv", &rows[..2]), "");
    assert_eq!(told("south.csv", &rows[2..]), "");
    assert_eq!(told("north.csv", &rows[..2]), "");
    assert!(one_line(&told("south.csv", &rows[3..])).contains("; 1 of them there"));
}

#[test]
fn another_broken_line_is_news_and_so_is_what_came_back_after_a_run_that_was_told_aloud() {
    let rows = growers(6);
    let bench = Bench::new(&rows);
    let broken = |at: usize| {
        let text = csv_of(&rows);
        let lines = text.lines().enumerate();
        // Half a UUID: nobody can tell whose line it is.
        lines.map(|(line, text)| if line == at { &text[18..] } else { text }).collect::<Vec<_>>().join("\n")
    };
    let told = |manifest: String, more: &[&str], code| {
        bench.write("growers.csv", manifest);
        bench.run(more).with_code(code).stderr
    };
    assert!(one_line(&told(broken(2), &["-q"], 3)).contains("1 up to you"));
    assert_eq!(told(broken(2), &["-q"], 3), "", "nothing is new");
    assert!(one_line(&told(broken(5), &["-q"], 3)).contains("1 up to you"), "somebody else's line");
    // Mended by hand, and seen to be.
    told(broken(99), &[], 0);
    assert!(one_line(&told(broken(5), &["-q"], 3)).contains("1 up to you"), "it came back");
    // Whoever saw the summary was told.
    assert!(!told(broken(2), &[], 3).is_empty());
    assert_eq!(told(broken(2), &["-q"], 3), "");
}
