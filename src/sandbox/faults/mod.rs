//! What goes wrong in the simulated services: named faults, the rules of when they befall a call, and their state.
//!
//! Main types: [`Fault`] (a rule, made by a named constructor), [`Trouble`] (what it does), [`When`] (how often) and
//! `ArmedFaults` (the faults in force, which decide about each call).
//!
//! It decides and never acts: it may not touch a connection, sleep, or change the world.

mod armed;
mod fault;
mod flaw;
mod quota;
mod spec;
mod trouble;

pub(super) use armed::{ArmedFaults, Asked};
pub use fault::{Fault, UnknownFaultError, When};
pub use flaw::{PageFlaw, UserFlaw};
pub use quota::{Advice, Quota};
pub use spec::FaultSpecError;
pub use trouble::{Alteration, Answer, Body, RetryAfter, Trouble, Wire};
