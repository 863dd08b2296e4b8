//! The whole pipeline on a simulated machine: real staging, dispatching, pacing, carrying, token renewal and ledger, under
//! virtual time, against a Stara and a Leaf in which a seed decides what goes wrong.
//!
//! Main types: `Setting`, what a seed decides beforehand (manifest, rates, climate); `World`, the two services; `Oracle`,
//! the obvious rules that every request and every outcome is held against; `Network`, which takes requests to the world;
//! `Fate`, run after run of one seed, with crashes and stops between. `tests` has the seeds and the commands.
//!
//! Nothing here may know how the client works: it sees requests, events and the ledger through a second connection.

mod arrived;
mod fate;
mod leaf;
mod network;
mod oracle;
mod run;
mod setting;
mod stara;
mod tests;
mod trouble;
mod user;
mod watcher;
mod world;
