//! What each host was asked in this run.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::checkpoint::HostTotals;
use crate::model::Service;

/// Counts requests as they end.
#[derive(Debug, Default)]
pub(super) struct Totals {
    stara: Counters,
    leaf: Counters,
}

#[derive(Debug, Default)]
struct Counters {
    requests: AtomicU64,
    unanswered: AtomicU64,
    throttled: AtomicU64,
}

impl Totals {
    fn counters(&self, service: Service) -> &Counters {
        match service {
            Service::Stara => &self.stara,
            Service::Leaf => &self.leaf,
        }
    }

    pub(super) fn count(&self, service: Service, status: Option<u16>, is_throttled: bool) {
        let counters = self.counters(service);
        counters.requests.fetch_add(1, Ordering::Relaxed);
        if status.is_none() {
            counters.unanswered.fetch_add(1, Ordering::Relaxed);
        }
        if is_throttled {
            counters.throttled.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Requests that a service answered without throttling them.
    pub(super) fn served(&self, service: Service) -> u64 {
        let counters = self.counters(service);
        let aside = counters.unanswered.load(Ordering::Relaxed) + counters.throttled.load(Ordering::Relaxed);
        counters.requests.load(Ordering::Relaxed).saturating_sub(aside)
    }

    pub(super) fn by_host(&self) -> BTreeMap<String, HostTotals> {
        let read = |counters: &Counters| HostTotals {
            requests: counters.requests.load(Ordering::Relaxed),
            unanswered: counters.unanswered.load(Ordering::Relaxed),
            throttled: counters.throttled.load(Ordering::Relaxed),
        };
        let hosts = [(Service::Stara, &self.stara), (Service::Leaf, &self.leaf)];
        hosts.map(|(service, counters)| (service.as_str().to_lowercase(), read(counters))).into()
    }
}
