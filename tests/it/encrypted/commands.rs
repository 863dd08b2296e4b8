//! Manifests that a command decrypts.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::files::{Recipient, gzip, has};

use crate::support::leaks::Needles;
use crate::support::{Bench, Grower, Invocation, csv_of, growers, may_unshare_processes, side_by_side};

/// How long a process that was killed may take to be gone. It is there for hangs only.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_command_gets_the_file_by_name_or_on_its_stdin_and_its_output_is_the_manifest() {
    let growers = growers(5);
    let cases = [
        "gzip -dc {}",
        "gzip -dc",
        "cat {} | gzip -dc",
        "gzip -dc < '{}'",
        "sh -c 'gzip -dc \"$0\"' {}",
        "X=1 gzip -d --stdout",
    ];
    side_by_side(cases, |command| {
        let bench = Bench::new(&growers);
        let name = "my $(growers)'s.csv.enc";
        bench.write(name, gzip(csv_of(&growers).as_bytes()));
        bench.run_of(name, &["--decrypt-command", command]).end().with_code(0);
        bench.expect_one_effect_each(&growers);
    });
}

#[test]
fn a_command_gets_the_bytes_of_stdin_and_can_not_be_given_their_name() {
    let growers = growers(5);
    let bench = Bench::new(&growers);
    let encrypted = gzip(csv_of(&growers).as_bytes());
    let run = |command: &str| {
        let invocation = bench.program().args(["run", "-"]).env("STARA_ONBOARD_DECRYPT_COMMAND", command);
        invocation.stdin(encrypted.clone()).end()
    };
    run("gzip -dc {}").with_code(2).saying("names the file, and stdin is none");
    assert_eq!(bench.calls(), 0);
    run("gzip -dc").with_code(0);
    bench.expect_one_effect_each(&growers);
}

