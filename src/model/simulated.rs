//! What a simulation puts in the place of the machine, for the thread that it runs on: the wall clock, randomness, and
//! how long a commit takes.

use std::cell::RefCell;
use std::time::Duration;

use super::UnixMillis;

/// Numbers that look random and follow from a seed (the `SplitMix64` generator).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.next() % sides
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }

    /// A time of at most `longest`.
    pub(crate) fn time(&mut self, longest: Duration) -> Duration {
        let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX - 1);
        Duration::from_millis(self.roll(millis + 1))
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.roll(choices.len() as u64)).unwrap_or_default()]
    }
}

/// A simulated machine.
pub(crate) struct Machine {
    /// Its wall clock.
    pub(crate) clock: Box<dyn Fn() -> UnixMillis>,
    /// Its randomness.
    pub(crate) dice: Dice,
    /// The longest time that its disk takes for a commit.
    pub(crate) slowest_commit: Duration,
}

thread_local! {
    static MACHINE: RefCell<Option<Machine>> = const { RefCell::new(None) };
}

/// As long as it lives, what runs on this thread runs on the simulated machine.
#[must_use]
pub(crate) struct OnMachine(());

impl OnMachine {
    pub(crate) fn run(machine: Machine) -> Self {
        MACHINE.set(Some(machine));
        Self(())
    }
}

impl Drop for OnMachine {
    fn drop(&mut self) {
        MACHINE.set(None);
    }
}

/// Whether this thread runs on a simulated machine, where everything has to be done by its one runtime.
pub(crate) fn is_on() -> bool {
    MACHINE.with_borrow(Option::is_some)
}

/// The simulated wall clock.
pub(crate) fn wall_clock() -> Option<UnixMillis> {
    MACHINE.with_borrow(|machine| machine.as_ref().map(|machine| (machine.clock)()))
}

/// Simulated randomness.
pub(crate) fn random() -> Option<u32> {
    let roll = |machine: &mut Machine| u32::try_from(machine.dice.roll(1 << 32)).unwrap_or_default();
    MACHINE.with_borrow_mut(|machine| machine.as_mut().map(roll))
}

/// How long the next commit takes.
pub(crate) fn commit_time() -> Duration {
    let time = |machine: &mut Machine| machine.dice.time(machine.slowest_commit);
    MACHINE.with_borrow_mut(|machine| machine.as_mut().map(time)).unwrap_or_default()
}

/// Which seeds a simulation runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seeds {
    /// The first.
    pub(crate) first: u64,
    /// How many.
    pub(crate) count: u64,
    /// The one that is to tell its story, and no other is run.
    pub(crate) only: Option<u64>,
}

impl Seeds {
    /// As many as `SIMULATION_SEEDS` says from `SIMULATION_FIRST` on, or the one that `SIMULATION_SEED` names.
    pub(crate) fn from_environment(count: u64) -> Self {
        let number = |name| {
            let text: String = std::env::var(name).ok()?;
            Some(text.replace('_', "").parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
        };
        let only = number("SIMULATION_SEED");
        Self {
            first: only.or_else(|| number("SIMULATION_FIRST")).unwrap_or(0),
            count: only.map_or_else(|| number("SIMULATION_SEEDS").unwrap_or(count), |_| 1),
            only,
        }
    }

    /// All of them.
    pub(crate) fn range(self) -> std::ops::Range<u64> {
        self.first..self.first + self.count
    }
}
