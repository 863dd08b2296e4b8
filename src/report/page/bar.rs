//! The outcomes as one bar.

use super::groups::Group;
use super::tally::Tally;
use crate::checkpoint::RunKind;

/// How wide the bar is, in units of its own.
pub(super) const WIDTH: u64 = 1_000;

/// The least width of an outcome that occurs, so that one row in a million can be seen.
const LEAST: u64 = 6;

/// A part of the bar.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) group: &'static str,
    pub(super) from: u64,
    pub(super) width: u64,
}

/// One segment a group that occurs, in the order of the groups.
pub(super) fn segments(kind: RunKind, tally: &Tally) -> Vec<Segment> {
    let rows = |group| super::groups::rows_of(kind, tally, group);
    let counted = Group::ALL.into_iter().map(|group| (group, rows(group))).filter(|(_, rows)| *rows > 0);
    laid_out(&counted.collect::<Vec<_>>())
}

fn laid_out(counted: &[(Group, u64)]) -> Vec<Segment> {
    let total: u128 = counted.iter().map(|(_, rows)| u128::from(*rows)).sum();
    // What is left once every segment has the least width is shared by rows.
    let to_share = u128::from(WIDTH.saturating_sub(LEAST * counted.len() as u64));
    let (mut seen, mut from) = (0_u128, 0);
    let mut segments = Vec::new();
    for (place, (group, rows)) in counted.iter().enumerate() {
        seen += u128::from(*rows);
        let shared = u64::try_from(to_share * seen / total.max(1)).unwrap_or(WIDTH);
        let end = shared + LEAST * (place as u64 + 1);
        segments.push(Segment { group: group.key(), from, width: end - from });
        from = end;
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_in_a_million_is_seen_and_the_bar_is_full() {
        let segments = laid_out(&[(Group::Done, 999_999), (Group::You, 1)]);
        assert_eq!(segments[0], Segment { group: "done", from: 0, width: 993 });
        assert_eq!(segments[1], Segment { group: "you", from: 993, width: 7 });
        let halves = laid_out(&[(Group::Done, 5), (Group::Grower, 5)]);
        assert_eq!((halves[0].width, halves[1].width), (500, 500));
        assert_eq!(laid_out(&[]), []);
    }
}
