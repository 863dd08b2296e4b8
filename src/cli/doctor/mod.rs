//! `doctor`: whether a run could begin here and come to its end, before anything is sent that costs a login.
//!
//! Main types: [`DoctorArguments`], the flags; `Check`, one thing that was looked at; `Checkup`, all of them with what they
//! come to. The main function is [`doctor`].
//!
//! It may print, and it may change nothing but the ledger's memory of refusals, for which it makes a ledger where there is none;
//! that only where a canary is sent.

mod arguments;
mod canary;
mod check;
mod checkup;
mod clock;
mod doubt;
mod expiry;
mod hosts;
mod limits;
mod manifest;
mod memory;
mod permissions;
mod state;
mod storage;
mod token;
mod verb;
mod verdict;

pub(in crate::cli) use arguments::DoctorArguments;
pub(super) use verb::doctor;
