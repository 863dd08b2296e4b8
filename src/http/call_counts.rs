//! How often a host was asked what, and what it answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Requests by the name of their call and the status of their answer, `None` where none came.
pub type CountsByCall = BTreeMap<(&'static str, Option<u16>), u64>;

/// The count of what one host was asked, shared by everybody who asks it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct CallCounts(Arc<Mutex<CountsByCall>>);

impl CallCounts {
    /// The counts so far. A request under way isn't among them.
    #[must_use]
    pub fn so_far(&self) -> CountsByCall {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts one more request of the call of this name, as soon as what is given back is dropped: one that is abandoned
    /// while it is under way was sent all the same.
    pub(super) fn begin(&self, call: &'static str) -> CountedCall {
        CountedCall { counts: self.clone(), call, status: None }
    }
}

/// A request under way.
#[derive(Debug)]
pub(super) struct CountedCall {
    counts: CallCounts,
    call: &'static str,
    /// The answer's status, as soon as it came.
    pub(super) status: Option<u16>,
}

impl Drop for CountedCall {
    fn drop(&mut self) {
        let mut counts = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((self.call, self.status)).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_counts_once_however_it_ends() {
        let counts = CallCounts::default();
        let mut answered = counts.begin("look");
        let abandoned = counts.begin("look");
        assert_eq!(counts.so_far(), CountsByCall::new(), "both are under way");
        answered.status = Some(404);
        drop((answered, abandoned));
        assert_eq!(counts.so_far(), CountsByCall::from([(("look", None), 1), (("look", Some(404)), 1)]));
    }
}
