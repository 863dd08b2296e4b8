//! The pair of hosts that a ledger is about.

use std::fmt;
use std::net::IpAddr;

/// The hosts a ledger is about, as origins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub(super) stara: String,
    pub(super) leaf: String,
}

impl Target {
    /// The target of two origins (`https://host:port`). On this machine ports come and go, so there they don't count.
    #[must_use]
    pub fn new(stara_origin: &str, leaf_origin: &str) -> Self {
        Self { stara: without_local_port(stara_origin), leaf: without_local_port(leaf_origin) }
    }

    /// What is known of Stara's and Leaf's origins.
    #[must_use]
    pub fn origins(&self) -> [&str; 2] {
        [&self.stara, &self.leaf]
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Stara at {} and Leaf at {}", self.stara, self.leaf)
    }
}

pub(super) fn without_local_port(origin: &str) -> String {
    let host = origin.split("://").nth(1).unwrap_or(origin);
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let local = name == "localhost" || address.is_ok_and(|address| address.is_loopback());
    if local { "this machine".to_owned() } else { origin.to_owned() }
}
