//! Whether Leaf's token is good for as long as the manifest takes.

use std::time::Duration;

use super::check::Check;
use crate::checkpoint::LearnedRate;
use crate::model::{Service, UnixMillis};
use crate::pipeline::Services;
use crate::ui::duration;

const NAME: &str = "leaf-token-expiry";

/// A token that ends sooner isn't good for anything.
const TOO_SOON: Duration = Duration::from_secs(60);

/// A token that ends sooner is worth a word, even if nobody knows how long it is needed.
const SOON: Duration = Duration::from_secs(3_600);

/// How another token is got when this one is no longer good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Renewal {
    /// Not at all.
    Never,
    /// The file is read again.
    File,
    /// With the account.
    Account,
}

/// About how long a run takes over so many rows if each has everything to do, where the quotas tell.
pub(super) fn expected(rows: u64, services: &Services, learned: &[LearnedRate]) -> Option<Duration> {
    // Authenticate and token; look, attach and verify.
    let calls = [(Service::Stara, 2.0), (Service::Leaf, 3.0)];
    #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
    let seconds = |(service, calls)| Some(rows as f64 * calls / services.first_rate(service, learned)?);
    let slowest = calls.into_iter().filter_map(seconds).reduce(f64::max)?;
    Duration::try_from_secs_f64(slowest).ok()
}

/// Judges when the token ends, as far as it says so, against how long the run takes, as far as that is known.
pub(super) fn judge(
    expiry: Option<UnixMillis>,
    now: UnixMillis,
    renewal: Renewal,
    expected: Option<Duration>,
) -> Check {
    let Some(expiry) = expiry else {
        return Check::skipped(NAME, "the token doesn't say until when it is good");
    };
    let left = expiry.elapsed_since(now).unwrap_or_default();
    let run = expected.map_or_else(String::new, |expected| {
        format!("; the manifest takes up to about {}", duration(expected))
    });
    let found = format!("it is good until {}, for {}{run}", expiry.to_rfc3339(), duration(left));
    let is_enough = left >= expected.unwrap_or(SOON);
    match renewal {
        Renewal::Account => Check::ok(NAME, format!("{found}; it is renewed with the account")),
        _ if left < TOO_SOON => Check::problem(
            NAME,
            format!("it is no longer good: it ended, or ends, at {}", expiry.to_rfc3339()),
            "get another one, or set LEAF_USERNAME and LEAF_PASSWORD, with which a run gets its own",
        ),
        _ if is_enough => Check::ok(NAME, found),
        Renewal::File => Check::warning(
            NAME,
            found,
            "replace the file in time: it is read again when Leaf refuses the token",
        ),
        Renewal::Never => Check::warning(
            NAME,
            found,
            "get one that lasts longer, or set LEAF_USERNAME and LEAF_PASSWORD, with which a run renews it; else it stops \
             with exit 7, and the same command with another token resumes",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Standing;
    use super::*;

    #[test]
    fn a_token_must_outlast_the_manifest_unless_it_is_renewed() {
        let now = UnixMillis(1_000_000);
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let judged = |left: i64, renewal, expected: Option<u64>| {
            judge(Some(UnixMillis(now.0 + left * 60_000)), now, renewal, expected.map(minutes)).standing
        };
        assert_eq!(judged(120, Renewal::Never, None), Standing::Ok);
        assert_eq!(judged(30, Renewal::Never, None), Standing::Warning);
        assert_eq!(judged(30, Renewal::Never, Some(20)), Standing::Ok);
        assert_eq!(judged(30, Renewal::Never, Some(40)), Standing::Warning);
        assert_eq!(judged(30, Renewal::File, Some(40)), Standing::Warning);
        assert_eq!(judged(30, Renewal::Account, Some(40)), Standing::Ok);
        assert_eq!(judged(0, Renewal::Never, Some(40)), Standing::Problem);
        assert_eq!(judged(-5, Renewal::File, None), Standing::Problem);
        assert_eq!(judge(None, now, Renewal::Never, None).standing, Standing::Skipped);
    }
}
