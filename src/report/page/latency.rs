//! How long each stage's answers took.

use super::wording::count;
use crate::checkpoint::StageLatency;
use crate::model::{Service, Stage};

/// How wide the drawing of one stage is, in units of its own.
pub(super) const WIDTH: u64 = 1_000;

/// A stage's times.
#[derive(Debug)]
pub(super) struct StageShown {
    pub(super) stage: &'static str,
    pub(super) service: &'static str,
    pub(super) answers: String,
    pub(super) p50: String,
    pub(super) p90: String,
    pub(super) p99: String,
    pub(super) max: String,
    /// Where half, nine tenths and 99 hundredths of the answers lie, and the longest, on a logarithmic scale all stages share.
    pub(super) at: [u64; 4],
}

impl StageShown {
    /// How far it is from the half to nine tenths.
    pub(super) fn near(&self) -> u64 {
        (self.at[1] - self.at[0]).max(8)
    }

    /// How far it is from the half to 99 hundredths.
    pub(super) fn far(&self) -> u64 {
        (self.at[2] - self.at[0]).max(8)
    }
}

/// Every stage that had answers.
pub(super) fn stages_shown(latencies: &[StageLatency]) -> Vec<StageShown> {
    let least = latencies.iter().map(|latency| latency.p50_us).min().unwrap_or(0);
    let most = latencies.iter().map(|latency| latency.max_us).max().unwrap_or(0);
    let shown = latencies.iter().map(|latency| {
        let mut at = [latency.p50_us, latency.p90_us, latency.p99_us, latency.max_us]
            .map(|time| place(time, least, most));
        for next in 1..at.len() {
            at[next] = at[next].max(at[next - 1]);
        }
        StageShown {
            stage: latency.stage.as_str(),
            service: service_of(latency.stage).as_str(),
            answers: count(latency.answers),
            p50: time_text(latency.p50_us),
            p90: time_text(latency.p90_us),
            p99: time_text(latency.p99_us),
            max: time_text(latency.max_us),
            at,
        }
    });
    shown.collect()
}

/// Who answers at a stage.
const fn service_of(stage: Stage) -> Service {
    match stage {
        Stage::Authenticate | Stage::Token => Service::Stara,
        Stage::Manifest | Stage::Precheck | Stage::Remove | Stage::Attach | Stage::Verify => Service::Leaf,
    }
}

/// The place of a time between half of the least and the most.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a drawing, between 0 and its width"
)]
fn place(time: u64, least: u64, most: u64) -> u64 {
    let from = (least.max(2) as f64 / 2.0).ln();
    let to = (most.max(4) as f64).ln().max(from + 0.1);
    let share = ((time.max(1) as f64).ln() - from) / (to - from);
    (share.clamp(0.0, 1.0) * (WIDTH as f64 - 8.0)).round() as u64
}

/// A time of so many microseconds.
#[expect(clippy::cast_precision_loss, reason = "a time for people")]
fn time_text(micros: u64) -> String {
    match micros {
        micros if micros < 1_000 => format!("{:.1} ms", micros as f64 / 1e3),
        micros if micros < 1_000_000 => format!("{} ms", micros.div_ceil(1_000)),
        micros if micros < 60_000_000 => format!("{:.1} s", micros as f64 / 1e6),
        micros => super::wording::duration(std::time::Duration::from_micros(micros)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_lie_in_their_order_within_the_drawing() {
        let latency = |stage, times: [u64; 4]| StageLatency {
            stage,
            answers: 1_000,
            p50_us: times[0],
            p90_us: times[1],
            p99_us: times[2],
            max_us: times[3],
        };
        let shown = stages_shown(&[
            latency(Stage::Authenticate, [180_000, 260_000, 1_400_000, 30_000_000]),
            latency(Stage::Attach, [450, 450, 450, 450]),
        ]);
        assert_eq!(shown[0].service, "Stara");
        assert_eq!([&shown[0].p50, &shown[0].p99, &shown[0].max], ["180 ms", "1.4 s", "30.0 s"]);
        assert_eq!(shown[1].p50, "0.5 ms");
        for stage in shown {
            assert!(stage.at.is_sorted() && stage.at[3] < WIDTH, "{stage:?}");
            assert!(stage.at[0] + stage.far() <= WIDTH, "{stage:?}");
        }
        assert!(stages_shown(&[]).is_empty());
    }
}
