//! The calls against a real server on this machine that gives one answer, whatever it is.

mod leaf;
mod leaf_credential;
mod leaf_events;
mod leaf_link;
mod server;
mod stara;
