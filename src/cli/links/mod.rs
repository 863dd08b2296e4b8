//! Magic links: for growers whose login was refused, a page on which they sign in by themselves.
//!
//! Main types: [`LinkFlags`], the flags of every verb that makes them; [`LinkFile`], where they are written;
//! [`LinksEnded`], what is told of them and what they mean for the exit code.
//!
//! It may print, and it decides nothing about users: who needs a link, `pipeline` and `checkpoint` say.

mod ended;
mod file;
mod flags;
mod make;
mod report;

pub(super) use ended::LinksEnded;
pub(super) use file::LinkFile;
pub(super) use flags::LinkFlags;
pub(super) use make::{HeldLedger, make, refuse_rehearsal};
pub(super) use report::{refuse_detached, report};
