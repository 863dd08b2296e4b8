//! What happened slot by slot, in a fixed number of slots that grow wider as the run grows longer.

use std::time::Duration;

use crate::checkpoint::{HostSlot, MeasuredSlot};
use crate::model::Service;

/// The most slots. Whenever more would be needed, each becomes twice as long, and neighbours become one.
const MOST_SLOTS: usize = 240;

/// What happened slot by slot. All times are since it began.
#[derive(Debug)]
pub(super) struct Timeline {
    slot_seconds: u32,
    slots: Box<[MeasuredSlot]>,
    /// For each service, from when until when everybody waits, as far as no slot has it yet; in milliseconds.
    holds: [(u64, u64); Service::ALL.len()],
}

impl Timeline {
    pub(super) fn new() -> Self {
        Self {
            slot_seconds: 1,
            slots: vec![MeasuredSlot::default(); MOST_SLOTS].into_boxed_slice(),
            holds: Default::default(),
        }
    }

    /// Takes note of a row that ended.
    pub(super) fn note_row(&mut self, now: Duration) {
        self.slot_at(now).rows += 1;
    }

    /// Takes note of a request that ended, after which so many a second are permitted.
    pub(super) fn note_request(
        &mut self,
        service: Service,
        status: Option<u16>,
        is_throttled: bool,
        rate: Option<f64>,
        now: Duration,
    ) {
        let host = host_in(self.slot_at(now), service);
        host.requests += 1;
        host.throttled += u64::from(is_throttled);
        host.failed += u64::from(!is_throttled && status.is_none_or(|status| status >= 500));
        host.rate = rate;
    }

    /// Takes note that everybody waits before a service is asked again. What an earlier pause covers isn't counted twice.
    pub(super) fn note_hold(&mut self, service: Service, wait: Duration, now: Duration) {
        self.settle(service, now);
        let hold = &mut self.holds[service as usize];
        *hold = (millis(now), hold.1.max(millis(now.saturating_add(wait))));
    }

    /// How long each slot is, in seconds, and the slots in which anything happened until now.
    pub(super) fn slots(&mut self, now: Duration) -> (u32, Vec<MeasuredSlot>) {
        for service in Service::ALL {
            self.settle(service, now);
        }
        let numbered =
            (0..).zip(self.slots.iter()).map(|(slot, measured)| MeasuredSlot { slot, ..*measured });
        let is_empty = |slot: &MeasuredSlot| *slot == MeasuredSlot { slot: slot.slot, ..Default::default() };
        (self.slot_seconds, numbered.filter(|slot| !is_empty(slot)).collect())
    }

    /// Divides what has passed of a service's pause among the slots.
    fn settle(&mut self, service: Service, now: Duration) {
        let (mut from, until) = self.holds[service as usize];
        let until = until.min(millis(now));
        if from >= until {
            return;
        }
        self.slot_at(Duration::from_millis(until));
        let length = u64::from(self.slot_seconds) * 1_000;
        while from < until {
            let slot = from / length;
            let part = until.min((slot + 1) * length) - from;
            host_in(self.slot_at(Duration::from_millis(from)), service).held_ms += part;
            from += part;
        }
        self.holds[service as usize].0 = until;
    }

    fn slot_at(&mut self, now: Duration) -> &mut MeasuredSlot {
        let place = loop {
            let place = now.as_secs() / u64::from(self.slot_seconds);
            match usize::try_from(place) {
                Ok(place) if place < MOST_SLOTS => break place,
                // Beyond this no slot can be longer: whatever comes later is in the last one.
                _ if self.slot_seconds > u32::MAX / 2 => break MOST_SLOTS - 1,
                _ => self.widen(),
            }
        };
        &mut self.slots[place]
    }

    fn widen(&mut self) {
        self.slot_seconds *= 2;
        for place in 0..MOST_SLOTS {
            let merged = match self.slots.get(2 * place..2 * place + 2) {
                Some([earlier, later]) => merge(earlier, later),
                _ => MeasuredSlot::default(),
            };
            self.slots[place] = merged;
        }
    }
}

fn host_in(slot: &mut MeasuredSlot, service: Service) -> &mut HostSlot {
    match service {
        Service::Stara => &mut slot.stara,
        Service::Leaf => &mut slot.leaf,
    }
}

