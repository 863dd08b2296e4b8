//! Every error that there is, with what it says and what it advises: `docs/ERRORS.md` is made of it, and a new error without a hint
//! fails a test.
//!
//! Main types: [`source::Declared`], an error's type as the sources declare it; [`samples::Sample`], one of its variants as people
//! are told of it; [`sites::Site`], a place where `cli` makes a failure by itself.
//!
//! It is there for the tests only, and decides nothing.

mod page;
mod samples;
mod sites;
mod source;
mod unhinted;
