//! The simulated Stara and Leaf: real HTTP/1.1 servers on two loopback ports, for rehearsals and for tests.
//!
//! Main types: [`Sandbox`] (the running servers, set up by [`SandboxOptions`]), [`World`] (the users, logins and
//! credentials both know, which outlives the servers, and what befalls them: [`Turn`]), [`Fault`] (what goes wrong, for which calls and how often), [`Profile`] (faults that go together, by name) and
//! [`SeenCall`] (what the servers saw).
//!
//! It is written from what is published about the two services, and it may not import `api` or `http`: a client and a
//! simulator that share code share its mistakes. It never logs and never prints.

mod arrived;
mod bearers;
mod call;
mod connection;
mod credential;
mod elsewhere;
mod exchange;
mod faults;
mod issued;
mod leaf;
mod leaf_events;
mod leaf_objects;
mod leaf_user_list;
mod links;
mod list_page;
mod logins;
mod magic;
mod options;
mod profile;
mod record;
mod reply;
mod reply_body;
mod server;
mod sharded;
mod spoiled;
mod stara;
mod turn;
mod users;
mod wire;
mod world;

#[cfg(test)]
mod tests;

pub use call::{CallKind, Calls};
pub use credential::Attached;
pub use faults::{
    Advice, Alteration, Answer, Body, Fault, FaultSpecError, PageFlaw, Quota, RetryAfter, Trouble,
    UnknownFaultError, UserFlaw, When, Wire,
};
pub use list_page::ListPage;
pub use magic::MagicWord;
pub use options::{Dialects, LeafAccount, ParseSecondAttachError, SandboxOptions, SecondAttach};
pub use profile::{ParseProfileError, Profile};
pub use record::SeenCall;
pub use server::Sandbox;
pub use turn::Turn;
pub use world::World;
