//! Somebody who follows a page: block by block, in one folder, as commands are pasted into one terminal.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::pages::{Block, Page, root};
use crate::support::{Bench, Grower, user};

/// How many seconds a block may take before its test fails. It is there for hangs only.
const PATIENCE: &str = "120";

/// The ports that pages name. Each reader has others in their place, because many read at the same time.
const PORTS: [&str; 2] = ["18081", "18082"];

/// Runs a block as a terminal would: a line that fails is noted, and the next one is carried out all the same. What it
/// exported is there for the next block.
const SHELL: &str = r#"
set -E -o pipefail
[ ! -f .reader/session ] || . .reader/session
trap 'printf "%s %s\n" "$LINENO" "$?" >>.reader/failed' ERR
trap 'export -p >.reader/session' EXIT
. .reader/block
"#;

/// A stand-in for what the pages call but nobody has here by that name: the program as cargo would start it, and the
/// reader's own way to be told.
const OWN_COMMANDS: [(&str, &str); 2] = [
    ("cargo", "[ \"$1 $2 $3\" = 'run --release --' ] || exit 99\nshift 3\nexec stara-onboard \"$@\"\n"),
    ("notify", "echo \"$@\"\n"),
];

/// Somebody with a folder, a manifest, a token and services to follow a page with.
pub(super) struct Reader {
    bench: Bench,
    ports: BTreeMap<&'static str, String>,
    serving: Vec<Child>,
}

/// The growers of the reader's manifest: some of the sample's, and those that pages name.
fn rows() -> Vec<Grower> {
    let mut reader = csv::Reader::from_path(root().join("manifests/growers.csv")).unwrap();
    let mut rows: Vec<Grower> = reader
        .records()
        .map(Result::unwrap)
        .take(3)
        .map(|record| Grower {
            id: record[0].parse().unwrap(),
            login: record[1].to_owned(),
            password: record[2].to_owned(),
        })
        .collect();
    // A space behind a password: something to be warned of.
    for (number, password) in [(1, "soja-2026 "), (0xabcd, "milho-2026"), (2, "trigo-2026")] {
        rows.push(Grower {
            id: user(number),
            login: format!("grower{number}@agro.example"),
            password: password.into(),
        });
    }
    rows
}

/// A manifest with further columns, as pages assume them.
fn manifest(rows: &[Grower]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["leafUserId", "login", "password", "nome", "e-mail", "id"]).unwrap();
    for row in rows {
        let id = row.id.to_string();
        writer.write_record([&id, &row.login, &row.password, "Ana", "ana@agro.example", &id]).unwrap();
    }
    writer.into_inner().unwrap()
}

impl Reader {
    /// Somebody at the beginning of a page.
    pub(super) fn new() -> Self {
        let rows = rows();
        let newcomers = [7, 8].map(|number| Grower {
            id: user(number),
            login: format!("grower{number}@agro.example"),
            password: "aveia-2026".into(),
        });
        let bench = Bench::new(&[&rows[..], &newcomers].concat());
        bench.write("growers.csv", manifest(&rows));
        bench.write("newcomers.csv", manifest(&newcomers));
        bench.write("leavers.csv", format!("leafUserId\n{}\n", user(2)));
        bench.write("leaf-token.txt", "leaf-token-of-the-reader\n");
        for folder in [".reader", "bin", "manifests"] {
            std::fs::create_dir(bench.path(folder)).unwrap();
        }
        for sample in ["growers.csv", "mixed.csv"] {
            std::fs::copy(root().join("manifests").join(sample), bench.path("manifests").join(sample))
                .unwrap();
        }
        for (name, commands) in OWN_COMMANDS {
            let path = bench.path("bin").join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{commands}")).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        let reader = Self { bench, ports: free_ports(), serving: Vec::new() };
        let packed = reader.command("gzip -k growers.csv").status().unwrap();
        assert!(packed.success());
        reader
    }

    pub(super) fn bench(&self) -> &Bench {
        &self.bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.bench.path(name)
    }

    /// A shell whose program is ours, that finds the simulated services and can't reach any other.
    fn command(&self, commands: &str) -> Command {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_stara-onboard"));
        let own = self.path("bin");
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{}:{path}", own.display(), program.parent().unwrap().display());
        let mut shell = Command::new("timeout");
        shell
            .args(["--foreground", PATIENCE, "bash", "-c", commands])
            .current_dir(self.bench.folder())
            .env_clear()
            .env("PATH", path);
        shell.envs(self.bench.environment()).env_remove("STARA_ONBOARD_PRECHECK");
        shell
            .env("STARA_ONBOARD_SETTLE", "1s")
            .env("STARA_ONBOARD_MAX_HOLD", "10s")
            .env("HOME", self.bench.folder())
            .env("COLUMNS", "100");
        // Should a page ever lead to the real services, nobody listens there.
        shell.env("https_proxy", "http://127.0.0.1:9");
        shell.stdin(Stdio::null()).process_group(0);
        shell
    }

    /// What somebody has done before opening the page.
    pub(super) fn prepare(&self, commands: &str) {
        let ended = self.command(&format!("set -e -o pipefail\n{commands}")).output().unwrap();
        assert!(ended.status.success(), "{commands}\n{}", String::from_utf8_lossy(&ended.stderr));
    }

    /// Follows a block of the page to its end.
    pub(super) fn follow(&mut self, page: &Page, block: &Block) {
        let text =
            self.ports.iter().fold(block.text.clone(), |text, (named, free)| text.replace(named, free));
        if is_serving(&text) {
            return self.serve(&text);
        }
        std::fs::write(self.path(".reader/block"), format!("{text}\n:\n")).unwrap();
        let _ = std::fs::remove_file(self.path(".reader/failed"));
        let ended = if asks(&text) { self.at_a_terminal() } else { self.command(SHELL).output().unwrap() };
        let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        let failed = std::fs::read_to_string(self.path(".reader/failed")).unwrap_or_default();
        let place = format!("{}:{}", page.name, block.line);
        assert_eq!(
            failures(&failed, &block.text),
            promises(&block.text),
            "{place}\n{}\nsaid:\n{said}",
            block.text
        );
        assert_eq!(ended.status.code(), Some(0), "{place}\n{}\nsaid:\n{said}", block.text);
    }

    /// The shell at a terminal, at which somebody says yes to everything.
    fn at_a_terminal(&self) -> std::process::Output {
        std::fs::write(self.path(".reader/shell"), SHELL).unwrap();
        let mut script = self.command("exec script -q -e -c 'bash .reader/shell' /dev/null");
        let mut child =
            script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"yes\nyes\nyes\n").unwrap();
        child.wait_with_output().unwrap()
    }

