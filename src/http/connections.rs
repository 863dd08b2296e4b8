//! Which requests open a connection, and what that costs a quota.

use std::time::Duration;

use super::client::IDLE_TIMEOUT;

/// About how many connections a host has with us: as many as requests were under way at once.
///
/// A request that opens a connection arrives later by what that takes, together with those that leave afterwards over
/// connections that are there. A host whose connections take 300 ms would see 260 requests in a second of 200/s, though
/// none left too early. So such a request takes two cells of the quota: one when it leaves, and another one as soon as its
/// answer shows that it has arrived. Where connections take next to nothing, next to nothing is lost.
#[derive(Debug, Default)]
pub(super) struct Connections {
    under_way: usize,
    open: usize,
    owed: usize,
    last_left: Option<Duration>,
}

/// By which connection a request went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By one that was there.
    Known,
    /// Probably by one that was opened for it.
    Opened,
}

impl Connections {
    /// A request leaves at `now` (time since the pacer began).
    pub(super) fn leave(&mut self, now: Duration) -> Way {
        if self.was_silent(now) {
            // Whatever wasn't in use is closed.
            self.open = self.under_way;
        }
        self.last_left = Some(now);
        self.under_way += 1;
        if self.under_way <= self.open {
            return Way::Known;
        }
        self.open = self.under_way;
        Way::Opened
    }

    /// It was answered, or nobody waits for it any longer.
    pub(super) fn end(&mut self, way: Way) {
        self.under_way -= 1;
        if way == Way::Opened {
            self.owed += 1;
        }
    }

    /// Whether a cell is to be spent at `now` on one that has opened its connection; it is then no longer owed. Nothing is
    /// owed after a silence: a quota of a few cells a minute opens a connection for each.
    pub(super) fn settle(&mut self, now: Duration) -> bool {
        if self.was_silent(now) {
            self.owed = 0;
        }
        let is_owed = self.owed > 0;
        self.owed = self.owed.saturating_sub(1);
        is_owed
    }

    /// Whether nothing has left for as long as an unused connection is kept.
    fn was_silent(&self, now: Duration) -> bool {
        self.last_left.is_none_or(|last| now.saturating_sub(last) >= IDLE_TIMEOUT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leave(connections: &mut Connections, requests: usize, now: Duration) -> Vec<Way> {
        (0..requests).map(|_| connections.leave(now)).collect()
    }

    #[test]
    fn as_many_connections_are_there_as_requests_were_under_way_at_once() {
        let mut connections = Connections::default();
        let now = Duration::from_secs(1);
        let ways = leave(&mut connections, 3, now);
        assert_eq!(ways, [Way::Opened; 3]);
        for way in ways {
            connections.end(way);
        }
        let again = leave(&mut connections, 4, now);
        assert_eq!(again, [Way::Known, Way::Known, Way::Known, Way::Opened]);
        assert_eq!([0; 4].map(|_| connections.settle(now)), [true, true, true, false]);
    }

    #[test]
    fn connections_that_nobody_used_for_a_while_are_opened_again() {
        let mut connections = Connections::default();
        leave(&mut connections, 3, Duration::ZERO);
        connections.end(Way::Opened);
        connections.end(Way::Opened);
        assert_eq!(connections.leave(IDLE_TIMEOUT), Way::Opened, "one is under way all the time");
    }

    #[test]
    fn requests_that_are_far_apart_owe_nothing() {
        let mut connections = Connections::default();
        for minute in 0..10 {
            let now = Duration::from_secs(minute * 60);
            assert!(!connections.settle(now));
            connections.leave(now);
            connections.end(Way::Opened);
        }
    }
}
