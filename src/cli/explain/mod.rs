//! `explain`: what each code means, who must act, what to do, and what the next run does; offline.
//!
//! Main types: `Explanation`, all that is to be said about one code. The text itself stands where the codes are declared, for
//! reports, summaries and `docs/CODES.md` say the same.
//!
//! It may not look at a ledger, a manifest or a service.

mod explanation;
mod verb;

pub(super) use verb::{codes, explain};
