//! Foresees what a run would do, without doing it.
//!
//! Main function: [`forecast`]. Main types: [`Forecast`], what it comes to, and [`Calls`], what each service would be asked.
//! Every row's own journey is played through against services without faults ([`imagined`]), which hold what Leaf was seen
//! to hold, so that a forecast and a run can't disagree on what follows from what.
//!
//! It may ask Leaf what changes nothing, and nobody else anything; and it writes into the copy of a ledger only.

mod imagined;
mod rows;
mod see;
mod total;

pub use imagined::Calls;
pub use total::{Forecast, forecast};
