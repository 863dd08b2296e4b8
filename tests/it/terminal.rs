//! What stands on a real terminal: tmux shows it. Where tmux is missing these tests say so and are left out, unless
//! `STARA_ONBOARD_NEEDS_TMUX` is set.

use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use stara_onboard::sandbox::{Answer, Calls, Fault, RetryAfter, Trouble, When};

use crate::support::{Bench, growers};

/// How long something may take to appear. It is there for hangs only.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often the screen is looked at.
const LOOK: Duration = Duration::from_millis(40);

/// A terminal with a shell in the bench's folder, in which `so` is the program.
struct Tmux<'a> {
    bench: &'a Bench,
}

impl<'a> Tmux<'a> {
    /// A terminal of so many columns; `None` where there is no tmux.
    fn open(bench: &'a Bench, columns: u16) -> Option<Self> {
        if Command::new("tmux").arg("-V").output().is_err() {
            #[expect(clippy::print_stdout, reason = "what was left out is said aloud")]
            {
                println!("!! LEFT OUT: tmux is missing");
            }
            assert!(std::env::var_os("STARA_ONBOARD_NEEDS_TMUX").is_none(), "tmux is missing");
            return None;
        }
        let tmux = Self { bench };
        let columns = columns.to_string();
        tmux.tell(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-s",
            "one",
            "-x",
            &columns,
            "-y",
            "30",
            "bash --norc",
        ]);
        let mut setting = format!("cd {}; PS1='$ '", bench.folder().display());
        for (name, value) in bench.environment() {
            setting.extend(["; export ", name, "=", value]);
        }
        let program = env!("CARGO_BIN_EXE_stara-onboard");
        tmux.enter(&format!("{setting}; so() {{ command {program} \"$@\"; }}; clear"));
        tmux.until("the shell", |screen| screen.trim_end() == "$");
        Some(tmux)
    }

    fn tell(&self, words: &[&str]) -> String {
        let output = Command::new("tmux")
            .arg("-S")
            .arg(self.bench.path("tmux"))
            .args(words)
            .env_remove("TMUX")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn enter(&self, line: &str) {
        self.tell(&["send-keys", "-t", "one", "-l", line]);
        self.press("Enter");
    }

    fn press(&self, key: &str) {
        self.tell(&["send-keys", "-t", "one", key]);
    }

    fn resize(&self, columns: u16) {
        self.tell(&["resize-window", "-t", "one", "-x", &columns.to_string()]);
    }

    fn screen(&self) -> String {
        self.tell(&["capture-pane", "-p", "-t", "one"])
    }

    /// Waits until the screen looks so, and gives it.
    #[track_caller]
    fn until(&self, what: &str, looks_so: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let screen = self.screen();
            if looks_so(&screen) {
                return screen;
            }
            assert!(began.elapsed() < PATIENCE, "{what} never came:\n{screen}");
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        let _ = Command::new("tmux").arg("-S").arg(self.bench.path("tmux")).arg("kill-server").status();
    }
}

/// How many lines of the screen begin so.
fn lines(screen: &str, beginning: &str) -> usize {
    screen.lines().filter(|line| line.starts_with(beginning)).count()
}

/// Whether the shell waits for a command on the last line.
fn is_back(screen: &str) -> bool {
    screen.trim_end().lines().last() == Some("$")
}

#[test]
fn bars_show_rate_against_quota_and_failures_by_cause_and_leave_nothing_behind() {
    let mut rows = growers(120);
    rows[3] = rows[3].with_password("sandbox:wrong-password");
    for columns in [80, 200] {
        let bench = Bench::new(&rows);
        let Some(tmux) = Tmux::open(&bench, columns) else { return };
        tmux.enter("so run growers.csv --stara-rate 40/s");
        let screen = tmux.until("a failure", |screen| lines(screen, "failed ") == 1);
        assert!(screen.contains("failed   1: stara-login-rejected ×1"), "{screen}");
        assert!(screen.contains("/s of 40/s") && screen.contains("no quota"), "{screen}");
        assert!(screen.contains(" of 120, "), "{screen}");
        let screen = tmux.until("the end", is_back);
        assert!(screen.contains("Run 1: 120 lines of the manifest in "), "{screen}");
        for beginning in ["rows ", "Stara   █", "failed "] {
            assert_eq!(lines(&screen, beginning), 0, "{screen}");
        }
    }
}

