//! age files, by identity and by passphrase.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::files::{Recipient, encrypt_with_passphrase, gzip, has};

use crate::support::{Bench, csv_of, growers, side_by_side};

#[test]
fn every_form_of_an_age_file_is_a_manifest() {
    let growers = growers(5);
    let plain = csv_of(&growers).into_bytes();
    let someone = Recipient::new();
    let forms = [
        ("growers.csv.age", someone.encrypt(&plain)),
        ("growers.age", someone.encrypt(&plain)),
        ("armored.csv", someone.encrypt_armored(&plain)),
        ("growers.csv.gz.age", someone.encrypt(&gzip(&plain))),
        ("growers.csv.zst.age", someone.encrypt_armored(&zstd::encode_all(&plain[..], 1).unwrap())),
    ];
    side_by_side(forms, |(name, bytes)| {
        let bench = Bench::new(&growers);
        bench.write(name, bytes);
        someone.keep(&bench, "key.txt");
        let ended = bench.run_of(name, &["--age-identity", "key.txt"]).end().with_code(0);
        assert!(!ended.stderr.contains("warning"), "{name}: {}", ended.stderr);
        bench.expect_one_effect_each(&growers);
        // Once more, by its default report.
        bench.program().args(["run", name, "--age-identity", "key.txt"]).end().with_code(0);
        let stem = name.split('.').next().unwrap();
        assert!(bench.path(&format!("state/{stem}.results.csv")).is_file(), "{name}");
    });
}

#[test]
fn an_encrypted_parquet_is_a_manifest_like_the_plain_one() {
    let plain = std::fs::read("manifests/growers.parquet").unwrap();
    let bench = Bench::new(&[]);
    let someone = Recipient::new();
    someone.keep(&bench, "key.txt");
    bench.write("growers.parquet", &plain);
    bench.write("growers.parquet.age", someone.encrypt(&plain));
    let check = |name: &str| {
        let arguments = ["check", name, "--json", "--age-identity", "key.txt"];
        bench.program().args(arguments).end().stdout.replace(name, "")
    };
    assert_eq!(check("growers.parquet.age"), check("growers.parquet"));
    // What is named Parquet and isn't must not be read as something else.
    bench.write("growers.parquet.age", someone.encrypt(b"leafUserId,login,password\n"));
    let arguments = ["check", "growers.parquet.age", "--age-identity", "key.txt"];
    bench.program().args(arguments).end().with_code(2).saying("it isn't a Parquet file");
}

#[test]
fn an_age_file_comes_through_stdin_too() {
    let growers = growers(5);
    let bench = Bench::new(&growers);
    let someone = Recipient::new();
    someone.keep(&bench, "key.txt");
    let encrypted = someone.encrypt(csv_of(&growers).as_bytes());
    bench
        .program()
        .args(["run", "-"])
        .env("STARA_ONBOARD_AGE_IDENTITY", "key.txt")
        .stdin(encrypted)
        .end()
        .with_code(0);
    bench.expect_one_effect_each(&growers);
}

#[test]
fn one_of_several_identities_opens_it() {
    let growers = growers(3);
    let bench = Bench::new(&growers);
    let [someone, other] = [Recipient::new(), Recipient::new()];
    someone.keep(&bench, "someone.txt");
    other.keep(&bench, "other.txt");
    bench.write("growers.csv.age", someone.encrypt(csv_of(&growers).as_bytes()));
    let identities = ["--age-identity", "other.txt", "--age-identity", "someone.txt"];
    bench.run_of("growers.csv.age", &identities).end().with_code(0);
    bench.expect_one_effect_each(&growers);
}

#[test]
fn a_passphrase_stands_in_a_file_of_its_own() {
    let growers = growers(3);
    let bench = Bench::new(&growers);
    let someone = Recipient::new();
    let plain = csv_of(&growers);
    bench.write("growers.csv.age", encrypt_with_passphrase("seven wet tractors", plain.as_bytes()));
    bench.write("passphrase", "seven wet tractors\n");
    bench.run_of("growers.csv.age", &["--age-passphrase-file", "passphrase"]).end().with_code(0);
    bench.expect_one_effect_each(&growers);
    // The identity itself may be encrypted with it.
    bench.write("for-someone.csv.age", someone.encrypt(plain.as_bytes()));
    bench.write("key.age", encrypt_with_passphrase("seven wet tractors", someone.secret().as_bytes()));
    let arguments = ["--age-identity", "key.age", "--age-passphrase-file", "passphrase"];
    bench.run_of("for-someone.csv.age", &arguments).end().with_code(0);
    bench.expect_one_effect_each(&growers);
}

