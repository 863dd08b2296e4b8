//! One process of the real program: before, during and after.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a process may take before its test fails. It is there for hangs only: no test comes near it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a process under way is asked for its memory. The figure never falls, so that nothing before is missed.
const LOOK_AT_MEMORY: Duration = Duration::from_millis(10);

/// A process that is about to be started, with an environment that says nothing to the program.
pub(crate) struct Invocation {
    pub(super) command: Command,
    stdin: Vec<u8>,
}

impl Invocation {
    /// The real program in this folder.
    pub(crate) fn new(folder: &std::path::Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stara-onboard"));
        command.current_dir(folder).env("COLUMNS", "100");
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy().to_ascii_uppercase();
            if text.starts_with("LEAF_") || text.starts_with("STARA_") || text.ends_with("_PROXY") {
                command.env_remove(name);
            }
        }
        Self { command, stdin: Vec::new() }
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// As another user, without the rights that root has; only root may ask for it.
    pub(crate) fn under_user(mut self, user: u32) -> Self {
        self.command.uid(user).gid(user);
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Starts it, and lets it go on by itself.
    pub(crate) fn start(self) -> Running {
        let Self { mut command, stdin } = self;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let pid = Pid::from_child(&child);
        // A busy machine may let it come to its end before it is looked at again.
        let first_look = peak_memory_of(pid).unwrap_or_default();
        let said = Arc::new(Said::default());
        let listening = std::thread::spawn({
            let (said, mut pipe) = (Arc::clone(&said), child.stderr.take().unwrap());
            move || {
                let mut piece = [0; 4096];
                while let Ok(length @ 1..) = pipe.read(&mut piece) {
                    said.bytes.lock().unwrap().extend_from_slice(&piece[..length]);
                    said.more.notify_all();
                }
            }
        });
        let (sender, output) = channel();
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            // A program that never reads its stdin closes the pipe; that is its right.
            let _ = child.stdin.take().map(|mut pipe| pipe.write_all(&stdin));
            let output = child.wait_with_output().unwrap();
            listening.join().unwrap();
            let stderr = heard.bytes.lock().unwrap().clone();
            // The test may have failed and gone.
            let _ = sender.send(Output { stderr, ..output });
        });
        Running { pid, output, said, first_look }
    }

    /// Runs it to its end.
    pub(crate) fn end(self) -> Ended {
        self.start().end()
    }

    /// Starts it with a stdout that stays open and is never read.
    pub(crate) fn start_unread(mut self) -> Running {
        let (reader, writer) = std::io::pipe().unwrap();
        self.command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::null());
        self.start_holding(reader)
    }

    /// Starts it, and keeps `reader` open until it has ended.
    fn start_holding(mut self, reader: std::io::PipeReader) -> Running {
        let child = self.command.spawn().unwrap();
        let pid = Pid::from_child(&child);
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let ended = sender.send(child.wait_with_output().unwrap());
            drop(reader);
            ended
        });
        Running { pid, output, said: Arc::default(), first_look: 0 }
    }

    /// Starts it with a stderr that is full already, stays open and is never read.
    pub(crate) fn start_stuck(mut self) -> Running {
        let (reader, mut writer) = std::io::pipe().unwrap();
        // As much as a pipe holds on Linux.
        writer.write_all(&vec![b'x'; 65_536]).unwrap();
        self.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(writer);
        self.start_holding(reader)
    }

    /// Starts it with a file for its stdout, and nobody who hears of errors.
    pub(crate) fn start_writing(mut self, stdout: std::fs::File) -> Running {
        self.command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::null());
        let child = self.command.spawn().unwrap();
        let pid = Pid::from_child(&child);
        let (sender, output) = channel();
        std::thread::spawn(move || sender.send(child.wait_with_output().unwrap()));
        Running { pid, output, said: Arc::default(), first_look: 0 }
    }

    /// Starts it with an output that nobody reads any more.
    pub(crate) fn start_unheard(mut self) -> Running {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        self.command.stdin(Stdio::null()).stdout(writer.try_clone().unwrap()).stderr(writer);
        let child = self.command.spawn().unwrap();
        let pid = Pid::from_child(&child);
        let (sender, output) = channel();
        std::thread::spawn(move || sender.send(child.wait_with_output().unwrap()));
        Running { pid, output, said: Arc::default(), first_look: 0 }
    }
}

/// A process under way.
pub(crate) struct Running {
    pid: Pid,
    output: Receiver<Output>,
    said: Arc<Said>,
    /// Its memory just after it was started, in bytes.
    first_look: u64,
}

/// What a process has written to stderr so far.
#[derive(Default)]
struct Said {
    bytes: Mutex<Vec<u8>>,
    more: Condvar,
}

impl Running {
    /// Waits until it has said this on stderr.
    #[track_caller]
    pub(crate) fn until_said(&self, text: &str) {
        let is_unsaid = |bytes: &mut Vec<u8>| !String::from_utf8_lossy(bytes).contains(text);
        let bytes = self.said.bytes.lock().unwrap();
        let (bytes, waited) = self.said.more.wait_timeout_while(bytes, PATIENCE, is_unsaid).unwrap();
        assert!(!waited.timed_out(), "{text:?} isn't in {}", String::from_utf8_lossy(&bytes));
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn end(self) -> Ended {
        let began = Instant::now();
        let mut peak_memory = self.first_look;
        let output = loop {
            // At first more often, so that no process is so quick that it is never looked at again.
            let next_look = if peak_memory == self.first_look { LOOK_AT_MEMORY / 20 } else { LOOK_AT_MEMORY };
            match self.output.recv_timeout(next_look) {
                Ok(output) => break output,
                Err(_) if began.elapsed() < PATIENCE => {
                    peak_memory = peak_memory.max(peak_memory_of(self.pid).unwrap_or_default());
                }
                Err(_) => {
                    kill_process(self.pid, Signal::KILL).unwrap();
                    let output = self.output.recv().unwrap();
                    panic!("the program hung; stderr:\n{}", String::from_utf8_lossy(&output.stderr));
                }
            }
        };
        Ended {
            peak_memory,
            code: output.status.code(),
            signal: output.status.signal(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The most memory that a process has held so far, in bytes; `None` where the system doesn't tell.
fn peak_memory_of(pid: Pid) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).ok()?;
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    // Before it is the program, the memory is still that of the test.
    field("Name:").filter(|name| *name == "stara-onboard")?;
    field("VmHWM:")?.strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// A process that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// The most memory that it held, in bytes, until shortly before its end.
    pub(crate) peak_memory: u64,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Expects this exit code.
    #[track_caller]
    pub(crate) fn with_code(self, expected: i32) -> Self {
        assert_eq!(self.code, Some(expected), "stderr:\n{}", self.stderr);
        self
    }

    /// Expects this text on stderr, with white space as the terminal's width left it.
    #[track_caller]
    pub(crate) fn saying(self, expected: &str) -> Self {
        let said: Vec<&str> = self.stderr.split_whitespace().collect();
        assert!(said.join(" ").contains(expected), "{expected:?} isn't in stderr:\n{}", self.stderr);
        self
    }
}