#[test]
fn what_is_waited_for_is_told_with_the_time_on_the_wall() {
    let bench = Bench::new(&growers(60));
    let answer = Answer::new(429).retry_after(RetryAfter::Seconds(3_600));
    bench.inject(Fault::new(Calls::All, When::Nth(20), Trouble::Answer(answer)));
    let Some(tmux) = Tmux::open(&bench, 80) else { return };
    tmux.enter("TZ=UTC so run growers.csv --max-hold 2h --concurrency 2");
    let screen = tmux.until("the pause", |screen| screen.contains("429: waits until "));
    let (_, rest) = screen.split_once("429: waits until ").unwrap();
    let (hour, minute) = (&rest[..2], &rest[3..5]);
    assert!(hour.parse::<u8>().unwrap() < 24 && minute.parse::<u8>().unwrap() < 60, "{screen}");
    assert!(rest[8..].starts_with(" (59m ") || rest[8..].starts_with(" (1h)"), "{screen}");
    assert!(screen.contains("— left (Stara asked") || screen.contains("— left (Leaf asked"), "{screen}");
    tmux.press("C-c");
    tmux.until("the stop", |screen| screen.contains("stopping stopped by SIGINT"));
    tmux.press("C-c");
    let screen = tmux.until("the end", is_back);
    assert_eq!(lines(&screen, "rows "), 0, "{screen}");
}

#[test]
fn a_terminal_that_is_resized_shows_each_line_once() {
    let bench = Bench::slow(&growers(400));
    let Some(tmux) = Tmux::open(&bench, 200) else { return };
    tmux.enter("so run growers.csv --stara-rate 20/s");
    tmux.until("the bars", |screen| lines(screen, "rows ") == 1);
    // No line of a run is longer than eighty letters, but where there is much to say.
    for columns in [80, 100, 200, 80, 120] {
        tmux.resize(columns);
        let is_redrawn = |screen: &str| {
            lines(screen, "rows ") == 1 && lines(screen, "Stara ") == 1 && lines(screen, "Leaf ") == 1
        };
        tmux.until("the redrawn bars", is_redrawn);
    }
    tmux.press("C-c");
    tmux.until("the end", is_back);
}

#[test]
fn a_run_that_is_stopped_leaves_a_clean_line_and_draws_again_when_it_goes_on() {
    let bench = Bench::slow(&growers(400));
    let Some(tmux) = Tmux::open(&bench, 100) else { return };
    tmux.enter("so run growers.csv --stara-rate 20/s");
    tmux.until("the bars", |screen| lines(screen, "rows ") == 1);
    tmux.press("C-z");
    let screen = tmux.until("the shell", is_back);
    assert!(screen.contains("Stopped"), "{screen}");
    assert_eq!(lines(&screen, "rows "), 0, "{screen}");
    tmux.enter("fg");
    tmux.until("the bars", |screen| lines(screen, "rows ") == 1);
    tmux.press("C-c");
    let screen = tmux.until("the end", is_back);
    assert!(screen.contains("stopped: stopped by SIGINT"), "{screen}");
    assert_eq!(lines(&screen, "rows "), 0, "{screen}");
}

#[test]
fn log_lines_stand_whole_above_the_bars() {
    let bench = Bench::new(&growers(60));
    let Some(tmux) = Tmux::open(&bench, 200) else { return };
    tmux.enter("so run growers.csv --stara-rate 30/s -vv");
    tmux.until("bars below a log", |screen| screen.contains(" DEBUG ") && lines(screen, "rows ") == 1);
    let screen = tmux.until("the end", is_back);
    assert_eq!(lines(&screen, "rows "), 0, "{screen}");
    for line in screen.lines().filter(|line| line.contains(" DEBUG ")) {
        assert!(line.starts_with("20"), "a log line begins a line: {screen}");
    }
}

#[test]
fn colours_and_bars_are_left_out_where_they_are_not_wanted() {
    let bench = Bench::slow(&growers(300));
    let Some(tmux) = Tmux::open(&bench, 80) else { return };
    tmux.enter("NO_COLOR=1 so run growers.csv --stara-rate 40/s");
    tmux.until("some progress", |screen| screen.contains("rows     █"));
    let coloured = tmux.tell(&["capture-pane", "-e", "-p", "-t", "one"]);
    assert!(!coloured.contains('\u{1b}'), "{coloured:?}");
    tmux.press("C-c");
    tmux.until("the end", is_back);
    tmux.enter("clear; TERM=dumb so run growers.csv --stara-rate 40/s");
    tmux.until("a line", |screen| screen.contains("reading the manifest"));
    tmux.until("the opening", |screen| screen.contains("to do of 300"));
    assert_eq!(lines(&tmux.screen(), "rows "), 0);
    tmux.press("C-c");
    tmux.until("the end", is_back);
}

