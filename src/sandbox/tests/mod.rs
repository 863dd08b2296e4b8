//! The sandbox as a client meets it: over real sockets, with a client of its own that shares nothing with the product's.

mod client;
mod elsewhere;
mod events;
mod faults;
mod fixtures;
mod leaf;
mod list;
mod record;
mod removals;
mod stara;
mod words;
