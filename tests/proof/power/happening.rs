//! What happened in the recorded runs, as far as a loss of power is concerned.

use std::collections::HashMap;

use super::trace::SystemCall;

/// A file, whatever it is called at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct File(pub(super) usize);

/// A request that changes what Leaf holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    Attach,
    Remove,
}

/// A step of the recorded runs. Paths are below their folder, which itself is the empty path.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    Written {
        file: File,
        at: usize,
        bytes: Vec<u8>,
    },
    Truncated {
        file: File,
        length: usize,
    },
    Made {
        path: String,
        file: File,
    },
    MadeFolder {
        path: String,
    },
    Renamed {
        from: String,
        to: String,
        file: File,
    },
    Removed {
        path: String,
    },
    /// Everything written to a file before this step is on the disk.
    Flushed {
        file: File,
        before: usize,
        path: String,
    },
    /// Every name given or taken in a folder before this step is on the disk.
    FlushedFolder {
        path: String,
        before: usize,
    },
    /// A request that changes something was sent.
    Requested {
        kind: Request,
        user: String,
    },
    /// The log told of an outcome.
    Claimed {
        user: String,
        outcome: String,
    },
    /// A run ended by itself.
    Exited,
}

/// Turns system calls into happenings, following names and positions through several runs.
pub(super) struct Historian {
    folder: String,
    /// The files by their names of the moment.
    names: HashMap<String, File>,
    /// Where the next write without a position goes.
    positions: HashMap<File, usize>,
    files: usize,
    pub(super) happenings: Vec<Happening>,
}

impl Historian {
    pub(super) fn new(folder: &str) -> Self {
        Self {
            folder: folder.to_owned(),
            names: HashMap::new(),
            positions: HashMap::new(),
            files: 0,
            happenings: Vec::new(),
        }
    }

    /// Adds the system calls of one run.
    pub(super) fn add_run(&mut self, calls: &[SystemCall]) {
        // A request, a claim and a write count from where they begin, everything else from where it is done.
        let order = |call: &&SystemCall| match call.name.as_str() {
            "write" | "writev" | "pwrite64" | "sendto" | "sendmsg" => call.began,
            _ => call.ended,
        };
        let mut calls: Vec<&SystemCall> = calls.iter().collect();
        calls.sort_by_key(order);
        // For each line, how much had happened by then.
        let mut before: Vec<(usize, usize)> = Vec::new();
        for call in calls {
            before.push((order(&call), self.happenings.len()));
            let by = before.partition_point(|(line, _)| *line < call.began);
            let covered = before.get(by).map_or(self.happenings.len(), |(_, count)| *count);
            self.add(call, covered);
        }
    }

    fn add(&mut self, call: &SystemCall, covered: usize) {
        let text = |index: usize| String::from_utf8(call.texts[index].clone()).unwrap();
        match call.name.as_str() {
            "write" | "writev" | "sendto" | "sendmsg" => self.add_output(call),
            "exit_group" => self.happenings.push(Happening::Exited),
            _ if call.result.is_none_or(|result| result < 0) => {}
            "openat" => {
                let is_made = call.arguments.contains("O_CREAT");
                let Some(path) = self.inside(&text(0)) else { return };
                if is_made && !self.names.contains_key(&path) {
                    let file = self.new_file(&path);
                    self.happenings.push(Happening::Made { path, file });
                } else if let Some(file) = self.names.get(&path) {
                    self.positions.insert(*file, 0);
                }
            }
            "mkdir" => {
                let Some(path) = self.inside(&text(0)) else { return };
                self.happenings.push(Happening::MadeFolder { path });
            }
            "rename" | "renameat" | "renameat2" => {
                let (Some(from), Some(to)) = (self.inside(&text(0)), self.inside(&text(1))) else { return };
                let file = self.names.remove(&from).unwrap();
                self.names.insert(to.clone(), file);
                self.happenings.push(Happening::Renamed { from, to, file });
            }
            "unlink" => {
                let Some(path) = self.inside(&text(0)) else { return };
                if self.names.remove(&path).is_some() {
                    self.happenings.push(Happening::Removed { path });
                }
            }
            "pwrite64" => {
                let Some(file) = self.file_of(call) else { return };
                let at = call.arguments.rsplit(", ").next().unwrap().parse().unwrap();
                self.write(file, at, call);
            }
            "ftruncate" => {
                let Some(file) = self.file_of(call) else { return };
                let length = call.arguments.rsplit(", ").next().unwrap().parse().unwrap();
                let position = self.positions.entry(file).or_default();
                *position = (*position).min(length);
                self.happenings.push(Happening::Truncated { file, length });
            }
            "fsync" | "fdatasync" => {
                let Some(path) = call.path.as_deref().and_then(|path| self.inside(path)) else { return };
                let before = covered;
                self.happenings.push(match self.names.get(&path) {
                    Some(&file) => Happening::Flushed { file, before, path },
                    None => Happening::FlushedFolder { path, before },
                });
            }
            // Of those that would be understood wrongly, none may be overlooked.
            other => {
                let paths = call
                    .path
                    .iter()
                    .cloned()
                    .chain(call.texts.iter().map(|text| String::from_utf8_lossy(text).into_owned()));
                let inside: Vec<_> = paths.filter_map(|path| self.inside(&path)).collect();
                assert!(inside.is_empty(), "{other} is called on {inside:?}, and not understood here");
            }
        }
    }

