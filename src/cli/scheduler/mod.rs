//! What a scheduler needs of a verb: metrics of every end, a wait for the ledger, and codes that count as zero.
//!
//! Main types: [`SchedulerFlags`] and [`ExitFlags`], the flags; [`Job`], one call of a verb from its begin to its exit
//! code, whatever ends it; [`HeldLock`], the ledger's lock, perhaps waited for.
//!
//! It may not decide how a verb ends: it tells others of it.

mod arguments;
mod job;
mod lock;

pub(super) use arguments::{ExitFlags, SchedulerFlags};
pub(super) use job::Job;
pub(super) use lock::HeldLock;
