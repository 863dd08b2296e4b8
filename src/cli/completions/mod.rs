//! `completions`: what a shell needs to complete verbs, flags, files, codes and the words that a flag takes.
//!
//! Main types: [`CompletionsArguments`]. Everything is read off the command line as clap declares it; [`words`] adds what clap
//! doesn't know, because the program parses it by itself.
//!
//! It may not know what a flag does, and it reads neither settings nor ledger.

mod bash;
mod fish;
mod verb;
mod words;

pub(super) use verb::{CompletionsArguments, completions};