#[test]
fn a_run_is_followed_from_another_terminal_until_it_ends() {
    let bench = Bench::slow(&growers(400));
    let Some(tmux) = Tmux::open(&bench, 80) else { return };
    let running = bench.run_of("growers.csv", &["--stara-rate", "50/s"]).start();
    bench.until(|world| world.attach_effects_in_all() >= 3);
    tmux.enter("so status --watch 1");
    let screen = tmux.until("the run", |screen| screen.contains(" of 400, "));
    assert!(screen.contains("watching state/ledger.db: process "), "{screen}");
    tmux.until("the rates", |screen| screen.contains("/s of 50.0/s"));
    // Whoever has seen enough leaves a clean screen, and the run goes on.
    tmux.press("C-c");
    let screen = tmux.until("the prompt", is_back);
    assert_eq!((lines(&screen, "rows "), lines(&screen, "Leaf ")), (0, 0), "{screen}");
    tmux.enter("clear; so status --watch 1");
    tmux.until("the rates again", |screen| screen.contains("/s of 50.0/s"));
    running.signal(Signal::TERM);
    running.end().with_code(143);
    let screen = tmux.until("the end", is_back);
    assert!(screen.contains("Stopped early: stopped by SIGTERM"), "{screen}");
    assert!(screen.contains("It ended with exit code 143."), "{screen}");
    assert_eq!(lines(&screen, "rows "), 0, "{screen}");
}

#[test]
fn a_run_that_dies_and_is_begun_again_before_the_next_look_is_told_of_and_its_successor_is_followed() {
    let bench = Bench::slow(&growers(100));
    let running = bench.run_of("growers.csv", &["--stara-rate", "20/s"]).start();
    bench.until(|world| world.attach_effects_in_all() >= 3);
    let shown = bench.path("shown");
    let watching = bench.program().args(["status", "--watch", "4"]);
    let watching = watching.start_writing(std::fs::File::create(&shown).unwrap());
    let began = Instant::now();
    while std::fs::read(&shown).unwrap().is_empty() {
        assert!(began.elapsed() < PATIENCE, "it shows nothing");
        std::thread::sleep(LOOK);
    }
    running.signal(Signal::KILL);
    assert_eq!(running.end().signal, Some(9));
    bench.run(&["--settle", "5s", "--stara-rate", "20/s"]).with_code(0);
    watching.end().with_code(0);
    let shown = std::fs::read_to_string(shown).unwrap();
    assert!(shown.contains("Run 1 of growers.csv died: "), "{shown}");
    assert!(shown.contains("Run 2: 100 lines"), "{shown}");
}

#[test]
fn without_a_terminal_a_run_is_followed_in_lines_and_a_death_is_told() {
    let bench = Bench::slow(&growers(400));
    let running = bench.run_of("growers.csv", &["--stara-rate", "20/s"]).start();
    bench.until(|world| world.attach_effects_in_all() >= 3);
    let watching = bench.program().args(["status", "--watch", "1"]).start();
    watching.until_said("watching state/ledger.db");
    running.signal(Signal::KILL);
    assert_eq!(running.end().signal, Some(9));
    let ended = watching.end().with_code(5);
    assert!(ended.stdout.contains("Run 1 of growers.csv died: "), "{}", ended.stdout);
    assert!(ended.stdout.contains("the same command resumes"), "{}", ended.stdout);
    let idle = bench.program().args(["status", "--watch"]).end();
    assert!(idle.with_code(5).stdout.contains("died"));
    // An attach that was announced and never left is settled first.
    bench.run(&["--settle", "1s"]).with_code(0);
    let idle = bench.program().args(["status", "--watch"]).end().with_code(0);
    assert!(idle.stdout.starts_with("No run is at work. The latest:\nRun 2: "), "{}", idle.stdout);
}

#[test]
fn a_manifests_name_commands_no_terminal_of_who_looks_at_the_ledger() {
    let bench = Bench::slow(&growers(200));
    let name = "m\u{1b}[2J\u{1b}]0;pwn\u{7}\u{9b}31m.csv";
    std::fs::rename(bench.path("growers.csv"), bench.path(name)).unwrap();
    let running = bench.run_of(name, &["--stara-rate", "20/s"]).start();
    bench.until(|world| world.attach_effects_in_all() >= 1);
    running.signal(Signal::KILL);
    assert_eq!(running.end().signal, Some(9));
    let shown = |arguments: &[&str], code| {
        let ended = bench.program().args(arguments).end().with_code(code);
        assert!(!ended.stdout.contains(|letter: char| letter.is_control() && letter != '\n'), "{ended:?}");
        assert!(!ended.stderr.contains(['\u{1b}', '\u{7}', '\u{9b}']), "{ended:?}");
        ended.stdout
    };
    assert!(shown(&["status"], 0).contains("200 lines of m\u{fffd}[2J\u{fffd}]0;pwn"));
    assert!(shown(&["status", "--watch"], 5).contains("Run 1 of m\u{fffd}[2J\u{fffd}]0;pwn"));
    // A program gets the name as it is, and JSON's escapes keep it harmless.
    assert_eq!(bench.status(&[])["runs"][0]["manifest"], name);
}
