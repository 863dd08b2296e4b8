//! The whole pipeline on a simulated machine: real staging, dispatching, pacing, carrying, token renewal and ledger, under
//! virtual time, against a Stara and a Leaf in which a seed decides what goes wrong.
//!
//! Main types: `Setting`, what a seed decides beforehand (manifests, rates, climate); `World`, the two services; `Oracle`,
//! the obvious rules that every request and every outcome is held against, with
//! those about one night's work (`nightly`), about what comes first (`precedence`), about magic links (`links`) and about the end (`ending`); `Network`, which takes requests to the world;
//! `Fate`, run after run of one seed, with crashes and stops between. `tests` has the seeds and the commands.
//!
//! Nothing here may know how the client works: it sees requests, events and the ledger through a second connection.

mod arrived;
mod ending;
mod fate;
mod leaf;
mod leaf_link;
mod leaf_list;
mod links;
mod manifest;
mod measured;
mod network;
mod nightly;
mod oracle;
mod pace;
mod precedence;
mod run;
mod setting;
mod stara;
mod tests;
mod trouble;
mod user;
mod watcher;
mod world;
