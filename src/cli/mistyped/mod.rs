//! A command line that makes no sense, told as every other error is: what is wrong with which word, and what to write instead.
//!
//! Main function: [`refuse`], which makes a [`Failure`](super::failure::Failure) of what clap says.
//!
//! It decides nothing: clap has refused the command line already.

mod asked;
mod blame;
mod flag;
mod value;
mod verb;
mod words;

pub(super) use words::refuse;
