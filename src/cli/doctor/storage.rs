//! What the ledger would be written on: the kind of file system, and the room on it.

use std::path::Path;

use super::check::Check;
use crate::checkpoint::FileSystemKind;

const KIND: &str = "file-system";
const ROOM: &str = "space";

/// What a row takes of the disk at the most, in bytes: the ledger, its log, and a report. Measured with short logins and
/// no kept columns: 353 and 233, and a log of 4 MiB at the most.
const BYTES_A_ROW: u64 = 1_024;

/// What even the smallest run should have.
const SMALLEST_ROOM: u64 = 64 * 1024 * 1024;

/// Below this a run can't even begin its ledger.
const NO_ROOM: u64 = 1024 * 1024;

/// Whether a ledger is safe there.
pub(super) fn kind(ledger: &Path) -> Check {
    match FileSystemKind::of(ledger) {
        FileSystemKind::Local => Check::ok(KIND, "the ledger lies on a disk of this machine"),
        FileSystemKind::Unknown => Check::skipped(KIND, "nobody says on what kind the ledger lies"),
        FileSystemKind::Shared(name) => Check::warning(
            KIND,
            format!("the ledger lies on {name}, a file system that other machines may see, too"),
            "let no other machine use it; a disk of this machine is safer (--state FILE)",
        ),
        FileSystemKind::Network(name) => Check::problem(
            KIND,
            format!("the ledger would lie on a network's file system ({name}), which keeps no ledger safe"),
            "name a place on a disk of this machine with --state FILE",
        ),
    }
}

/// Whether there is room for so many rows beside what is there.
pub(super) fn room(ledger: &Path, rows: Option<u64>) -> Check {
    let nearest = ledger.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    match rustix::fs::statvfs(nearest) {
        Ok(found) => {
            let has_no_file_left = found.f_files > 0 && found.f_favail == 0;
            judge(found.f_bavail.saturating_mul(found.f_frsize), has_no_file_left, rows)
        }
        Err(error) => Check::skipped(ROOM, format!("the system doesn't tell: {error}")),
    }
}

fn judge(free: u64, has_no_file_left: bool, rows: Option<u64>) -> Check {
    let needed = rows.unwrap_or(0).saturating_mul(BYTES_A_ROW).max(SMALLEST_ROOM);
    let mebibytes = |bytes: u64| format!("{} MiB", bytes / 1024 / 1024);
    let found = format!("{} left for the ledger and its report", mebibytes(free));
    let advice =
        format!("make room: about {} may be needed; without it a run stops with exit 8", mebibytes(needed));
    if has_no_file_left {
        return Check::problem(ROOM, "the disk takes no further file (no inode is left)", "delete some");
    }
    match free {
        ..NO_ROOM => Check::problem(ROOM, found, advice),
        _ if free < needed => Check::warning(ROOM, found, advice),
        _ => Check::ok(ROOM, found),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Standing;
    use super::*;

    #[test]
    fn room_is_needed_for_the_rows_and_a_full_disk_stops_a_run() {
        let gibibyte = 1024 * 1024 * 1024;
        for (free, rows, standing) in [
            (gibibyte, None, Standing::Ok),
            (gibibyte, Some(100_000), Standing::Ok),
            (gibibyte, Some(3_000_000), Standing::Warning),
            (gibibyte, Some(u64::MAX), Standing::Warning),
            (SMALLEST_ROOM - 1, Some(1), Standing::Warning),
            (0, None, Standing::Problem),
        ] {
            assert_eq!(judge(free, false, rows).standing, standing, "{free} {rows:?}");
        }
        assert_eq!(judge(gibibyte, true, None).standing, Standing::Problem);
    }
}
