//! Recognises a host that is down, and keeps everybody from it but one probe at a time. Pure.

use std::collections::VecDeque;
use std::time::Duration;

/// So many failures in a row open the breaker.
const IN_A_ROW: u32 = 5;

/// The results that are looked back on; half of them failed opens the breaker, too.
const LOOKED_BACK: usize = 20;

/// As long as there are fewer results than this, only failures in a row count.
const LEAST_LOOKED_BACK: usize = 10;

/// The first pause of a host that is down.
const FIRST_PAUSE: Duration = Duration::from_secs(30);

/// The longest such pause; it doubles up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// What a request said about the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// It is at work.
    Good,
    /// It can't be reached, or fails.
    Bad,
    /// Neither: no answer came in time, or it wants us to slow down.
    Neutral,
}

/// What the breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// Everything.
    Open,
    /// One request, to see whether the host is back.
    Probe,
    /// Nothing before this time.
    After(Duration),
    /// Nothing until the probe's result is known.
    AfterProbe,
    /// Nothing any more: the host has been down for this long.
    GivenUp(Duration),
}

/// The breaker of one host. All times are since the pacer began.
#[derive(Debug)]
pub(super) struct Breaker {
    longest_hold: Duration,
    failed_in_a_row: u32,
    /// Whether each of the last results was bad.
    results: VecDeque<bool>,
    outage: Option<Outage>,
}

/// A host that is down.
#[derive(Debug, Clone, Copy)]
struct Outage {
    began: Duration,
    pause: Duration,
    /// When the pause began; what was sent before says nothing about its end.
    paused_at: Duration,
    is_probed: bool,
    is_given_up: bool,
}

impl Outage {
    fn over_at(self) -> Duration {
        self.paused_at + self.pause
    }
}

impl Breaker {
    /// A breaker that waits for a host at most `longest_hold` in all.
    pub(super) fn new(longest_hold: Duration) -> Self {
        Self { longest_hold, failed_in_a_row: 0, results: VecDeque::new(), outage: None }
    }

    /// Whether the host counts as down.
    pub(super) fn is_down(&self) -> bool {
        self.outage.is_some()
    }

    /// What may pass at `now`. Whoever gets [`Passage::Probe`] is the probe.
    pub(super) fn pass(&mut self, now: Duration) -> Passage {
        let Some(outage) = &mut self.outage else { return Passage::Open };
        if outage.is_given_up {
            return Passage::GivenUp(now.saturating_sub(outage.began));
        }
        if outage.is_probed {
            return Passage::AfterProbe;
        }
        if now < outage.over_at() {
            return Passage::After(outage.over_at());
        }
        outage.is_probed = true;
        Passage::Probe
    }

    /// The probe was never sent: another one may be.
    pub(super) fn release_probe(&mut self) {
        if let Some(outage) = &mut self.outage {
            outage.is_probed = false;
        }
    }

    /// Takes note of what a request sent at `sent` said. Gives the pause that it began, if it began one.
    pub(super) fn note(&mut self, sign: Sign, sent: Duration, now: Duration) -> Option<Duration> {
        let Some(outage) = self.outage else { return self.note_in_service(sign, now) };
        // What was sent before the host went down is no probe.
        if sent < outage.over_at() {
            return None;
        }
        match sign {
            Sign::Good => {
                *self = Self::new(self.longest_hold);
                None
            }
            // A probe that isn't answered is no good sign.
            Sign::Bad | Sign::Neutral => self.pause_for((outage.pause * 2).min(LONGEST_PAUSE), now),
        }
    }

    fn note_in_service(&mut self, sign: Sign, now: Duration) -> Option<Duration> {
        let is_bad = match sign {
            Sign::Neutral => return None,
            Sign::Good => false,
            Sign::Bad => true,
        };
        self.failed_in_a_row = if is_bad { self.failed_in_a_row + 1 } else { 0 };
        self.results.push_back(is_bad);
        if self.results.len() > LOOKED_BACK {
            self.results.pop_front();
        }
        let failed = self.results.iter().filter(|is_bad| **is_bad).count();
        let half_failed = self.results.len() >= LEAST_LOOKED_BACK && failed * 2 >= self.results.len();
        if is_bad && (self.failed_in_a_row >= IN_A_ROW || half_failed) {
            self.pause_for(FIRST_PAUSE, now)
        } else {
            None
        }
    }