    /// Starts services in another terminal, until the reader is gone.
    fn serve(&mut self, text: &str) {
        let out = self.path(".reader/serving");
        let mut shell = self.command(&format!("exec {text}"));
        let child = shell.stdout(std::fs::File::create(&out).unwrap()).stderr(Stdio::null()).spawn().unwrap();
        self.serving.push(child);
        while !std::fs::read_to_string(&out).unwrap().contains("LEAF_URL=") {
            assert_eq!(self.serving.last_mut().unwrap().try_wait().unwrap(), None, "{text} ended by itself");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        for child in &mut self.serving {
            let _ = kill_process_group(Pid::from_child(child), Signal::INT);
            let _ = child.wait();
        }
    }
}

/// Free ports in the place of those that pages name.
fn free_ports() -> BTreeMap<&'static str, String> {
    let taken = PORTS.map(|named| (named, TcpListener::bind("127.0.0.1:0").unwrap()));
    taken.iter().map(|(named, port)| (*named, port.local_addr().unwrap().port().to_string())).collect()
}

/// Whether these commands go on until somebody ends them, so that they belong into a terminal of their own.
fn is_serving(text: &str) -> bool {
    text.starts_with("stara-onboard sandbox ") && !text.contains('&')
}

/// Whether these commands ask at a terminal before they do anything.
fn asks(text: &str) -> bool {
    let asking = ["stara-onboard detach ", "stara-onboard state forget "];
    text.lines().any(|line| asking.iter().any(|verb| line.starts_with(verb)) && !line.contains("--yes"))
}

/// The first line of each command that failed, with its code.
fn failures(noted: &str, text: &str) -> Vec<(usize, i32)> {
    let starts = starts(text);
    let numbers = noted.lines().map(|line| {
        let (line, code) = line.split_once(' ').unwrap();
        (starts[line.parse::<usize>().unwrap() - 1], code.parse().unwrap())
    });
    let mut failures: Vec<(usize, i32)> = numbers.collect();
    failures.dedup();
    failures
}

/// The codes other than 0 that the block's comments promise, with the lines of their commands.
fn promises(text: &str) -> Vec<(usize, i32)> {
    let starts = starts(text);
    let promised = text.lines().enumerate().filter_map(|(number, line)| {
        let (_, rest) = line.split_once("# ")?.1.split_once("exit code ")?;
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        Some((starts[number], rest[..digits].parse().ok()?))
    });
    promised.filter(|(_, code)| *code != 0).collect()
}

/// For each line, the one on which its command begins: a line that ends with a backslash goes on.
fn starts(text: &str) -> Vec<usize> {
    let mut starts: Vec<usize> = Vec::new();
    let mut goes_on = false;
    for (number, line) in text.lines().enumerate() {
        let start = if goes_on { starts[number - 1] } else { number };
        starts.push(start);
        goes_on = line.ends_with('\\');
    }
    starts
}

#[test]
fn a_code_that_a_comment_promises_is_that_of_its_command() {
    let text = "a\nb \\\n  c # exit code 3: it is so\nd # exit code 0\n";
    assert_eq!(promises(text), [(1, 3)]);
    assert_eq!(failures("2 3\n", text), [(1, 3)]);
}
