//! Processes of the real program, alone or under strace.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long a run may take before it counts as hung. No run comes near it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The program in this folder, with an environment that says nothing to it.
pub(super) fn command(folder: &Path) -> Command {
    command_of(env!("CARGO_BIN_EXE_stara-onboard"), folder)
}

fn command_of(executable: &str, folder: &Path) -> Command {
    let mut command = Command::new(executable);
    command.current_dir(folder);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_ascii_uppercase();
        if text.starts_with("LEAF_") || text.starts_with("STARA_") || text.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    command
}

/// Whether strace is there and may be used.
pub(crate) fn has_strace() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let tried = Command::new("strace").args(["-D", "-f", "-qq", "-o", "/dev/null", "true"]).output();
        tried.is_ok_and(|output| output.status.success())
    })
}

/// Says aloud that something is left out: past the test runner, which keeps what a passing test prints to itself.
pub(crate) fn leave_out(what: &str) {
    let _ = writeln!(std::io::stderr(), "LEFT OUT, for strace is missing: {what}");
}

/// One process of the program. What it says goes to files beside its folder's others: `stdout.txt` and `stderr.txt`.
pub(crate) struct Program {
    process: Child,
    folder: PathBuf,
}

impl Program {
    /// Starts it, under strace with these arguments if there are any.
    pub(crate) fn start(
        folder: &Path,
        environment: &[(String, String)],
        arguments: &[String],
        strace: &[String],
    ) -> Self {
        let mut command = if strace.is_empty() {
            command(folder)
        } else {
            // With -D the program stays our own child, so that we kill it and not its tracer.
            let mut command = command_of("strace", folder);
            command.args(["-D", "-f"]).args(strace).arg(env!("CARGO_BIN_EXE_stara-onboard"));
            command
        };
        let output = |name: &str| Stdio::from(File::create(folder.join(name)).unwrap());
        let process = command
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(output("stdout.txt"))
            .stderr(output("stderr.txt"))
            .spawn()
            .unwrap();
        Self { process, folder: folder.to_owned() }
    }

    /// How it ended, once it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().unwrap()
    }

    /// Kills it, if it hasn't ended by itself meanwhile.
    pub(crate) fn kill(&mut self) -> ExitStatus {
        let _ = self.process.kill();
        self.process.wait().unwrap()
    }

    /// Waits for its end, and kills it if it doesn't come to one.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.ended() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.kill();
        panic!("the program hung\n{}", self.stderr());
    }

    pub(crate) fn stderr(&self) -> String {
        std::fs::read_to_string(self.folder.join("stderr.txt")).unwrap()
    }
}

/// Whether a process ended by SIGKILL.
pub(crate) fn is_killed(status: ExitStatus) -> bool {
    status.signal() == Some(9)
}
