//! What this machine allows to a process.

use rustix::process::{Resource, getrlimit};

use super::check::Check;

const NAME: &str = "open-files";

/// Open files beside connections: the ledger's, the manifest, reports, logs, and what the system opens for itself.
const BESIDE_CONNECTIONS: u64 = 64;

/// Whether as many files may be open as so many rows under way take.
pub(super) fn open_files(concurrency: u32) -> Check {
    judge(getrlimit(Resource::Nofile).current, concurrency)
}

fn judge(allowed: Option<u64>, concurrency: u32) -> Check {
    let Some(allowed) = allowed else { return Check::ok(NAME, "there is no limit") };
    // A row has one connection under way, and keeps one to each host.
    let needed = u64::from(concurrency) * 2 + BESIDE_CONNECTIONS;
    if allowed >= needed {
        return Check::ok(NAME, format!("{allowed} allowed, {needed} needed at the most"));
    }
    Check::warning(
        NAME,
        format!("{allowed} allowed, and --concurrency {concurrency} may need {needed}"),
        format!("raise the limit (ulimit -n {needed}; systemd: LimitNOFILE), or lower --concurrency"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::check::Standing;
    use super::*;

    #[test]
    fn as_many_files_are_needed_as_connections_and_a_few() {
        assert_eq!(judge(None, 10_000).standing, Standing::Ok);
        assert_eq!(judge(Some(128), 32).standing, Standing::Ok);
        assert_eq!(judge(Some(127), 32).standing, Standing::Warning);
    }
}