#[test]
fn age_and_gpg_are_commands() {
    let growers = growers(3);
    let bench = Bench::new(&growers);
    let someone = Recipient::new();
    someone.keep(&bench, "key.txt");
    if has("age", "the program age as a command") {
        bench.write("growers.csv.age", someone.encrypt(csv_of(&growers).as_bytes()));
        for command in ["age --decrypt --identity key.txt {}", "age -d -i key.txt"] {
            bench.run_of("growers.csv.age", &["--decrypt-command", command]).end().with_code(0);
        }
        Recipient::new().keep(&bench, "other.txt");
        let command = "age -d -i other.txt {}";
        let ended = bench.run_of("growers.csv.age", &["--decrypt-command", command]).end().with_code(2);
        ended.saying(
            "failed with exit code 1; it said: age: error: no identity matched any of the recipients",
        );
    }
    if has("gpg", "the program gpg as a command") {
        fs::create_dir(bench.path("gnupg")).unwrap();
        let encrypting = Command::new("gpg")
            .args(["--homedir", "gnupg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "a b"])
            .args(["--symmetric", "--output", "growers.csv.gpg", "growers.csv"])
            .current_dir(bench.folder())
            .output()
            .unwrap();
        assert!(encrypting.status.success(), "{}", String::from_utf8_lossy(&encrypting.stderr));
        let refused = bench.run_of("growers.csv.gpg", &[]).end().with_code(2);
        refused.saying("is encrypted with OpenPGP").saying("--decrypt-command 'gpg --decrypt {}'");
        bench.write("passphrase", "a b\n");
        let command =
            "gpg --homedir gnupg --batch --pinentry-mode loopback --passphrase-file passphrase -d {}";
        bench.run_of("growers.csv.gpg", &["--decrypt-command", command]).end().with_code(0);
        // It leaves a server of its own behind, in a folder that is about to go.
        let _ = Command::new("gpgconf")
            .args(["--homedir", "gnupg", "--kill", "all"])
            .current_dir(bench.folder())
            .output();
    }
    bench.expect_one_effect_each(&growers);
}

#[test]
fn a_command_that_fails_sends_nothing_however_good_what_it_wrote_was() {
    let bench = Bench::new(&growers(3));
    for (command, said) in [
        ("cat {}; exit 3", "failed with exit code 3"),
        ("cat {}; kill -9 $$", "was ended by a signal"),
        ("absent-program {}", "can't be started"),
        ("cat absent", "failed with exit code 1; it said: cat: absent: No such file or directory"),
        ("true", "it is empty"),
        ("head -n 1 {}", "no rows"),
    ] {
        bench.run_of("growers.csv", &["--decrypt-command", command]).end().with_code(2).saying(said);
    }
    let flag = |value: &str| bench.run_of("growers.csv", &["--decrypt-command", value]).end().with_code(2);
    flag("cat 'x").saying("has a quote that is opened and never closed");
    flag("").saying("must name a program");
    assert_eq!(bench.calls(), 0);
}

#[test]
fn a_pipe_fails_when_any_of_its_programs_does() {
    let growers = growers(3);
    let bench = Bench::new(&growers);
    for command in ["(cat {}; exit 3) | cat", "(cat; exit 3) | cat | cat", "exit 3 | cat {}"] {
        let ended = bench.run_of("growers.csv", &["--decrypt-command", command]).end().with_code(2);
        ended.saying("failed with exit code 3");
    }
    assert_eq!(bench.calls(), 0);
    bench.run_of("growers.csv", &["--decrypt-command", "cat {} | sed 's/x/x/' | cat"]).end().with_code(0);
    bench.expect_one_effect_each(&growers);
}

#[test]
fn a_shell_that_can_not_tell_how_a_pipe_ended_is_given_none() {
    let growers = growers(3);
    let bench = Bench::new(&growers);
    let programs = bench.path("programs");
    fs::create_dir(&programs).unwrap();
    for program in ["sh", "cat"] {
        std::os::unix::fs::symlink(format!("/bin/{program}"), programs.join(program)).unwrap();
    }
    let run = |command: &str| {
        bench
            .run_of("growers.csv", &["--decrypt-command", command])
            .env("PATH", programs.to_str().unwrap())
            .end()
    };
    let knows = Command::new("/bin/sh").args(["-c", "(set -o pipefail) 2>/dev/null"]).status().unwrap();
    run("(cat {}; exit 3) | cat").with_code(2);
    if knows.success() {
        run("cat {} | cat").with_code(0);
    } else {
        run("cat {} | cat").with_code(2).saying("install bash, or name a script of your own");
        assert_eq!(bench.calls(), 0);
        run("cat {} 2>cat.log").with_code(0);
    }
    bench.expect_one_effect_each(&growers);
}

#[test]
fn what_a_failing_command_said_is_shown_without_rows_and_secrets() {
    let growers = [growers(1)[0].with_password("hunter2-hunter2")];
    let bench = Bench::new(&growers);
    bench.write("last-words", "the vault is closed\npassphrase=hunter2-hunter2\n");
    let command = "cat {} last-words >&2; exit 1";
    let ended = bench.run_of("growers.csv", &["--decrypt-command", command]).end().with_code(2);
    let ended = ended.saying("(a line that may be a row) / the vault is closed / passphrase=…");
    assert!(!ended.stderr.contains("hunter2-hunter2"), "{}", ended.stderr);
}

#[test]
fn what_a_command_said_and_its_own_words_are_told_and_never_kept() {
    let growers = growers(3);
    let bench = Bench::new(&growers);
    long_manifest(&bench, &growers);
    let mut stopped = 0;
    for fails_from in [2, 3, 4] {
        let command = format!(
            "printf x >> runs; if [ $(wc -c < runs) -ge {fails_from} ]; then : words-of-the-command; head -c 2000000 {{}}; \
             echo 'the vault refuses words-of-the-vault' >&2; exit 3; fi; cat {{}}"
        );
        let arguments =
            ["--decrypt-command", &command, "--limit", "3", "--log-file", "log", "--progress", "json"];
        let page = ["--report", "page.html"];
        let ended = bench.run_of("growers.csv", &[&arguments[..], &page].concat()).end();
        assert!(matches!(ended.code, Some(2 | 5)), "{ended:?}");
        stopped += usize::from(ended.code == Some(5));
        let ended = ended.saying("failed with exit code 3; it said: the vault refuses words-of-the-vault");
        for words in ["words-of-the-command", "words-of-the-vault"] {
            let status = bench.program().args(["status"]).end();
            assert!(!(status.stdout + &status.stderr).contains(words), "{fails_from}: {words}");
            let (kept, _) = Needles::new([words.to_owned()]).find_below(bench.folder(), &[]);
            assert!(kept.is_empty(), "{fails_from}: {kept:#?}: {}", ended.stderr);
        }
        fs::remove_file(bench.path("runs")).unwrap();
    }
    assert!(stopped > 0, "none failed while rows were carried out");
}

#[test]
fn a_chatty_command_is_heard_out() {
    let growers = growers(3);
    let bench = Bench::new(&growers);
    let command = "yes 'still decrypting' | head -c 5000000 >&2; cat {}";
    let ended = bench.run_of("growers.csv", &["--decrypt-command", command]).end().with_code(0);
    assert!(!ended.stderr.contains("still decrypting"), "{}", ended.stderr);
    bench.expect_one_effect_each(&growers);
}

#[test]
fn a_command_that_reads_only_a_part_of_its_stdin_is_no_failure() {
    let growers = growers(3);
    let bench = Bench::new(&growers);
    let manifest = csv_of(&growers);
    let long = format!("{manifest}{}", "\n".repeat(1_000_000));
    bench.write("growers.csv", long);
    let command = format!("head -c {}", manifest.len());
    bench.run_of("growers.csv", &["--decrypt-command", &command]).end().with_code(0);
    bench.expect_one_effect_each(&growers);
}

#[test]
fn a_command_that_hangs_is_ended_in_time() {
    let bench = Bench::new(&growers(3));
    for command in ["sleep 987654", "cat {}; exec >&-; sleep 987654", "head -c 30 {}; sleep 987654"] {
        let arguments = ["--decrypt-command", command, "--decrypt-timeout", "300ms"];
        let ended = bench.run_of("growers.csv", &arguments).end().with_code(2);
        ended.saying("was ended, because it neither wrote nor ended within 0.3 s");
    }
    assert_eq!(bench.calls(), 0);
}

#[test]
fn endless_output_that_must_be_in_memory_is_cut_off() {
    let bench = Bench::new(&growers(3));
    let command = "printf PAR1; cat /dev/zero";
    let ended = bench.run_of("growers.csv", &["--decrypt-command", command]).end().with_code(2);
    ended.saying("it holds more than 268435456 bytes, too many to keep in memory");
}

/// The processes that were started with this file in their arguments, and aren't this program.
fn users_of(path: &str) -> Vec<i32> {
    let is_user = |pid: &i32| {
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let text = String::from_utf8_lossy(&arguments);
        text.contains(path) && !text.contains("stara-onboard")
    };
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_user).collect()
}

#[track_caller]
fn until(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "{what} never came");
        std::thread::yield_now();
    }
}