fn merge(earlier: &MeasuredSlot, later: &MeasuredSlot) -> MeasuredSlot {
    MeasuredSlot {
        slot: 0,
        rows: earlier.rows + later.rows,
        stara: earlier.stara.and(later.stara),
        leaf: earlier.leaf.and(later.leaf),
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::simulated::Dice;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_happened_is_in_the_slot_in_which_it_happened() {
        let mut timeline = Timeline::new();
        timeline.note_request(Service::Stara, Some(200), false, Some(10.0), Duration::from_millis(999));
        timeline.note_request(Service::Stara, Some(503), true, Some(7.0), seconds(2));
        timeline.note_request(Service::Leaf, Some(502), false, None, seconds(2));
        timeline.note_request(Service::Leaf, None, false, None, seconds(2));
        timeline.note_request(Service::Leaf, Some(404), false, None, seconds(2));
        timeline.note_row(seconds(2));
        let stara =
            |throttled, rate| HostSlot { requests: 1, throttled, rate: Some(rate), ..HostSlot::default() };
        let first = MeasuredSlot { slot: 0, stara: stara(0, 10.0), ..MeasuredSlot::default() };
        let leaf = HostSlot { requests: 3, failed: 2, ..HostSlot::default() };
        let third = MeasuredSlot { slot: 2, rows: 1, stara: stara(1, 7.0), leaf };
        assert_eq!(timeline.slots(seconds(9)), (1, vec![first, third]));
    }

    #[test]
    fn a_longer_run_has_wider_slots_and_loses_nothing() {
        let mut dice = Dice::new(3);
        for longest in [100, 240, 241, 1_000, 100_000] {
            let mut timeline = Timeline::new();
            let mut now = 0;
            let mut sent = 0;
            while now < longest {
                timeline.note_row(seconds(now));
                timeline.note_request(Service::Leaf, Some(429), true, Some(1.0), seconds(now));
                (now, sent) = (now + dice.roll(longest / 50), sent + 1);
            }
            let (slot_seconds, slots) = timeline.slots(seconds(longest));
            assert!(slots.iter().all(|slot| u64::from(slot.slot * slot_seconds) < longest));
            assert!(slots.iter().all(|slot| slot.slot < 240));
            assert!(slots.is_sorted_by(|earlier, later| earlier.slot < later.slot));
            let count = |of: fn(&MeasuredSlot) -> u64| slots.iter().map(of).sum::<u64>();
            assert_eq!(count(|slot| slot.rows), sent);
            assert_eq!(count(|slot| slot.leaf.requests), sent);
            assert_eq!(count(|slot| slot.leaf.throttled), sent);
            let needed = longest.div_ceil(240).next_power_of_two();
            assert!(u64::from(slot_seconds) <= needed, "{slot_seconds} s for {longest} s");
        }
    }

    #[test]
    fn a_pause_is_divided_among_the_slots_that_it_covers_once() {
        let mut timeline = Timeline::new();
        let held = |timeline: &mut Timeline, now| {
            let (_, slots) = timeline.slots(now);
            slots.iter().map(|slot| (slot.slot, slot.stara.held_ms)).collect::<Vec<_>>()
        };
        timeline.note_hold(Service::Stara, Duration::from_millis(2_250), Duration::from_millis(500));
        assert_eq!(held(&mut timeline, Duration::from_millis(800)), [(0, 300)]);
        // The second one ends before the first, and the third goes on from it.
        timeline.note_hold(Service::Stara, Duration::from_millis(100), seconds(1));
        timeline.note_hold(Service::Stara, seconds(2), seconds(2));
        let expected = [(0, 500), (1, 1_000), (2, 1_000), (3, 1_000)];
        assert_eq!(held(&mut timeline, seconds(90)), expected);
        timeline.note_hold(Service::Stara, seconds(1), seconds(100));
        let total: u64 = held(&mut timeline, seconds(1_000)).iter().map(|(_, held)| held).sum();
        assert_eq!(total, 4_500);
    }

    #[test]
    fn a_run_that_ends_during_a_pause_was_held_no_longer_than_it_took() {
        let mut timeline = Timeline::new();
        timeline.note_hold(Service::Leaf, seconds(900), seconds(1));
        let (_, slots) = timeline.slots(seconds(4));
        assert_eq!(slots.iter().map(|slot| slot.leaf.held_ms).sum::<u64>(), 3_000);
    }

    #[test]
    fn no_time_is_too_long() {
        let mut timeline = Timeline::new();
        timeline.note_row(Duration::ZERO);
        timeline.note_row(Duration::MAX);
        let (_, slots) = timeline.slots(Duration::MAX);
        assert_eq!(slots.iter().map(|slot| slot.rows).sum::<u64>(), 2);
    }
}
