//! How long the hosts took to answer in a run, for people and for programs.

use serde_json::{Value, json};

use crate::checkpoint::StageLatency;

/// One line that tells it for every stage; none where no answer was measured.
pub(super) fn latency_line(latencies: &[StageLatency]) -> Option<String> {
    let stage = |told: &StageLatency| {
        let [half, most, nearly_all] = [told.p50_us, told.p90_us, told.p99_us].map(milliseconds);
        format!("{} {half}/{most}/{nearly_all}", told.stage)
    };
    let stages: Vec<String> = latencies.iter().map(stage).collect();
    (!stages.is_empty())
        .then(|| format!("Answers took (ms; half/90 of 100/99 of 100 at most): {}", stages.join(", ")))
}

/// For programs, in milliseconds.
pub(super) fn latencies_json(latencies: &[StageLatency]) -> Value {
    let milliseconds = |micros: u64| {
        #[expect(clippy::cast_precision_loss, reason = "no latency has so many digits")]
        let exact = micros as f64 / 1_000.0;
        exact
    };
    let stage = |told: &StageLatency| {
        json!({
            "stage": told.stage.as_str(),
            "answers": told.answers,
            "p50Ms": milliseconds(told.p50_us),
            "p90Ms": milliseconds(told.p90_us),
            "p99Ms": milliseconds(told.p99_us),
            "maxMs": milliseconds(told.max_us),
        })
    };
    latencies.iter().map(stage).collect()
}

/// Whole milliseconds, or tenths where there are few.
fn milliseconds(micros: u64) -> String {
    if micros < 10_000 {
        let tenths = (micros + 50) / 100;
        return format!("{}.{}", tenths / 10, tenths % 10);
    }
    ((micros + 500) / 1_000).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stage;

    #[test]
    fn every_stage_is_told_in_one_line() {
        let told = |stage, p50_us| StageLatency {
            stage,
            answers: 4,
            p50_us,
            p90_us: 9_960,
            p99_us: 1_234_500,
            max_us: 2_000_000,
        };
        let latencies = [told(Stage::Precheck, 40), told(Stage::Attach, 10_499)];
        let line = latency_line(&latencies).unwrap();
        let expected = "Answers took (ms; half/90 of 100/99 of 100 at most): precheck 0.0/10.0/1235, attach 10/10.0/1235";
        assert_eq!(line, expected);
        assert_eq!(latency_line(&[]), None);
        assert_eq!(latencies_json(&latencies)[1]["p50Ms"], 10.499);
    }
}
