//! What the proofs share.
//!
//! Main types: [`Dice`], from which everything that is left to chance follows; [`Served`], the simulated services in a
//! process of their own; [`Seen`], what they saw; [`Program`], one process of the real program; and [`LedgerImage`],
//! what a ledger holds. Growers and the search for secrets are those of the integration tests.
//!
//! It decides nothing: what is right stands in the proofs.

mod dice;
#[path = "../../it/support/growers.rs"]
#[allow(dead_code, reason = "the integration tests need more of it")]
mod growers;
#[path = "../../it/support/leaks.rs"]
#[allow(dead_code, reason = "the integration tests need more of it")]
mod leaks;
mod ledger_image;
mod program;
mod seen;
mod served;

pub(crate) use dice::Dice;
pub(crate) use growers::{Grower, csv_of, user};
pub(crate) use leaks::Needles;
pub(crate) use ledger_image::LedgerImage;
pub(crate) use program::{PATIENCE, Program, has_strace, is_killed, leave_out};
pub(crate) use seen::Seen;
pub(crate) use served::Served;

/// A number from the environment.
pub(crate) fn number_of(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, and is {text:?}")))
}
