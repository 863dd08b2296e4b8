//! How numbers, times and hosts read, in every show alike.

use std::time::Duration;

use super::picture::Left;
use super::show::{HostView, View};
use super::tally::Totals;
use crate::model::Shard;
pub use crate::model::count;
pub(super) use crate::model::counted;
use crate::pipeline::{HostPlan, Plan};

/// A text as a terminal may show it: a name, or what a service said, is somebody's choice, and a terminal carries out what
/// it is told. Line breaks stay.
#[must_use]
pub fn printable(text: &str) -> String {
    let shown = |letter: char| if letter.is_control() && letter != '\n' { '\u{fffd}' } else { letter };
    text.chars().map(shown).collect()
}

/// A time span in its two largest units: `500ms`, `20s`, `1m 29s`, `2h 5m`, `3d 4h`.
#[must_use]
pub fn duration(span: Duration) -> String {
    let seconds = span.as_secs();
    let (large, small) = match seconds {
        0 if span.is_zero() => return "0s".to_owned(),
        0 => return format!("{}ms", span.as_millis()),
        1..60 => return format!("{seconds}s"),
        60..3_600 => ((seconds / 60, "m"), (seconds % 60, "s")),
        3_600..86_400 => ((seconds / 3_600, "h"), (seconds % 3_600 / 60, "m")),
        _ => ((seconds / 86_400, "d"), (seconds % 86_400 / 3_600, "h")),
    };
    match (large, small) {
        ((large, unit), (0, _)) => format!("{large}{unit}"),
        ((large, unit), (small, small_unit)) => format!("{large}{unit} {small}{small_unit}"),
    }
}

/// A rate: `98.3/s`, and `1,852/s` from a hundred on.
pub(super) fn rate(per_second: f64) -> String {
    if per_second < 99.95 {
        return format!("{per_second:.1}/s");
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is positive, and beyond 2^64 a second it may saturate"
    )]
    let whole = per_second.round() as u64;
    format!("{}/s", count(whole))
}

/// A share in whole per cent, rounded down, so that 100 % means all.
pub(super) fn percent(part: u64, whole: u64) -> u64 {
    u64::try_from(u128::from(part.min(whole)) * 100 / u128::from(whole.max(1))).unwrap_or(100)
}

/// One line that says what a run is about to do.
pub(super) fn opening(plan: &Plan) -> String {
    joined(opening_said(plan).map(Some), "; ")
}

/// The same for a terminal of so many columns: in a line for each part, where one doesn't hold them all.
pub(super) fn opening_parts(plan: &Plan, columns: usize) -> Vec<String> {
    let whole = opening(plan);
    if whole.chars().count() <= columns {
        return vec![whole];
    }
    let mut parts: Vec<String> = opening_said(plan).collect();
    if plan.expected.is_some()
        && let Some(expected) = parts.pop()
        && let Some(first) = parts.first_mut()
    {
        *first = format!("{first}; {expected}");
    }
    parts
}

fn opening_said(plan: &Plan) -> impl Iterator<Item = String> {
    let host = |name, host: &HostPlan| {
        let part = plan.shard.and_then(|shard| part_of(shard, host));
        format!("{name} {} at {}", host.origin, part.unwrap_or_else(|| allowed(host)))
    };
    let aside = [
        (plan.done_before, "done before"),
        (plan.invalid, "invalid"),
        (plan.duplicate, "duplicate"),
        (plan.conflict, "in conflict"),
    ];
    let aside = aside.map(|(lines, what)| (lines > 0).then(|| format!("{} {what}", count(lines))));
    let rows = Some(format!("{} to do of {}", count(plan.to_do), counted(plan.lines, "line")));
    let rows = joined([rows].into_iter().chain(aside), ", ");
    let parts = [
        Some(match plan.shard {
            Some(shard) => format!("shard {} of {}: {rows}", shard.index(), shard.count()),
            None => rows,
        }),
        plan.asks_stara.then(|| host("Stara", &plan.stara)),
        Some(format!("{} {}", host("Leaf", &plan.leaf), plan.account)),
        plan.expected.map(|expected| format!("about {}", duration(expected))),
    ];
    parts.into_iter().flatten()
}

/// One line that says that magic links are being made.
pub(super) fn links(users: u64) -> String {
    format!("making magic links for {}, one call to Leaf each", counted(users, "user"))
}

/// One line that says how Leaf is looked at, and why.
pub(super) fn look(list: bool, pages: Option<u64>, users: u64) -> String {
    let users = counted(users, "user");
    match (list, pages) {
        (true, Some(pages)) => format!(
            "at Leaf by its list: {} for {users}, and one more for each that it leaves open",
            counted(pages, "call")
        ),
        (true, None) => format!("at Leaf by its list, which doesn't say how long it is, for {users}"),
        (false, Some(pages)) => {
            format!("at Leaf user by user: {users}, where its list takes {}", counted(pages, "call"))
        }
        (false, None) => format!("at Leaf user by user: {users}"),
    }
}

/// How much of Leaf was seen so far.
pub(super) fn seen(totals: &Totals) -> String {
    let pages = totals.list_pages;
    let parts = [
        (pages > 0).then(|| format!("{} of Leaf's list read", counted(pages, "page"))),
        (totals.users_seen > 0).then(|| format!("{} looked at", counted(totals.users_seen, "user"))),
    ];
    joined(parts, ", ")
}

