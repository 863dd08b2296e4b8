//! Speaks HTTP to one host: sends a request once, paces, and judges what came of it.
//!
//! Main types: [`HttpClient`], which sends; [`HostPacer`], the one owner of a host's quota, concurrency, pause and
//! breaker;
//! [`SendError`] and [`StatusClass`], what an attempt came to; [`RetryPolicy`], the pure table of what follows.
//!
//! This floor may not know Stara, Leaf or rows, and nothing in it sends twice.

mod adaptive;
mod breaker;
mod call_counts;
mod certificate;
mod classify;
mod client;
mod connections;
mod extra_roots;
mod pacing;
mod probe;
mod quota;
mod rate;
mod reach;
mod retry;
mod retry_after;
mod route;
#[cfg(test)]
pub(crate) mod simulated;
mod throttling;

pub use adaptive::{AdaptiveRange, BEGIN_WITH};
pub use call_counts::{CallCounts, CountsByCall};
pub use classify::{SendError, StatusClass, Unreached};
pub use client::{BodyError, ClientError, ClientOptions, HttpClient, Reply, innermost, is_this_machine};
pub use extra_roots::{ExtraRoots, ExtraRootsError};
pub use pacing::{GivenUp, Heard, HostPacer, Noted, Pace, PacerOptions, Permit};
pub use probe::{ProbeError, Probed};
pub use rate::{Frequency, ParseRateError, Rate};
pub use reach::{ReachError, connect, resolve};
pub use retry::{Attempted, RetryPolicy, RetryVerdict, Trouble};
pub use retry_after::parse_retry_after;
pub use route::ProxyAddress;
