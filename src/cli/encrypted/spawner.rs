//! Starts commands so that they end with this process, however that ends.

use std::ffi::OsString;
use std::io;
use std::process::{Child, Command};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// What the first argument is where this program is started to become a command.
#[cfg(target_os = "linux")]
const BECOME: &str = "__become-command";

/// What the first argument is where this program is started to keep a command, and to end with it what it has started.
#[cfg(target_os = "linux")]
const KEEP: &str = "__keep-command";

/// How long a command's keeper may take to end it. Without it what the command has started would go on, so that a busy machine gets
/// the time it needs.
const LAST_PATIENCE: Duration = Duration::from_secs(30);

/// How often it is asked whether it has.
const PAUSE: Duration = Duration::from_millis(2);

type Order = (Command, SyncSender<io::Result<Child>>);

/// The thread that starts commands. It lives as long as the process: on Linux a command ends with the thread that started it.
static SPAWNER: LazyLock<Mutex<Option<SyncSender<Order>>>> = LazyLock::new(|| {
    let (orders, taken) = sync_channel::<Order>(0);
    let work = move || {
        for (mut command, answer) in taken {
            // Whoever ordered it waits for it.
            let _ = answer.send(command.spawn());
        }
    };
    let started = std::thread::Builder::new().name("commands".to_owned()).spawn(work);
    Mutex::new(started.ok().map(|_| orders))
});

/// Starts a command whose words are `words`, set up by `set_up`.
///
/// # Errors
///
/// When it can't be started.
pub(super) fn spawn(words: &[OsString], set_up: impl FnOnce(&mut Command)) -> io::Result<Child> {
    let mut command = ending_with_us(words);
    set_up(&mut command);
    let orders = SPAWNER.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let no_thread = || io::Error::other("there is no thread to start it from");
    let (answer, answered) = sync_channel(1);
    orders.ok_or_else(no_thread)?.send((command, answer)).map_err(|_| no_thread())?;
    answered.recv().map_err(|_| no_thread())?
}

/// Ends a command that was started so, with what it has started, and waits for it.
pub(super) fn end(child: &mut Child) {
    let has_ended = |child: &mut Child| matches!(child.try_wait(), Ok(Some(_)));
    if has_ended(child) {
        return;
    }
    if let Some(keeper) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // Nobody has waited for it, so the number is still its own.
        let _ = kill_process(keeper, Signal::TERM);
    }
    let deadline = Instant::now() + LAST_PATIENCE;
    while Instant::now() < deadline {
        if has_ended(child) {
            return;
        }
        std::thread::sleep(PAUSE);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// This program, which keeps the command.
#[cfg(target_os = "linux")]
fn ending_with_us(words: &[OsString]) -> Command {
    through_ourselves(KEEP, words)
}

/// This program in another part: only a process can ask the system to be ended with its parent, and for no other one.
#[cfg(target_os = "linux")]
fn through_ourselves(part: &str, words: &[OsString]) -> Command {
    use std::os::unix::process::CommandExt as _;

    let Ok(program) = std::env::current_exe() else { return directly(words) };
    // What is running, even where another version has taken its place.
    let running = std::path::Path::new("/proc/self/exe");
    let mut command = Command::new(if running.exists() { running.to_owned() } else { program });
    command.arg0("stara-onboard").arg(part).arg(std::process::id().to_string()).args(words);
    command
}

#[cfg(not(target_os = "linux"))]
fn ending_with_us(words: &[OsString]) -> Command {
    directly(words)
}

fn directly(words: &[OsString]) -> Command {
    let mut command = Command::new(words.first().cloned().unwrap_or_default());
    command.args(words.iter().skip(1));
    command
}

/// Keeps the command, or becomes it, where this process was started for that, and gives the code to exit with.
#[cfg(target_os = "linux")]
pub(in crate::cli) fn stand_in(words: &[OsString]) -> Option<u8> {
    use std::io::Write as _;
    use std::os::unix::process::CommandExt as _;

    use rustix::process::{getppid, set_parent_process_death_signal};

    let [_, part, parent, words @ ..] = words else { return None };
    let is_orphan = || getppid().map(|pid| pid.as_raw_nonzero().to_string().into()) != Some(parent.clone());
    let error = if part == KEEP {
        // Should somebody kill its keeper, it ends at least by itself.
        match super::keeper::keep(through_ourselves(BECOME, words), is_orphan) {
            Ok(code) => return Some(code),
            Err(error) => error,
        }
    } else if part == BECOME {
        let asked = set_parent_process_death_signal(Some(Signal::KILL));
        if asked.is_err() || is_orphan() {
            return Some(NOT_STARTED);
        }
        directly(words).exec()
    } else {
        return None;
    };
    // Nobody is left to be told where it fails.
    let program = words.first().map_or_else(String::new, |word| word.to_string_lossy().into_owned());
    let _ = writeln!(io::stderr(), "{program}: {error}");
    Some(NOT_STARTED)
}

#[cfg(not(target_os = "linux"))]
pub(in crate::cli) fn stand_in(_: &[OsString]) -> Option<u8> {
    None
}

/// The exit code of a command that couldn't be started, as a shell's.
pub(super) const NOT_STARTED: u8 = 127;
