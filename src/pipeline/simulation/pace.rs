//! The rules about how fast a host is asked.

use std::time::Duration;

use crate::http::{Frequency, Rate};
use crate::model::Service;

/// What was asked of a host in this run.
#[derive(Debug)]
pub(super) struct Pace {
    pub(super) rate: Rate,
    left: Vec<Duration>,
    /// Before this, said at that time, nothing may leave.
    not_before: Duration,
    said: Duration,
}

impl Pace {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, left: Vec::new(), not_before: Duration::ZERO, said: Duration::ZERO }
    }

    /// The host has asked for this pause.
    pub(super) fn hold(&mut self, pause: Duration, now: Duration) {
        if now + pause > self.not_before {
            (self.not_before, self.said) = (now + pause, now);
        }
    }

    /// A request leaves: what is wrong about its time.
    pub(super) fn check(&mut self, host: Service, now: Duration) -> Vec<(&'static str, String)> {
        let mut wrongs = Vec::new();
        if now > self.said && now < self.not_before {
            let early = self.not_before.saturating_sub(now);
            wrongs.push(("Retry-After", format!("a request to {host} left {early:?} too early")));
        }
        self.left.push(now);
        // A ceiling is a quota, too.
        if let Rate::Fixed(Frequency { requests, per })
        | Rate::Auto { ceiling: Some(Frequency { requests, per }) } = self.rate
        {
            let quota = usize::try_from(requests).unwrap();
            let in_window = self.left.iter().rev().take_while(|left| **left + per > now).count();
            if in_window > quota + 1 {
                wrongs
                    .push(("rate", format!("{in_window} requests to {host} within {per:?}, quota {quota}")));
            }
            // What docs/ARCHITECTURE.md promises: n requests take n periods, less what is forgiven.
            let period = per / requests;
            let forgiven = (period / 2).clamp(Duration::from_millis(2), Duration::from_millis(10));
            for (steps, left) in self.left.iter().rev().take(64).enumerate() {
                let least = period * u32::try_from(steps).unwrap();
                let took = now.saturating_sub(*left);
                if took + forgiven < least {
                    wrongs.push(("rate", format!("{} requests to {host} within {took:?}", steps + 1)));
                    break;
                }
            }
        }
        wrongs
    }
}
