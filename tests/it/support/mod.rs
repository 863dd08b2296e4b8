//! What all the tests of the running program share.
//!
//! Main types: [`Bench`], a folder with one simulated Stara and Leaf, on which the real program is run; [`Invocation`]
//! and [`Ended`], one process of it before and after; [`Grower`], a row of a manifest; and
//! [`ResultLine`], a record of the report. [`leaks`] searches files for secrets.
//!
//! It decides nothing: what is right stands in the tests.

mod bench;
mod growers;
mod invocation;
pub(crate) mod leaks;
// Only commands that decrypt are tried there.
#[cfg(feature = "age")]
mod namespace;
mod results;

pub(crate) use bench::{Bench, side_by_side};
pub(crate) use growers::{Grower, csv_of, growers, user};
pub(crate) use invocation::{Ended, Invocation, Running};
#[cfg(feature = "age")]
pub(crate) use namespace::may_unshare_processes;
pub(crate) use results::{ResultLine, counts, lines_of, read_results};
