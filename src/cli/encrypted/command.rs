//! A manifest that a command writes to its stdout.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::patience::{self, Waited};
use super::spawner::{self, NOT_STARTED, spawn};
use super::told::Listener;
use crate::manifest::{DiscreetError, OpenStream, Source};
use crate::settings::{DecryptCommand, SECRETS};

/// What starts the command anew for each reading.
pub(super) struct CommandSource {
    /// What messages call it.
    shown: String,
    words: Vec<OsString>,
    /// What it gets on its stdin, where it doesn't open the file by itself.
    stdin: Option<Source>,
    timeout: Duration,
}

impl CommandSource {
    /// The command for the bytes of `source`, which are at `path`.
    pub(super) fn new(command: &DecryptCommand, path: &Path, source: Source, timeout: Duration) -> Self {
        Self {
            shown: command.to_string(),
            words: command.words(path),
            stdin: (!command.names_file()).then_some(source),
            timeout,
        }
    }

    fn error(&self, what: &str) -> io::Error {
        failure(&self.shown, what, "")
    }
}

/// What is kept of a command that failed is only how: its words, and what it said, may hold what is nobody's business.
fn failure(shown: &str, what: &str, said: &str) -> io::Error {
    let whole = format!("the command '{shown}' {what}{said}");
    io::Error::other(DiscreetError::new(format_args!("its --decrypt-command {what}"), whole))
}

impl OpenStream for CommandSource {
    fn open_stream(&self) -> io::Result<Box<dyn Read + Send>> {
        let child = spawn(&self.words, |command| {
            command.stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            for secret in SECRETS {
                command.env_remove(secret.name);
            }
        });
        let mut running = Running(child.map_err(|error| self.error(&format!("can't be started: {error}")))?);
        let (Some(stdout), Some(stderr)) = (running.0.stdout.take(), running.0.stderr.take()) else {
            return Err(self.error("has no output"));
        };
        let listener = Listener::start(stderr)?;
        let fed = Fed::default();
        if let (Some(source), Some(stdin)) = (&self.stdin, running.0.stdin.take()) {
            fed.feed(source, stdin)?;
        }
        let shown = self.shown.clone();
        Ok(Box::new(CommandStream {
            shown,
            stdout: Some(stdout),
            running,
            listener,
            fed,
            timeout: self.timeout,
        }))
    }
}

/// A command under way, which is ended when nobody reads it any more.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        spawner::end(&mut self.0);
    }
}

/// Why the bytes for a command's stdin couldn't be read to their end.
#[derive(Default, Clone)]
struct Fed(Arc<Mutex<Option<io::Error>>>);

impl Fed {
    /// Writes the source's bytes to `stdin` on a thread of its own.
    fn feed(&self, source: &Source, mut stdin: impl io::Write + Send + 'static) -> io::Result<()> {
        let mut bytes = source.stream();
        let told = self.clone();
        let write = move || {
            let mut block = vec![0; 64 * 1024];
            loop {
                match bytes.read(&mut block) {
                    Ok(0) => return,
                    // A command that wants no more is told apart by how it ends.
                    Ok(read) if stdin.write_all(&block[..read]).is_err() => return,
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => {
                        // Before its stdin ends, so that whoever sees the command end sees this.
                        *told.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        return;
                    }
                }
            }
        };
        std::thread::Builder::new().name("stdin".to_owned()).spawn(write).map(drop)
    }

    fn failure(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// One reading of a command's output. It ends without an error only when the command has ended well.
struct CommandStream {
    shown: String,
    /// Gone once it has ended.
    stdout: Option<ChildStdout>,
    running: Running,
    listener: Listener,
    fed: Fed,
    timeout: Duration,
}

impl Read for CommandStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(stdout) = &mut self.stdout else { return Ok(0) };
        match patience::for_output(stdout, self.timeout)? {
            Waited::For(()) => {}
            Waited::TooLong => return Err(self.hung()),
            Waited::Stopped => return Err(self.needless()),
        }
        let read = stdout.read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            self.stdout = None;
            self.end()?;
        }
        Ok(read)
    }
}

impl CommandStream {
    fn end(&mut self) -> io::Result<()> {
        let status = match patience::for_end(&mut self.running.0, self.timeout)? {
            Waited::For(status) => status,
            Waited::TooLong => return Err(self.hung()),
            Waited::Stopped => return Err(self.needless()),
        };
        if let Some(error) = self.fed.failure() {
            return Err(error);
        }
        if status.success() { Ok(()) } else { Err(self.failed(status)) }
    }

    fn hung(&mut self) -> io::Error {
        // What it said is complete once it has ended.
        spawner::end(&mut self.running.0);
        self.error(&format!(
            "was ended, because it neither wrote nor ended within {} s (--decrypt-timeout)",
            self.timeout.as_secs_f64()
        ))
    }

    fn needless(&self) -> io::Error {
        failure(&self.shown, "was ended with the run", "")
    }

    fn failed(&self, status: ExitStatus) -> io::Error {
        if status.code() == Some(i32::from(NOT_STARTED)) {
            return self.error("can't be started (exit code 127)");
        }
        match status.code() {
            Some(code) => self.error(&format!("failed with exit code {code}")),
            None => self.error(&format!("was ended by a signal ({status})")),
        }
    }

    fn error(&self, what: &str) -> io::Error {
        let said = match self.listener.told().as_str() {
            "" => String::new(),
            told => format!("; it said: {told}"),
        };
        failure(&self.shown, what, &said)
    }
}
