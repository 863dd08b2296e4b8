//! The server, as a process of its own.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use wait4::Wait4 as _;

use crate::world::Counts;

/// A server that runs. One that isn't ended is killed when dropped.
pub(crate) struct Services {
    process: Option<Child>,
    lines: Lines<BufReader<ChildStdout>>,
    /// The base URL of both services.
    pub(crate) url: String,
}

impl Services {
    /// Starts one. For TLS its certificate lies in a folder.
    pub(crate) fn start(latency: u64, certificate: Option<&Path>) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this bench's path"))
            .args(["serve", &latency.to_string()])
            .args(certificate)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let port = lines.next().expect("a line").expect("its port");
        let scheme = if certificate.is_some() { "https" } else { "http" };
        Self { process: Some(process), lines, url: format!("{scheme}://127.0.0.1:{port}") }
    }

    /// Ends it. What it saw, and how much processor time it took.
    pub(crate) fn end(mut self) -> (Counts, Duration) {
        let mut process = self.process.take().expect("it is ended once");
        drop(process.stdin.take());
        let counts = self.lines.next().expect("a last line").expect("text");
        let usage = process.wait4().expect("it can be waited for").rusage;
        (serde_json::from_str(&counts).expect("counts"), usage.utime + usage.stime)
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // It has no state that could be lost.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
