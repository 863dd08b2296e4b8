//! How a run stands while it is at work, for whoever follows it from another process.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::timeline::millis;
use crate::model::{Service, UnixMillis};

/// How a run stood when it was last written down; about every two seconds while anything changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveState {
    /// When that was, by the wall clock.
    #[serde(with = "millis")]
    pub at: UnixMillis,
    /// What the run is doing.
    pub phase: Phase,
    /// Rows that have ended in this run.
    pub rows_ended: u64,
    /// Rows that this run set out to carry out.
    pub to_do: u64,
    /// Rows that are parked now, until an attach with an unknown result can be judged.
    pub parked: u64,
    /// How it stands with Stara.
    pub stara: LiveHost,
    /// How it stands with Leaf.
    pub leaf: LiveHost,
    /// Why nothing new is started any more, as a clause for people; `None` while it is.
    pub draining: Option<String>,
}

impl LiveState {
    /// How it stands with a service.
    #[must_use]
    pub const fn host(&self, service: Service) -> &LiveHost {
        match service {
            Service::Stara => &self.stara,
            Service::Leaf => &self.leaf,
        }
    }
}

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Leaf's list of users is read, before rows are carried out.
    List,
    /// Rows are carried out.
    Rows,
    /// The rows have ended, and magic links are made.
    Links,
    /// It is over, whatever it came to.
    Ended,
}

/// How it stands with one host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LiveHost {
    /// Requests that have ended in this run.
    pub requests: u64,
    /// How many of them were answered by asking us to slow down.
    pub throttled: u64,
    /// Requests a second that ended in the last ten seconds.
    pub per_second_now: f64,
    /// Requests a second that are permitted; `None` without a quota.
    pub rate: Option<f64>,
    /// Until when everybody waits before asking it, by the wall clock; `None` where nobody does.
    #[serde(with = "maybe_millis")]
    pub held_until: Option<UnixMillis>,
    /// Why everybody waits; `None` where nobody does.
    pub hold: Option<Hold>,
}

/// Why everybody waits before asking a host: in JSON `"throttled 429"` or `"down"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Hold {
    /// It asked us to slow down.
    Throttled {
        /// With this status.
        status: u16,
    },
    /// It can't be reached, or fails.
    Down,
}

/// A text that names no reason for a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such reason to wait")]
pub struct ParseHoldError;

impl fmt::Display for Hold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Throttled { status } => write!(formatter, "throttled {status}"),
            Self::Down => formatter.write_str("down"),
        }
    }
}

impl FromStr for Hold {
    type Err = ParseHoldError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("throttled ").map(str::parse) {
            Some(Ok(status)) => Ok(Self::Throttled { status }),
            None if text == "down" => Ok(Self::Down),
            _ => Err(ParseHoldError),
        }
    }
}

impl From<Hold> for String {
    fn from(hold: Hold) -> Self {
        hold.to_string()
    }
}

impl TryFrom<String> for Hold {
    type Error = ParseHoldError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// A wall-clock instant as a number of milliseconds, or none.
mod maybe_millis {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::model::UnixMillis;

    #[expect(clippy::ref_option, reason = "serde passes references")]
    pub(super) fn serialize<S: Serializer>(
        at: &Option<UnixMillis>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(|at| at.0).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<UnixMillis>, D::Error> {
        Ok(Option::<i64>::deserialize(deserializer)?.map(UnixMillis))
    }
}