/// A shell at a terminal, of which everything is kept that it showed.
struct Terminal {
    script: Child,
    keys: ChildStdin,
    screen: ChildStdout,
    shown: Vec<u8>,
}

impl Terminal {
    fn of(bench: &Bench, command: &str) -> Self {
        let mut script = Command::new("script")
            .args(["-qec", command, "/dev/null"])
            .current_dir(bench.folder())
            .envs(bench.environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (keys, screen) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
        Self { script, keys, screen, shown: Vec::new() }
    }

    /// Waits until it shows this, and gives what it showed before that since it was waited for last.
    fn until(&mut self, text: &str) -> String {
        let from = self.shown.len();
        let mut byte = [0];
        loop {
            let since = String::from_utf8_lossy(&self.shown[from..]).into_owned();
            if let Some(before) = since.strip_suffix(text) {
                return before.to_owned();
            }
            assert_eq!(self.screen.read(&mut byte).unwrap(), 1, "{text:?} isn't in {since}");
            self.shown.extend_from_slice(&byte);
        }
    }

    fn type_in(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    fn end(mut self) -> String {
        drop(self.keys);
        self.script.wait().unwrap();
        String::from_utf8_lossy(&self.shown).into_owned()
    }
}

#[test]
fn whoever_sits_at_the_terminal_is_asked_for_the_passphrase_which_is_not_shown() {
    if !has("script", "the question for a passphrase") {
        return;
    }
    let growers = growers(3);
    let bench = Bench::new(&growers);
    let encrypted = encrypt_with_passphrase("sécret 7", csv_of(&growers).as_bytes());
    bench.write("growers.csv.age", encrypted);
    let program = env!("CARGO_BIN_EXE_stara-onboard");
    let mut terminal = Terminal::of(&bench, &format!("{program} run growers.csv.age --quiet; echo ended $?"));
    // A mistake, and then the right one, with a letter taken back.
    terminal.until("Passphrase of growers.csv.age: ");
    terminal.type_in("wrong\r");
    terminal.until("Passphrase of growers.csv.age: ");
    terminal.type_in("sécret é\u{7f}7\r");
    terminal.until("ended 0");
    let shown = terminal.end();
    assert!(!shown.contains("cret") && !shown.contains("wrong"), "{shown}");
    bench.expect_one_effect_each(&growers);
}

#[test]
fn a_signal_while_a_passphrase_is_asked_for_leaves_a_terminal_that_shows_what_is_typed() {
    if !has("script", "the question for a passphrase") {
        return;
    }
    side_by_side([Signal::TERM, Signal::INT, Signal::HUP], |signal| {
        let bench = Bench::new(&growers(3));
        bench.write("growers.csv.age", encrypt_with_passphrase("x", b"y"));
        let program = env!("CARGO_BIN_EXE_stara-onboard");
        let mut terminal = Terminal::of(
            &bench,
            &format!(
                "sh -c 'echo process $$.; exec {program} run growers.csv.age'; echo ended $?; \
                 stty -a | tr ' ;' '\\n' | grep -x -e -echo -e echo; echo over"
            ),
        );
        terminal.until("process ");
        let process = Pid::from_raw(terminal.until(".").parse().unwrap()).unwrap();
        terminal.until("Passphrase of growers.csv.age: ");
        kill_process(process, signal).unwrap();
        let told = terminal.until(&format!("ended {}\r\n", 128 + signal.as_raw()));
        assert!(told.contains("error: stopped by SIG") && told.contains("hint: "), "{told}");
        assert_eq!(terminal.until("over"), "echo\r\n");
        terminal.end();
        assert_eq!(bench.calls(), 0);
    });
}

#[test]
fn what_does_not_open_it_is_told_apart_and_nothing_is_sent() {
    let growers = growers(3);
    let bench = Bench::new(&growers);
    let [someone, other] = [Recipient::new(), Recipient::new()];
    someone.keep(&bench, "key.txt");
    other.keep(&bench, "other.txt");
    let encrypted = someone.encrypt(csv_of(&growers).as_bytes());
    bench.write("growers.csv.age", &encrypted);
    bench.write("locked.csv.age", encrypt_with_passphrase("right", csv_of(&growers).as_bytes()));
    bench.write("wrong", "wrong\n");
    bench.write("empty", "");
    bench.write("ssh", "-----BEGIN OPENSSH PRIVATE KEY-----\nxyz\n");
    bench.write("nonsense", "hunter2-is-no-identity\n");
    bench.write("gone.csv.age", "");
    bench.write("plain.csv.age", csv_of(&growers));
    bench.write("twice.csv.age", someone.encrypt(&encrypted));
    let cases: [(&str, &[&str], &str); 11] = [
        ("growers.csv.age", &[], "name the file of the identity that opens it with --age-identity"),
        ("growers.csv.age", &["--age-identity", "other.txt"], "none of the identities opens it"),
        ("growers.csv.age", &["--age-identity", "absent"], "the age identity absent can't be read"),
        ("growers.csv.age", &["--age-identity", "empty"], "there is no identity in it"),
        ("growers.csv.age", &["--age-identity", "ssh"], "say --decrypt-command 'age --decrypt"),
        ("growers.csv.age", &["--age-identity", "nonsense"], "non-identity data on line 1"),
        ("locked.csv.age", &["--age-passphrase-file", "wrong"], "doesn't open locked.csv.age: that of wrong"),
        ("locked.csv.age", &["--age-passphrase-file", "empty"], "the passphrase can't be read from empty"),
        ("gone.csv.age", &["--age-identity", "key.txt"], "it is empty"),
        (
            "plain.csv.age",
            &["--age-identity", "key.txt"],
            "named like a file encrypted with age, and isn't one",
        ),
        ("twice.csv.age", &["--age-identity", "key.txt"], "is encrypted with age once more inside"),
    ];
    for (manifest, arguments, said) in cases {
        let ended = bench.run_of(manifest, arguments).end().with_code(2).saying(said);
        assert!(ended.stderr.contains("hint: nothing was sent"), "{}", ended.stderr);
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    }
    assert_eq!(bench.calls(), 0);
}

#[test]
fn an_age_file_that_is_damaged_anywhere_is_refused_and_nothing_is_sent() {
    let growers = growers(3_000);
    let bench = Bench::new(&growers[..3]);
    let someone = Recipient::new();
    someone.keep(&bench, "key.txt");
    let whole = someone.encrypt(csv_of(&growers).as_bytes());
    assert!(whole.len() > 3 * 65_536, "several chunks");
    // In the version line, a stanza, the MAC, the first chunk and the last; cut in the header, at the end of a chunk and within one.
    let header = whole.windows(4).position(|part| part == b"\n---").unwrap();
    let nonce = header + 4 + 1 + 43 + 1 + 16;
    for at in [15, 40, header + 10, nonce - 1, nonce + 10, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        bench.write("growers.csv.age", flipped);
        bench.run_of("growers.csv.age", &["--age-identity", "key.txt"]).end().with_code(2);
    }
    for length in [30, header, nonce, nonce + 65_552, nonce + 65_552 + 1_000, whole.len() - 1] {
        bench.write("growers.csv.age", &whole[..length]);
        let ended = bench.run_of("growers.csv.age", &["--age-identity", "key.txt"]).end().with_code(2);
        assert!(ended.stderr.contains("damaged, cut off or forged"), "{length}: {}", ended.stderr);
    }
    bench.write("growers.csv.age", [&whole[..], b"x"].concat());
    bench.run_of("growers.csv.age", &["--age-identity", "key.txt"]).end().with_code(2);
    assert_eq!(bench.calls(), 0);
}

#[test]
fn every_verb_that_reads_a_manifest_reads_an_encrypted_one() {
    let growers = growers(3);
    let bench = Bench::new(&growers);
    let someone = Recipient::new();
    someone.keep(&bench, "key.txt");
    bench.write("growers.csv.age", someone.encrypt(csv_of(&growers).as_bytes()));
    let verbs: [(&[&str], i32); 6] = [
        (&["check"], 0),
        (&["plan"], 0),
        (&["run"], 0),
        (&["audit", "--report", "audit.jsonl"], 0),
        (&["doctor"], 0),
        (&["detach", "--yes"], 0),
    ];
    for (verb, code) in verbs {
        let arguments = verb.iter().chain(&["growers.csv.age", "--age-identity", "key.txt"]);
        bench.program().args(arguments).end().with_code(code);
        let without = bench.program().args(verb).args(["growers.csv.age"]).end();
        if verb[0] == "doctor" {
            assert!(without.stdout.contains("no identity was named"), "{}", without.stdout);
        } else {
            without.with_code(2).saying("no identity was named");
        }
    }
    bench.expect_one_effect_each(&growers);
}

#[test]
fn nothing_that_opens_the_manifest_is_written_over() {
    let bench = Bench::new(&growers(3));
    Recipient::new().keep(&bench, "key.csv");
    let arguments = ["--age-identity", "key.csv", "--report", "key.csv"];
    bench
        .program()
        .args(["run", "growers.csv"])
        .args(arguments)
        .end()
        .with_code(2)
        .saying("key.csv is an age identity");
    bench.write("passphrase.log", "x");
    let arguments = ["--age-passphrase-file", "passphrase.log", "--log-file", "passphrase.log"];
    bench.run(&arguments).with_code(2).saying("is the file of a passphrase");
}
