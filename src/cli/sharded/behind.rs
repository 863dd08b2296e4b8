//! Shards whose latest run was over before another one's began: perhaps they weren't run tonight.

use std::fmt;

use crate::checkpoint::{RunRecord, ShardPart};
use crate::model::{Shard, UnixMillis};

/// A shard whose latest run was over before that of another shard began. Where a manifest is the same as the night before,
/// nothing else tells that it wasn't run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Behind {
    pub(super) shard: Shard,
    ended_at: UnixMillis,
    /// The shard that began last, and when.
    later: (Shard, UnixMillis),
}

impl fmt::Display for Behind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shard, ended_at, later: (later, began) } = self;
        let (ended, began) = (ended_at.to_rfc3339(), began.to_rfc3339());
        write!(
            formatter,
            "shard {shard}: its latest run ended {ended}, before that of shard {later} began ({began})"
        )
    }
}

/// Those of these shards that are behind, in their order.
pub(super) fn behind(parts: &[ShardPart]) -> Vec<Behind> {
    behind_of(&parts.iter().map(|part| (part.shard, &part.run)).collect::<Vec<_>>())
}

fn behind_of(runs: &[(Shard, &RunRecord)]) -> Vec<Behind> {
    let began = runs.iter().map(|(shard, run)| (*shard, run.started_at));
    let Some(later) = began.max_by_key(|(_, began)| *began) else { return Vec::new() };
    let is_behind = |(shard, run): &(Shard, &RunRecord)| {
        let ended_at = run.ended_at.filter(|ended| *ended < later.1)?;
        Some(Behind { shard: *shard, ended_at, later })
    };
    runs.iter().filter_map(is_behind).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::checkpoint::RunKind;

    fn run(started_at: i64, ended_at: Option<i64>) -> RunRecord {
        RunRecord {
            run: 1,
            kind: RunKind::Run,
            started_at: UnixMillis(started_at),
            manifest: "growers.csv".to_owned(),
            kept_columns: Vec::new(),
            lines: 1,
            manifest_lines: Some(4),
            manifest_print: None,
            to_do: 1,
            ended_at: ended_at.map(UnixMillis),
            exit_code: None,
            ending: None,
            outcomes: BTreeMap::new(),
            hosts: BTreeMap::new(),
        }
    }

    #[test]
    fn whoever_was_over_before_the_last_one_began_is_behind_and_nobody_else() {
        let runs = [run(0, Some(5)), run(6, Some(20)), run(10, None), run(1, None), run(2, Some(10))];
        let shards: Vec<_> =
            (0..).zip(&runs).map(|(index, run)| (Shard::new(index, 5).unwrap(), run)).collect();
        let found = behind_of(&shards);
        assert_eq!(found.iter().map(|behind| behind.shard.index()).collect::<Vec<_>>(), [0]);
        assert_eq!(
            found[0].to_string(),
            "shard 0/5: its latest run ended 1970-01-01T00:00:00.005Z, before that of shard 2/5 began \
             (1970-01-01T00:00:00.010Z)"
        );
        assert_eq!(behind_of(&shards[1..]), []);
        assert_eq!(behind_of(&[]), []);
    }
}
