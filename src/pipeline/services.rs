//! What a verb must know of the two services to speak to them.

use std::time::Duration;

use super::leaf_token::TokenSource;
use super::pace::{DividedRate, first_rate, pacer_options};
use crate::checkpoint::LearnedRate;
use crate::http::{HttpClient, PacerOptions, Rate};
use crate::model::{Dialect, Service, Shard};

/// One host.
#[derive(Debug, Clone)]
pub struct Host {
    /// The connection pool to it.
    pub http: HttpClient,
    /// How fast it may be asked.
    pub rate: Rate,
}

/// The two services, and how they may be asked.
#[derive(Debug, Clone)]
pub struct Services {
    /// Stara's host.
    pub stara: Host,
    /// Leaf's host.
    pub leaf: Host,
    /// How Stara is spoken to.
    pub dialect: Dialect,
    /// Where Leaf's token comes from.
    pub token: TokenSource,
    /// Whose token it is, in words for people.
    pub account: String,
    /// The most rows or users under way at a time.
    pub concurrency: usize,
    /// Which of several processes this is, among which the rates are divided; `None` where it is alone.
    pub shard: Option<Shard>,
    /// The longest pause of a host that is waited for.
    pub longest_hold: Duration,
    /// Whether what earlier runs learned of the quotas is forgotten.
    pub relearn: bool,
}

impl Services {
    /// A service's host.
    #[must_use]
    pub const fn host(&self, service: Service) -> &Host {
        match service {
            Service::Stara => &self.stara,
            Service::Leaf => &self.leaf,
        }
    }

    /// Requests a second that a service is asked at first, with what earlier runs learned; `None` without a quota.
    #[must_use]
    pub fn first_rate(&self, service: Service, learned: &[LearnedRate]) -> Option<f64> {
        let learned = if self.relearn { &[] } else { learned };
        first_rate(&self.pacer_options(service, learned))
    }

    /// How a service's host is paced, with what earlier runs learned.
    pub(super) fn pacer_options(&self, service: Service, learned: &[LearnedRate]) -> PacerOptions {
        let divided = DividedRate { whole: self.host(service).rate, shard: self.shard };
        pacer_options(service, divided, learned, self.longest_hold)
    }
}
