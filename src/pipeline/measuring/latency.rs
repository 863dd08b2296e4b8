//! How long answers took, by stage, in buckets whose width grows with the time.

use std::time::Duration;

use crate::checkpoint::StageLatency;
use crate::model::Stage;

/// Each power of two is divided into so many buckets (two to the power of this): none is wider than 1/16 of its times, and its
/// middle is at most 1/32 off.
const FINENESS: u32 = 4;

const PER_OCTAVE: u64 = 1 << FINENESS;

/// Whatever took this long or longer, in microseconds, is in the last bucket: 19 hours.
const LONGEST: u64 = 1 << 36;

const BUCKETS: usize = bucket_of(LONGEST) + 1;

const STAGES: usize = Stage::ALL.len();

/// How long the answers of every stage took.
#[derive(Debug)]
pub(super) struct Latencies {
    stages: Box<[Histogram; STAGES]>,
}

#[derive(Debug, Clone)]
struct Histogram {
    buckets: [u32; BUCKETS],
    /// The longest time, in microseconds.
    max: u64,
}

impl Latencies {
    pub(super) fn new() -> Self {
        let empty = Histogram { buckets: [0; BUCKETS], max: 0 };
        Self { stages: Box::new(std::array::from_fn(|_| empty.clone())) }
    }

    /// Takes note of an answer.
    pub(super) fn note(&mut self, stage: Stage, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let histogram = &mut self.stages[stage as usize];
        let bucket = &mut histogram.buckets[bucket_of(micros.min(LONGEST))];
        *bucket = bucket.saturating_add(1);
        histogram.max = histogram.max.max(micros);
    }

    /// The stages that had answers, in order.
    pub(super) fn all(&self) -> Vec<StageLatency> {
        let of = |(stage, histogram): (Stage, &Histogram)| histogram.told(stage);
        Stage::ALL.into_iter().zip(self.stages.iter()).filter_map(of).collect()
    }
}

impl Histogram {
    fn told(&self, stage: Stage) -> Option<StageLatency> {
        let answers: u64 = self.buckets.iter().copied().map(u64::from).sum();
        let quantile = |hundredths: u64| {
            // The first answer that at least so many hundredths of all answers don't exceed.
            let rank = (answers * hundredths).div_ceil(100).max(1);
            let mut passed = 0;
            let bucket = self.buckets.iter().position(|&count| {
                passed += u64::from(count);
                passed >= rank
            });
            bucket.map_or(self.max, middle_of).min(self.max)
        };
        (answers > 0).then(|| StageLatency {
            stage,
            answers,
            p50_us: quantile(50),
            p90_us: quantile(90),
            p99_us: quantile(99),
            max_us: self.max,
        })
    }
}

/// The bucket of a time in microseconds, at most [`LONGEST`].
const fn bucket_of(micros: u64) -> usize {
    let bucket = if micros < PER_OCTAVE {
        micros
    } else {
        let shift = micros.ilog2() - FINENESS;
        ((shift as u64) << FINENESS) + (micros >> shift)
    };
    #[expect(clippy::cast_possible_truncation, reason = "at most a few hundred")]
    let bucket = bucket as usize;
    bucket
}

/// The time in the middle of a bucket.
fn middle_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * PER_OCTAVE {
        return bucket;
    }
    let shift = bucket / PER_OCTAVE - 1;
    let first = (PER_OCTAVE + bucket % PER_OCTAVE) << shift;
    first + (1 << shift) / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::simulated::Dice;

    /// The quantiles of these times, in microseconds.
    fn told(times: impl IntoIterator<Item = u64>) -> StageLatency {
        let mut latencies = Latencies::new();
        for time in times {
            latencies.note(Stage::Attach, Duration::from_micros(time));
        }
        let all = latencies.all();
        assert_eq!(all.len(), 1);
        all[0]
    }

    fn is_near(told: u64, exact: u64) -> bool {
        told.abs_diff(exact) * 20 <= exact
    }

    #[test]
    fn a_quantile_is_at_most_a_twentieth_off() {
        let mut dice = Dice::new(7);
        for octaves in 1..36 {
            let mut times: Vec<u64> = (0..999).map(|_| dice.roll(1 << octaves)).collect();
            let told = told(times.iter().copied());
            times.sort_unstable();
            for (quantile, exact) in
                [(told.p50_us, times[499]), (told.p90_us, times[899]), (told.p99_us, times[989])]
            {
                assert!(is_near(quantile, exact), "{quantile} for {exact} of less than 2^{octaves}");
            }
            assert_eq!((told.answers, told.max_us), (999, times[998]));
        }
    }

    #[test]
    fn every_time_has_a_bucket_whose_middle_is_near() {
        for exponent in 0..=36 {
            for micros in [(1 << exponent) - 1, 1 << exponent, (1_u64 << exponent) * 3 / 2] {
                let bucket = bucket_of(micros.min(LONGEST));
                assert!(bucket < BUCKETS);
                assert!(micros > LONGEST || is_near(middle_of(bucket), micros), "{micros}");
            }
        }
        assert!((0..BUCKETS - 1).all(|bucket| bucket_of(middle_of(bucket)) == bucket));
    }

    #[test]
    fn one_answer_is_all_its_quantiles() {
        let told = told([1_234_567]);
        assert_eq!((told.answers, told.max_us), (1, 1_234_567));
        assert_eq!((told.p50_us, told.p90_us), (told.p99_us, told.p99_us));
        assert!(is_near(told.p99_us, 1_234_567) && told.p99_us <= told.max_us);
    }

    #[test]
    fn what_takes_days_is_told_exactly_as_the_longest() {
        let days = 5 * 86_400 * 1_000_000;
        assert_eq!(told([10, 20, days]).max_us, days);
    }

    #[test]
    fn stages_are_told_apart_and_in_order() {
        let mut latencies = Latencies::new();
        latencies.note(Stage::Verify, Duration::from_millis(3));
        latencies.note(Stage::Precheck, Duration::from_millis(1));
        let stages: Vec<_> = latencies.all().iter().map(|told| (told.stage, told.answers)).collect();
        assert_eq!(stages, [(Stage::Precheck, 1), (Stage::Verify, 1)]);
    }
}
