//! Whether this machine's clock is right: deadlines, intents and certificates are judged by it.

use super::check::Check;

const NAME: &str = "clock";

/// How far two clocks may be apart, in milliseconds.
const LARGEST_OFFSET: u64 = 60_000;

/// Judges how far our clock is before Stara's and before Leaf's, in milliseconds, where they told the time.
pub(super) fn judge(ahead: [Option<i64>; 2]) -> Check {
    let names = ["Stara's", "Leaf's"];
    let said: Vec<(&str, i64)> =
        names.into_iter().zip(ahead).filter_map(|(name, ahead)| Some((name, ahead?))).collect();
    let offsets: Vec<String> = said.iter().map(|(name, ahead)| told(name, *ahead)).collect();
    let found = offsets.join(", ");
    let is_off = |(_, ahead): &&(&str, i64)| ahead.unsigned_abs() > LARGEST_OFFSET;
    match (said.len(), said.iter().filter(is_off).count()) {
        (0, _) => Check::skipped(NAME, "neither host told the time"),
        (_, 0) => Check::ok(NAME, format!("this machine's clock agrees: {found}")),
        (2, 1) => Check::warning(
            NAME,
            format!("the clocks don't agree: {found}"),
            "one of the hosts' clocks is probably wrong, and not this machine's; make sure that it is set by NTP",
        ),
        _ => Check::warning(
            NAME,
            format!("this machine's clock is wrong: {found}"),
            "set it by NTP (timedatectl set-ntp true): what is waited for, and whether a certificate or a token is still \
             good, is judged by it",
        ),
    }
}

fn told(name: &str, ahead: i64) -> String {
    // The hosts tell the time to the second.
    if (-1_500..=1_500).contains(&ahead) {
        return format!("the same as {name}");
    }
    let side = if ahead > 0 { "before" } else { "behind" };
    format!("{} s {side} {name}", ahead.unsigned_abs().div_ceil(1_000))
}

#[cfg(test)]
mod tests {
    use super::super::check::Standing;
    use super::*;

    #[test]
    fn a_clock_that_is_over_a_minute_off_is_warned_of_and_never_stops_a_run() {
        for (ahead, standing, words) in [
            ([None, None], Standing::Skipped, "neither host"),
            ([Some(400), Some(-900)], Standing::Ok, "the same as Stara's, the same as Leaf's"),
            ([Some(60_000), None], Standing::Ok, "60 s before Stara's"),
            ([Some(60_001), None], Standing::Warning, "this machine's clock is wrong: 61 s before"),
            ([None, Some(-90_000)], Standing::Warning, "90 s behind Leaf's"),
            ([Some(-3_600_000), Some(-3_600_500)], Standing::Warning, "this machine's clock is wrong"),
            ([Some(0), Some(3_600_000)], Standing::Warning, "the clocks don't agree"),
            ([Some(i64::MIN), Some(i64::MAX)], Standing::Warning, "this machine's clock is wrong"),
        ] {
            let check = judge(ahead);
            assert_eq!(check.standing, standing, "{check:?}");
            assert!(check.found.contains(words), "{check:?}");
        }
    }
}
