//! The simulated services, in a process of their own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use super::program::command;
use super::seen::Seen;

/// The process, ended with this.
pub(crate) struct Served {
    process: Child,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) seen: Seen,
}

impl Served {
    /// Serves the growers of a manifest, with these arguments besides.
    pub(crate) fn start(folder: &Path, manifest: &str, arguments: &[String]) -> Self {
        let mut process = command(folder)
            .args(["sandbox", manifest, "--record", "seen.jsonl"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let environment: Vec<_> = lines
            .take(2)
            .map(|line| {
                let line = line.unwrap();
                let (name, value) = line.split_once('=').unwrap();
                (name.to_owned(), value.to_owned())
            })
            .collect();
        assert_eq!(environment.len(), 2, "the sandbox didn't start with {arguments:?}");
        Self { process, environment, seen: Seen::open(&folder.join("seen.jsonl")) }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