    /// Begins a pause, or gives the host up when that would take too long.
    fn pause_for(&mut self, pause: Duration, now: Duration) -> Option<Duration> {
        let began = self.outage.map_or(now, |outage| outage.began);
        let is_given_up = (now + pause).saturating_sub(began) > self.longest_hold;
        self.outage = Some(Outage { began, pause, paused_at: now, is_probed: false, is_given_up });
        (!is_given_up).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: Duration = Duration::from_secs(900);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn note(breaker: &mut Breaker, signs: &[Sign]) -> Option<Duration> {
        signs.iter().fold(None, |paused, sign| paused.or(breaker.note(*sign, seconds(1), seconds(1))))
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_four_do_not() {
        let mut breaker = Breaker::new(QUARTER);
        assert_eq!(note(&mut breaker, &[Sign::Bad; 4]), None);
        assert_eq!(note(&mut breaker, &[Sign::Good]), None);
        assert_eq!(note(&mut breaker, &[Sign::Bad; 4]), None);
        assert_eq!(breaker.pass(seconds(1)), Passage::Open);
        assert_eq!(note(&mut breaker, &[Sign::Neutral, Sign::Bad]), Some(FIRST_PAUSE));
        assert_eq!(breaker.pass(seconds(1)), Passage::After(seconds(31)));
    }

    #[test]
    fn half_of_the_last_results_failed_opens_it_but_not_before_there_are_ten() {
        let mut breaker = Breaker::new(QUARTER);
        for _ in 0..4 {
            assert_eq!(note(&mut breaker, &[Sign::Good, Sign::Bad]), None);
        }
        assert_eq!(note(&mut breaker, &[Sign::Good, Sign::Bad]), Some(FIRST_PAUSE));
        let mut breaker = Breaker::new(QUARTER);
        for _ in 0..100 {
            assert_eq!(
                note(&mut breaker, &[Sign::Good, Sign::Good, Sign::Bad]),
                None,
                "a third is no outage"
            );
        }
    }

    #[test]
    fn a_pause_ends_with_one_probe_and_a_good_one_ends_the_outage() {
        let mut breaker = Breaker::new(QUARTER);
        note(&mut breaker, &[Sign::Bad; 5]);
        assert_eq!(breaker.pass(seconds(31)), Passage::Probe);
        assert_eq!(breaker.pass(seconds(31)), Passage::AfterProbe);
        assert_eq!(breaker.note(Sign::Good, seconds(30), seconds(32)), None, "it was sent before");
        assert_eq!(breaker.pass(seconds(32)), Passage::AfterProbe);
        assert_eq!(breaker.note(Sign::Good, seconds(31), seconds(32)), None);
        assert_eq!(breaker.pass(seconds(32)), Passage::Open);
        assert_eq!(note(&mut breaker, &[Sign::Bad; 4]), None, "it begins to count anew");
    }

    #[test]
    fn a_probe_that_was_never_sent_makes_way_for_another() {
        let mut breaker = Breaker::new(QUARTER);
        note(&mut breaker, &[Sign::Bad; 5]);
        assert_eq!(breaker.pass(seconds(31)), Passage::Probe);
        breaker.release_probe();
        assert_eq!(breaker.pass(seconds(31)), Passage::Probe);
    }

    #[test]
    fn pauses_double_to_five_minutes_until_the_host_is_given_up() {
        let mut breaker = Breaker::new(seconds(2_000));
        let mut now = seconds(1);
        let mut pauses = vec![note(&mut breaker, &[Sign::Bad; 5])];
        while let Passage::After(time) = breaker.pass(now) {
            now = time;
            assert_eq!(breaker.pass(now), Passage::Probe);
            pauses.push(breaker.note(Sign::Bad, now, now));
        }
        let pauses: Vec<u64> = pauses.into_iter().flatten().map(|pause| pause.as_secs()).collect();
        assert_eq!(pauses, [30, 60, 120, 240, 300, 300, 300, 300, 300]);
        assert_eq!(breaker.pass(now), Passage::GivenUp(seconds(1_950)));
    }

    #[test]
    fn an_outage_that_the_run_does_not_wait_for_is_given_up_at_once() {
        let mut breaker = Breaker::new(seconds(10));
        assert_eq!(note(&mut breaker, &[Sign::Bad; 5]), None, "nothing is paused any more");
        assert_eq!(breaker.pass(seconds(1)), Passage::GivenUp(Duration::ZERO));
    }

    #[test]
    fn failures_of_requests_that_were_under_way_do_not_lengthen_the_pause() {
        let mut breaker = Breaker::new(QUARTER);
        note(&mut breaker, &[Sign::Bad; 5]);
        assert_eq!(breaker.note(Sign::Bad, seconds(1), seconds(5)), None);
        assert_eq!(breaker.pass(seconds(5)), Passage::After(seconds(31)));
    }
}