#[test]
fn a_command_ends_with_the_run_however_that_is_ended() {
    side_by_side([Signal::INT, Signal::TERM, Signal::HUP, Signal::KILL], |signal| {
        let bench = Bench::new(&growers(3));
        let fifo = bench.path("never-written").display().to_string();
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, 0o600.into()).unwrap();
        // It waits for a writer that never comes.
        let command = format!("cat {fifo}");
        let running = bench.run_of("growers.csv", &["--decrypt-command", &command]).start();
        until("the command", || users_of(&fifo).len() == 1);
        running.signal(signal);
        if signal == Signal::KILL {
            assert_eq!(running.end().signal, Some(signal.as_raw()));
        } else {
            running.end().with_code(128 + signal.as_raw()).saying("error: stopped by SIG").saying("hint: ");
        }
        until("the command's end", || users_of(&fifo).is_empty());
        assert_eq!(bench.calls(), 0);
    });
}

#[test]
fn what_a_command_has_started_ends_with_it() {
    let ends = [Some(Signal::INT), Some(Signal::TERM), Some(Signal::KILL), None];
    side_by_side(ends, |end| {
        let bench = Bench::new(&growers(3));
        // The time is over for the last of them only, and not before a busy machine has started them all.
        let timeout = if end.is_some() { "1h" } else { "15s" };
        let running = run_of_pair(&bench, timeout).start();
        see_pair(&bench);
        if let Some(signal) = end {
            running.signal(signal);
        }
        let ended = running.end();
        match end {
            Some(Signal::KILL) => assert_eq!(ended.signal, Some(Signal::KILL.as_raw())),
            Some(signal) => drop(ended.with_code(128 + signal.as_raw())),
            None => drop(ended.with_code(2).saying("neither wrote nor ended within 15 s")),
        }
        outlive_pair(&bench);
        assert_eq!(bench.calls(), 0);
    });
}

