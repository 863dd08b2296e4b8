//! Told to stop: once, it comes to an end in order; twice, it ends at once. What it leaves behind is true either way.

use std::path::Path;

use rustix::process::Signal;
use stara_onboard::sandbox::Fault;

use crate::support::{Bench, Ended, Grower, growers, read_results, side_by_side};

/// The words of the command that follows this text on stderr, without the program's name.
fn command_after(ended: &Ended, text: &str) -> Vec<String> {
    let (_, rest) = ended.stderr.split_once(text).unwrap_or_else(|| panic!("{text:?} isn't in {ended:?}"));
    let line = rest.lines().next().unwrap();
    line.split_whitespace().skip(1).map(str::to_owned).collect()
}

/// Names in a folder that are no whole report.
fn parts(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).filter(|name| name.contains(".part")).collect()
}

#[test]
fn the_end_of_the_grace_ends_what_hangs_and_still_writes_the_report() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    bench.inject(Fault::hang().for_user(rows[0].id));
    let running = bench.run_of("growers.csv", &["--grace", "100ms"]).start();
    bench.until(|world| world.faults_befallen("hang") == 1 && world.attach_effects_in_all() == 2);
    running.signal(Signal::INT);
    running.end().with_code(130);
    assert_eq!(bench.results()[0].outcome, "attach-unconfirmed");
    bench.run(&["--settle", "1s"]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_second_signal_ends_at_once_and_says_how_to_get_the_report() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    bench.inject(Fault::hang().for_user(rows[0].id));
    bench.write("results.jsonl", "an older report");
    let running = bench.run_of("growers.csv", &["--progress", "lines", "--grace", "10m"]).start();
    bench.until(|world| world.faults_befallen("hang") == 1 && world.attach_effects_in_all() == 2);
    running.signal(Signal::INT);
    running.signal(Signal::TERM);
    let ended = running.end();
    assert!([Some(130), Some(143)].contains(&ended.code), "{ended:?}");
    assert_eq!(std::fs::read_to_string(bench.path("results.jsonl")).unwrap(), "an older report");
    assert_eq!(bench.status(&[])["runs"][0]["exitCode"], ended.code.unwrap());

    let report = command_after(&ended, "The report isn't written yet: ");
    assert_eq!(report, ["report", "results.jsonl"]);
    bench.program().args(report).end().with_code(0);
    assert_eq!(bench.results()[0].outcome, "attach-unconfirmed");
    let resume = command_after(&ended, "To go on: ");
    bench.program().args(resume).args(["--settle", "1s"]).end().with_code(0);
    bench.expect_one_effect_each(&rows);
}

/// A bench whose reports take a while: three of them, of 36 MB each.
fn with_long_reports() -> (Bench, Vec<&'static str>) {
    let rows = growers(1);
    let bench = Bench::new(&rows);
    let remarks = "x".repeat(30_000);
    let lines = (1..1_200).map(|number| {
        let id = crate::support::user(number);
        format!("{id},grower{number},secret,{number}{remarks}\n")
    });
    bench.write("long.csv", format!("leafUserId,login,password,remarks\n{}", lines.collect::<String>()));
    let arguments = vec![
        "--limit",
        "0",
        "--keep-column",
        "remarks",
        "--report",
        "long.csv.jsonl",
        "--report",
        "long.parquet",
    ];
    (bench, arguments)
}

#[test]
fn a_second_signal_while_the_report_is_written_gives_it_up_and_leaves_the_old_one() {
    let (bench, arguments) = with_long_reports();
    bench.write("results.jsonl", "an older report");
    let running = bench.run_of("long.csv", &arguments).start();
    while parts(bench.folder()).is_empty() {
        std::thread::yield_now();
    }
    running.signal(Signal::INT);
    running.signal(Signal::TERM);
    let ended = running.end();
    assert!([Some(130), Some(143)].contains(&ended.code), "{ended:?}");
    assert_eq!(std::fs::read_to_string(bench.path("results.jsonl")).unwrap(), "an older report");
    assert_eq!(parts(bench.folder()), Vec::<String>::new(), "nothing half-written stays behind");
    assert_eq!(bench.status(&[])["runs"][0]["exitCode"], ended.code.unwrap());

    let report = command_after(&ended, "The report isn't written yet: ");
    assert_eq!(report, ["report", "results.jsonl", "long.csv.jsonl", "long.parquet"]);
    bench.program().args(report).end().with_code(0);
    assert_eq!(read_results(&bench.path("results.jsonl")).len(), 1_199);
}

#[test]
fn a_run_that_nobody_listens_to_goes_on_to_its_end() {
    side_by_side([None, Some((Signal::HUP, 129))], |signal| {
        let rows = growers(60);
        let bench = Bench::slow(&rows);
        let running =
            bench.run_of("growers.csv", &["--progress", "lines", "--concurrency", "4"]).start_unheard();
        if let Some((signal, code)) = signal {
            // As when the terminal is closed.
            bench.until(|world| world.attach_effects_in_all() >= 10);
            running.signal(signal);
            assert_eq!(running.end().code, Some(code));
            bench.run(&[]).with_code(0);
        } else {
            assert_eq!(running.end().code, Some(0));
        }
        assert_eq!(bench.outcomes(), vec!["attached"; rows.len()]);
        bench.expect_one_effect_each(&rows);
    });
}

#[test]
fn other_verbs_end_quietly_when_nobody_reads_them() {
    let bench = Bench::new(&growers(1));
    bench.run(&[]).with_code(0);
    for arguments in [vec!["status"], vec!["status", "--json"], vec!["explain"], vec!["report", "again.csv"]]
    {
        let code = bench.program().args(&arguments).start_unheard().end().code;
        assert_eq!(code, Some(0), "{arguments:?}");
    }
}

#[test]
fn a_reader_that_has_stopped_reading_does_not_keep_a_run_from_its_end() {
    let wrong = |grower: &Grower| grower.with_password("sandbox:wrong-password");
    let rows: Vec<Grower> = growers(3_000).iter().map(wrong).collect();
    let bench = Bench::new(&rows);
    // A line for each row that fails, into a pipe that holds a few hundred of them and that nobody empties.
    let arguments = ["--progress", "json", "--max-failures", "100%"];
    assert_eq!(bench.run_of("growers.csv", &arguments).start_unread().end().code, Some(3));
    assert_eq!(bench.outcomes(), vec!["stara-login-rejected"; rows.len()]);
}

#[test]
fn two_signals_end_a_run_whose_errors_nobody_reads_any_more() {
    let rows = growers(20);
    let bench = Bench::new(&rows);
    let running = bench.run_of("growers.csv", &["--progress", "none"]).start_stuck();
    bench.until(|world| world.attach_effects_in_all() == 20);
    // It is at its summary, or about to be.
    running.signal(Signal::TERM);
    running.signal(Signal::INT);
    running.signal(Signal::TERM);
    assert!(matches!(running.end().code, Some(130 | 143)));
    bench.expect_one_effect_each(&rows);
}
