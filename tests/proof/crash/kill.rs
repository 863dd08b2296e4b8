//! When the program is killed.

use std::time::Duration;

use crate::support::{Dice, has_strace};

/// When the program is killed, if it hasn't ended by then. Besides, it is always killed while a call is held open.
#[derive(Debug, Clone)]
pub(crate) enum Kill {
    /// Not at all, unless a call is held.
    Never,
    /// When the services have recorded so many more lines: calls, effects and answers.
    AfterLines(usize),
    /// When the services have answered a call of this kind.
    Answered(&'static str),
    /// So long after it was started.
    After(Duration),
    /// Just before some thread of it makes its nth system call of these kinds.
    BeforeSystemCall(&'static str, usize),
    /// Not at all; but the nth system call of this kind, and every later one, fails with this error in each thread.
    Failing { call: &'static str, error: &'static str, nth: usize },
}

/// System calls, and about how many of each a thread makes in a run.
const SYSTEM_CALLS: [(&str, usize); 9] = [
    ("fsync,fdatasync", 45),
    ("pwrite64", 160),
    ("openat", 40),
    ("write", 20),
    ("rename,renameat,renameat2,link,linkat", 2),
    ("unlink,unlinkat", 3),
    ("ftruncate,fallocate,mkdir", 2),
    ("sendto,sendmsg,writev", 70),
    ("fcntl,flock", 60),
];

impl Kill {
    /// A moment by chance, early enough to leave something to do for `kills_left` more.
    pub(crate) fn by_chance(dice: &mut Dice, rows: usize, kills_left: usize) -> Self {
        match dice.below(10) {
            0..4 if has_strace() => {
                let (names, most) = *dice.pick(&SYSTEM_CALLS);
                Self::BeforeSystemCall(names, 1 + dice.below(most))
            }
            4 => Self::Never,
            5 => Self::After(Duration::from_micros(dice.next() % 250_000)),
            // A row that ends well makes up to five calls, of which there are up to three lines each.
            _ => Self::AfterLines(1 + dice.below(1 + rows * 15 / (kills_left + 1))),
        }
    }

    /// The arguments for strace, if it is needed.
    pub(crate) fn strace(&self) -> Vec<String> {
        let (names, inject) = match self {
            Self::BeforeSystemCall(names, nth) => {
                (names, format!("inject={names}:signal=SIGKILL:when={nth}"))
            }
            Self::Failing { call, error, nth } => (call, format!("inject={call}:error={error}:when={nth}+")),
            _ => return Vec::new(),
        };
        let trace = format!("trace={names}");
        ["-qq", "-y", "-o", "strace.txt", "-e", &trace, "-e", &inject].map(str::to_owned).into()
    }
}
