//! The process between this program and a command. It ends what the command has started, however this program ends.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};

use nix::unistd::getsid;
use rustix::process::{
    Pid, Signal, getpid, kill_process, set_child_subreaper, set_parent_process_death_signal,
};
use tokio::signal::unix::{SignalKind, signal};

/// Carries out `command`, and gives the code to exit with: the command's own, or 128 and the number of the signal that ended it.
///
/// # Errors
///
/// When the system doesn't let it be kept.
pub(super) fn keep(command: Command, is_orphan: impl Fn() -> bool) -> io::Result<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(carry_out(command, is_orphan))
}

async fn carry_out(mut command: Command, is_orphan: impl Fn() -> bool) -> io::Result<u8> {
    let mut ended = signal(SignalKind::child())?;
    let mut needless = signal(SignalKind::terminate())?;
    // A terminal sends these to the command, too, which does with them what it wants.
    let _outlived =
        (signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?, signal(SignalKind::quit())?);
    set_parent_process_death_signal(Some(Signal::TERM))?;
    if is_orphan() {
        return Ok(super::spawner::NOT_STARTED);
    }
    // Whoever loses its parent becomes a child of ours, so that none is lost.
    set_child_subreaper(Some(getpid()))?;
    let mut child = command.spawn()?;
    loop {
        if let Some(status) = child.try_wait()? {
            if is_orphan() {
                // It may have ended because nobody reads it any more, before we were told that nobody needs it.
                end_descendants();
            }
            return Ok(code_of(status));
        }
        tokio::select! {
            biased;
            _ = needless.recv() => {
                // It has ended already where this fails.
                let _ = child.kill();
                end_descendants();
                return Ok(128 + 15);
            }
            _ = ended.recv() => {}
        }
    }
}

/// The code to exit with; it comes to nothing where the same signal ends us as it did the command.
fn code_of(status: ExitStatus) -> u8 {
    let of_signal = |number: i32| {
        if let Some(signal) = Signal::from_named_raw(number) {
            // Those that are caught are told by the code alone.
            let _ = kill_process(getpid(), signal);
        }
        128 + number
    };
    let code = status.code().or_else(|| status.signal().map(of_signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Ends all that came of us, but for servers that have made themselves a session of their own, as an agent of keys does.
fn end_descendants() {
    let is_us = |name: std::path::PathBuf| name.as_os_str() == std::process::id().to_string().as_str();
    if !fs::read_link("/proc/self").is_ok_and(is_us) {
        // It tells the processes outside of our container, by numbers that are other processes' here.
        return;
    }
    // It is 0 where it began outside of our container.
    let Ok(session) = getsid(None) else { return };
    let mut ended = HashSet::new();
    loop {
        let found: Vec<Pid> = descendants(getpid())
            .into_iter()
            .filter(|process| process.session == session.as_raw())
            .filter_map(|process| Pid::from_raw(process.pid))
            .filter(|pid| ended.insert(*pid))
            .collect();
        // Whoever has been sent this signal starts nothing more: what was started before it is seen the next time.
        if found.is_empty() {
            return;
        }
        for pid in found {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// A process as the system tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    pid: i32,
    parent: i32,
    session: i32,
}

impl Process {
    /// Takes it from `/proc/PID/stat`: <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>.
    fn from_stat(text: &str) -> Option<Self> {
        let (pid, _) = text.split_once(' ')?;
        // A program's name may hold spaces and parentheses.
        let (_, fields) = text.rsplit_once(')')?;
        let mut fields = fields.split_whitespace();
        let parent = fields.nth(1)?;
        let session = fields.nth(1)?;
        Some(Self { pid: pid.parse().ok()?, parent: parent.parse().ok()?, session: session.parse().ok()? })
    }
}

fn descendants(of: Pid) -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut others: Vec<Process> = entries
        .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
        .filter_map(|text| Process::from_stat(&text))
        .collect();
    let mut parents = HashSet::from([of.as_raw_nonzero().get()]);
    let mut found = Vec::new();
    loop {
        let (children, rest): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|process| parents.contains(&process.parent));
        if children.is_empty() {
            return found;
        }
        parents.extend(children.iter().map(|process| process.pid));
        found.extend(children);
        others = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_program_is_called() {
        let process = Process::from_stat("71 (a) S 1 (b)) S 9 70 60 0 -1 4194304 0");
        assert_eq!(process, Some(Process { pid: 71, parent: 9, session: 60 }));
        assert_eq!(Process::from_stat("71"), None);
    }
}
