//! The commands of `docs/REHEARSAL.md`, run as they stand there, by a shell.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::support::{csv_of, growers};

/// A folder in which somebody follows the page.
struct Reader(tempfile::TempDir);

impl Reader {
    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// A block of commands in a shell, whose program is ours and whose environment says nothing to it.
    fn start(&self, commands: &str) -> Child {
        let program = Path::new(env!("CARGO_BIN_EXE_stara-onboard")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.arg("-e").arg("-c").arg(commands).current_dir(self.0.path()).env_clear().env("PATH", path);
        let out = std::fs::File::create(self.path("said.txt")).unwrap();
        shell.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out).process_group(0);
        shell.spawn().unwrap()
    }

    /// Follows a block to its end; where the page says so, presses Ctrl-C once somebody is attached.
    fn follow(&self, commands: &str) {
        let mut shell = self.start(commands);
        if commands.contains("# Press Ctrl-C") {
            let ledger = commands.split_whitespace().skip_while(|word| *word != "--state").nth(1).unwrap();
            while !self.is_somebody_attached(ledger) {
                assert_eq!(shell.try_wait().unwrap(), None, "it ended by itself:\n{}", self.text("said.txt"));
            }
            // As a terminal does: to everybody in the foreground.
            kill_process_group(Pid::from_child(&shell), Signal::INT).unwrap();
            assert!(!shell.wait().unwrap().success(), "{}", self.text("said.txt"));
            assert!(self.text("said.txt").contains("To go on: "), "{}", self.text("said.txt"));
            return;
        }
        let mut ended = shell.wait().unwrap();
        if commands.contains("# As often as it takes.") {
            for _ in 0..5 {
                if ended.success() {
                    break;
                }
                assert!(self.text("said.txt").contains("To go on: "), "{}", self.text("said.txt"));
                ended = self.start(commands).wait().unwrap();
            }
        }
        assert!(ended.success(), "{commands}\n{}", self.text("said.txt"));
    }

    fn is_somebody_attached(&self, ledger: &str) -> bool {
        let mut status = Command::new(env!("CARGO_BIN_EXE_stara-onboard"));
        status.args(["status", "--json", "--state", ledger]).current_dir(self.0.path());
        String::from_utf8(status.output().unwrap().stdout).unwrap().contains("\"attached\"")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Only what a failed test left behind; the page ends its services by itself.
        if let Some(pid) = self.text("services.pid").trim().parse().ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// The commands of the page, block by block.
fn blocks() -> Vec<&'static str> {
    let page = include_str!("../../docs/REHEARSAL.md");
    let blocks = page.split("```sh\n").skip(1);
    blocks.map(|block| block.split_once("```").unwrap().0).collect()
}

#[test]
fn whoever_follows_the_page_comes_through_the_storm() {
    let rows = growers(60);
    let reader = Reader(tempfile::tempdir().unwrap());
    std::fs::write(reader.path("growers.csv"), csv_of(&rows)).unwrap();
    let blocks = blocks();
    assert!(blocks.len() >= 8, "{blocks:?}");
    for block in blocks {
        reader.follow(block);
    }
    for report in ["storm.csv", "served.csv", "storm.jsonl"] {
        assert_eq!(reader.text(report).matches("attached").count(), rows.len(), "{report}");
    }
    let rejected = reader.text("lockout.csv").matches("stara-login-rejected").count();
    assert!(rejected > 0, "somebody is refused");
    assert_eq!(reader.text("links.csv").lines().count(), rejected + 1, "a link for each, and a header");
    assert!(reader.text("state/growers.results.csv").contains("attached"));
    // What the services wrote down: one effective attach a user.
    let seen = reader.text("seen.jsonl");
    let seen: Vec<serde_json::Value> = seen.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for row in &rows {
        let attaches = seen
            .iter()
            .filter(|line| line["kind"] == "attach" && line["leafUserId"] == row.id.to_string().as_str());
        let effects = attaches.filter(|attach| {
            seen.iter().any(|line| line["event"] == "effect" && line["call"] == attach["call"])
        });
        assert_eq!(effects.count(), 1, "{}", row.id);
    }
}
