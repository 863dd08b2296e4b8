//! `status --watch`: follows a run that another process carries out, through its ledger, until it ends.
//!
//! Main types: [`WatchFlag`]; and [`watch`], which carries it out. It only reads, and asks nobody but the ledger and its lock.

mod ended;
mod flag;
mod follow;

pub(super) use flag::WatchFlag;
pub(super) use follow::watch;