#[test]
fn it_does_so_too_in_a_container_that_its_session_began_outside_of() {
    if !may_unshare_processes() {
        return;
    }
    let bench = Bench::new(&growers(3));
    let running = run_of_pair(&bench, "15s").in_processes_of_its_own(&bench.path("over")).start();
    see_pair(&bench);
    running.until_said("neither wrote nor ended within 15 s");
    outlive_pair(&bench);
    // The container's end would have ended them in any case.
    bench.write("over", "");
    running.end().with_code(2);
    assert_eq!(bench.calls(), 0);
}

/// A run whose manifest comes from a command that starts two processes: one in a pipe, and one whose parent has gone.
fn run_of_pair(bench: &Bench, timeout: &str) -> Invocation {
    bench.write("never-written", "");
    let watched = bench.path("never-written").display().to_string();
    // Empty lines keep the time from beginning before both are seen.
    let wait = "while ! [ -e seen ]; do echo; sleep 0.1; done";
    let command = format!("(tail -f {watched} &); tail -f {watched} | (cat {{}}; {wait}; cat -)");
    bench.run_of("growers.csv", &["--decrypt-command", &command, "--decrypt-timeout", timeout])
}

/// Waits until both are there.
#[track_caller]
fn see_pair(bench: &Bench) {
    until("what it starts", || pair(bench).len() == 2);
    bench.write("seen", "");
}

#[track_caller]
fn outlive_pair(bench: &Bench) {
    until("their end", || pair(bench).is_empty());
}

fn pair(bench: &Bench) -> Vec<i32> {
    users_of(&bench.path("never-written").display().to_string())
}

#[test]
fn a_run_that_is_stopped_does_not_wait_for_a_command_that_hangs() {
    for (hangs_from, code) in [(3, 143), (4, 143)] {
        let growers = growers(3);
        let bench = Bench::new(&growers);
        long_manifest(&bench, &growers);
        // While it is staged, and while rows are carried out.
        let command = format!(
            "printf x >> runs; if [ $(wc -c < runs) -ge {hangs_from} ]; then head -c 2000000 {{}}; touch hangs; sleep 987653; fi; \
             cat {{}}"
        );
        let running = bench.run_of("growers.csv", &["--decrypt-command", &command, "--limit", "3"]).start();
        until("the hanging command", || bench.path("hangs").exists());
        running.until_said("reading the manifest");
        running.signal(Signal::TERM);
        running.end().with_code(code);
    }
}