    /// Something written to a file's end, to stderr or to a socket.
    fn add_output(&mut self, call: &SystemCall) {
        let bytes = call.texts.concat();
        let path = call.path.as_deref().and_then(|path| self.inside_or_log(path));
        match path.as_deref() {
            Some("stderr.txt") => {
                let text = String::from_utf8_lossy(&bytes);
                for (user, outcome) in claims(&text) {
                    self.happenings.push(Happening::Claimed { user, outcome });
                }
            }
            Some(path) => {
                let Some(&file) = self.names.get(path) else { return };
                if call.result.is_none() {
                    return;
                }
                let at = self.positions.get(&file).copied().unwrap_or_default();
                self.positions.insert(file, at + bytes.len());
                self.write(file, at, call);
            }
            None => {
                if let Some((kind, user)) = request(&bytes) {
                    self.happenings.push(Happening::Requested { kind, user });
                }
            }
        }
    }

    fn write(&mut self, file: File, at: usize, call: &SystemCall) {
        let mut bytes = call.texts.concat();
        bytes.truncate(usize::try_from(call.result.unwrap()).unwrap());
        self.happenings.push(Happening::Written { file, at, bytes });
    }

    fn new_file(&mut self, path: &str) -> File {
        let file = File(self.files);
        self.files += 1;
        self.names.insert(path.to_owned(), file);
        file
    }

    fn file_of(&self, call: &SystemCall) -> Option<File> {
        let path = self.inside(call.path.as_deref()?)?;
        self.names.get(&path).copied()
    }

    /// A path below the folder, if it is one that a loss of power is asked about.
    fn inside(&self, path: &str) -> Option<String> {
        // SQLite makes its shared memory anew; what is said to us is no state.
        self.inside_or_log(path).filter(|path| {
            let is_ours = path.is_empty() || path.starts_with("state") || path.contains("results.jsonl");
            is_ours && !path.ends_with("-shm")
        })
    }

    fn inside_or_log(&self, path: &str) -> Option<String> {
        let relative = if path.starts_with('/') { path.strip_prefix(&self.folder)? } else { path };
        Some(relative.trim_start_matches(['/', '.']).to_owned()).map(|trimmed| {
            // A file whose own name begins with a dot keeps it.
            let dotted = relative.trim_start_matches('/').trim_start_matches("./");
            if dotted.starts_with('.') && dotted.len() > 1 { dotted.to_owned() } else { trimmed }
        })
    }
}

/// The outcomes that a piece of the log tells: user and code.
fn claims(text: &str) -> Vec<(String, String)> {
    let value = |line: &str, name: &str| {
        let (_, rest) = line.split_once(name)?;
        rest.split_whitespace().next().map(str::to_owned)
    };
    let ended = text.lines().filter(|line| line.contains("row ended"));
    ended.filter_map(|line| Some((value(line, " user=")?, value(line, " outcome=")?))).collect()
}

/// What a request changes and whose, if this is the beginning of such a one.
fn request(bytes: &[u8]) -> Option<(Request, String)> {
    let text = std::str::from_utf8(bytes.get(..100)?).ok()?;
    let (method, rest) = text.split_once(" /services/usermanagement/api/users/")?;
    let (user, rest) = rest.split_once('/')?;
    let kind = match method {
        "POST" => Request::Attach,
        "DELETE" => Request::Remove,
        _ => return None,
    };
    rest.starts_with("stara-credentials ").then(|| (kind, user.to_owned()))
}