/// What a shard may ask of a host, and of how much that is a part: `25/s of 200/s`.
fn part_of(shard: Shard, host: &HostPlan) -> Option<String> {
    let per_second = host.per_second?;
    if host.rate.starts_with("auto") {
        return Some(format!("{} ({}, 1/{} of it)", rate(per_second), host.rate, shard.count()));
    }
    let part = format!("{per_second:.3}");
    Some(format!("{}/s of {}", part.trim_end_matches('0').trim_end_matches('.'), host.rate))
}

/// What a host lets through, in words: `5.0/s (auto)`.
pub(super) fn allowed(host: &HostPlan) -> String {
    match host.per_second {
        None => "no quota".to_owned(),
        Some(per_second) if host.rate.starts_with("auto") => format!("{} ({})", rate(per_second), host.rate),
        Some(_) => host.rate.clone(),
    }
}

/// The state of one host: its rate against its quota, and what it said to that.
pub(super) fn host(host: &HostView<'_>) -> String {
    let quota = host.plan.filter(|plan| plan.per_second.is_some());
    let of = quota.map(|plan| {
        let now = HostPlan { per_second: host.allowed, ..plan.clone() };
        format!(" of {}", allowed(&now))
    });
    let throttled = host.totals.throttled;
    let parts = [
        Some(rate(host.per_second) + &of.unwrap_or_default()),
        (throttled > 0).then(|| format!("{} throttled", count(throttled))),
        host.held_for().map(|wait| format!("waiting {}", duration(wait))),
    ];
    joined(parts, ", ")
}

/// The state of the rows: how many of how many, how fast, and what is left.
pub(super) fn rows(view: &View<'_>) -> String {
    let to_do = view.plan.map_or(0, |plan| plan.to_do);
    let totals = &view.totals;
    let parts = [
        Some(format!("{} of {}", count(totals.finished()), counted(to_do, "row"))),
        Some(rate(view.rows_per_second)),
        Some(format!("{} failed", count(totals.failed()))),
        (totals.parked > 0).then(|| format!("{} parked", count(totals.parked))),
        view.left.as_ref().and_then(Left::in_words),
    ];
    joined(parts, ", ")
}

/// How far the first reading of the manifest is.
pub(super) fn staging(view: &View<'_>) -> String {
    let read = view.totals.staged_bytes;
    let share = |whole| format!("{} % of the manifest", percent(read, whole));
    let parts = [Some(counted(view.totals.staged_lines, "line")), view.manifest_bytes.map(share)];
    joined(parts, ", ")
}

/// The parts that there are, with this between them.
pub(super) fn joined(parts: impl IntoIterator<Item = Option<String>>, between: &str) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_says_which_it_is_and_what_part_of_each_quota_is_its_own() {
        let host = |rate: &str, per_second| HostPlan {
            origin: "https://host.example".to_owned(),
            rate: rate.to_owned(),
            per_second,
        };
        let plan = Plan {
            shard: "3/8".parse().ok(),
            stara: host("200/s", Some(25.0)),
            leaf: host("auto", Some(0.625)),
            ..crate::ui::rehearsal::plan()
        };
        let said = opening(&plan);
        assert!(said.starts_with("shard 3 of 8: 1,000 to do of 1,015 lines"), "{said}");
        assert!(said.contains("at 25/s of 200/s;"), "{said}");
        assert!(said.contains("at 0.6/s (auto, 1/8 of it) as"), "{said}");
        let shard = "0/3".parse().unwrap();
        assert_eq!(part_of(shard, &host("20/min", Some(0.111_111))).as_deref(), Some("0.111/s of 20/min"));
        assert_eq!(part_of(shard, &host("none", None)), None);
    }

    #[test]
    fn counts_have_a_comma_between_thousands() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(12_345), "12,345");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(0, "row"), "0 rows");
    }

    #[test]
    fn spans_read_in_their_two_largest_units() {
        let seconds = |seconds| duration(Duration::from_secs(seconds));
        assert_eq!(seconds(0), "0s");
        assert_eq!(duration(Duration::from_millis(500)), "500ms");
        assert_eq!(duration(Duration::from_millis(1_999)), "1s");
        assert_eq!(seconds(59), "59s");
        assert_eq!(seconds(60), "1m");
        assert_eq!(seconds(89), "1m 29s");
        assert_eq!(seconds(3_600), "1h");
        assert_eq!(seconds(7_530), "2h 5m");
        assert_eq!(seconds(86_400 * 3 + 3_600 * 4 + 5), "3d 4h");
    }

    #[test]
    fn rates_and_shares_are_rounded_for_people() {
        assert_eq!(rate(0.0), "0.0/s");
        assert_eq!(rate(98.26), "98.3/s");
        assert_eq!(rate(99.96), "100/s");
        assert_eq!(rate(1_851.6), "1,852/s");
        assert_eq!(percent(999, 1_000), 99);
        assert_eq!(percent(1_000, 1_000), 100);
        assert_eq!(percent(5, 0), 0);
        assert_eq!(percent(u64::MAX, u64::MAX), 100);
    }
}