/// So many growers that their manifest isn't kept in memory, and only the first of them to be carried out.
fn long_manifest(bench: &Bench, growers: &[Grower]) {
    let more = crate::support::growers(30_000);
    let manifest = csv_of(&more);
    assert!(manifest.len() > 2 * 1024 * 1024);
    assert!(manifest.starts_with(&csv_of(growers)), "the first of them");
    bench.write("growers.csv", manifest);
}

#[test]
fn a_short_manifest_is_decrypted_once_and_a_long_one_for_each_reading() {
    let growers = growers(3);
    let bench = Bench::new(&growers);
    let runs = || fs::read_to_string(bench.path("runs")).unwrap().len();
    let command = "printf x >> runs; cat {}";
    bench.run_of("growers.csv", &["--decrypt-command", command]).end().with_code(0);
    assert_eq!(runs(), 1);
    fs::remove_file(bench.path("runs")).unwrap();
    long_manifest(&bench, &growers);
    bench
        .run_of("growers.csv", &["--decrypt-command", command, "--limit", "3", "--state", "other.db"])
        .end()
        .with_code(0);
    // As docs/MANIFESTS.md says.
    assert_eq!(runs(), 4);
    for (verb, readings) in [("check", 3), ("plan", 3)] {
        fs::remove_file(bench.path("runs")).unwrap();
        let arguments = [verb, "growers.csv", "--decrypt-command", command, "--state", "other.db"];
        let verb = &arguments[..if verb == "check" { 4 } else { 6 }];
        bench.program().args(verb).end();
        assert_eq!(runs(), readings, "{verb:?}");
    }
    bench.expect_one_effect_each(&growers);
}

#[test]
fn a_command_that_gives_something_else_the_next_time_stops_the_run() {
    let growers = growers(3);
    let bench = Bench::new(&growers);
    long_manifest(&bench, &growers);
    // From the third time on another first row.
    let command = "printf x >> runs; if [ $(wc -c < runs) -ge 3 ]; then sed '2s/,/,z/' {}; else cat {}; fi";
    let ended =
        bench.run_of("growers.csv", &["--decrypt-command", command, "--limit", "3"]).end().with_code(5);
    ended.saying("it was replaced or removed after it had been opened");
    assert_eq!(bench.calls(), 0);
}

#[test]
fn a_command_hears_none_of_our_secrets() {
    let growers = growers(3);
    let bench = Bench::new(&growers);
    let command = "env > seen; cat {}";
    let invocation = bench
        .run_of("growers.csv", &["--decrypt-command", command])
        .env("STARA_ACCESS_TOKEN_CLIENT", "s3cret");
    invocation.env("SOMETHING_ELSE", "stays").end().with_code(0);
    let seen = fs::read_to_string(bench.path("seen")).unwrap();
    assert!(seen.contains("SOMETHING_ELSE=stays") && seen.contains("PATH="), "{seen}");
    assert!(!seen.contains("leaf-token-of-the-bench") && !seen.contains("s3cret"), "{seen}");
}

#[test]
fn a_long_manifest_that_is_decrypted_takes_no_more_memory_than_a_plain_one() {
    let growers = growers(3);
    let bench = Bench::new(&growers);
    long_manifest(&bench, &growers);
    let plain = fs::read(bench.path("growers.csv")).unwrap();
    let someone = Recipient::new();
    someone.keep(&bench, "key.txt");
    bench.write("growers.csv.age", someone.encrypt(&plain));
    let check = |arguments: &[&str]| bench.program().args(["check"]).args(arguments).end().peak_memory;
    let of_plain = check(&["growers.csv"]);
    for arguments in
        [&["growers.csv.age", "--age-identity", "key.txt"][..], &["growers.csv", "--decrypt-command", "cat"]]
    {
        let peak = check(arguments);
        assert!(peak < of_plain + 6 * 1024 * 1024, "{peak} of {of_plain}: {arguments:?}");
    }
}
