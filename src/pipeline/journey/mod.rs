//! The life of one row as a pure state machine: an event in, an effect out.
//!
//! Main types: [`Journey`], fed with [`Event`]s and answering with [`Effect`]s; [`JourneyRules`], what the run allows;
//! [`JourneyStart`], what the ledger knows of the row; [`Finish`], how it ends.
//!
//! It may not do I/O, has no clock of its own and holds no secret: the time comes with each event, and passwords, keys
//! and tokens stay with whoever carries out the effects. The parts follow the stages; `machine` joins them.

mod attach;
mod detach;
mod ending;
mod look;
mod machine;
mod replace;
mod stara;
#[cfg(test)]
mod tests;
mod types;
mod unknown;

pub use machine::Journey;
pub use types::{
    Answer, Call, Effect, Event, Finish, Goal, Intending, JourneyRules, JourneyStart, KnownCredential,
    Message, OnExisting, PriorIntent, RowChange,
};
