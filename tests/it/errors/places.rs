//! Places where nothing can be written: whose they are, and what to do.

use std::os::unix::fs::PermissionsExt as _;

use super::told;
use crate::support::{Bench, Ended, growers};

/// Nobody's user, under whom the program runs where the tests are root's, whom no mode keeps out.
const NOBODY: u32 = 65_534;

fn as_nobody(bench: &Bench, arguments: &[&str]) -> Ended {
    let program = bench.program().args(arguments);
    if rustix::process::geteuid().is_root() { program.under_user(NOBODY).end() } else { program.end() }
}

/// A bench whose folder may be read by everybody and written by nobody.
fn closed_bench() -> Bench {
    let bench = Bench::new(&growers(2));
    let mode = |path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(bench.path("growers.csv"), 0o644);
    mode(bench.folder().to_owned(), 0o555);
    bench
}

#[test]
fn no_permission_on_the_state_folder_says_whose_it_is_and_who_asks() {
    let bench = closed_bench();
    let ended = as_nobody(&bench, &["run", "growers.csv"]);
    told(&ended.with_code(8), "the folder state can't be made", "which belongs to user ");
    assert_eq!(bench.calls(), 0);
    let ended = as_nobody(&bench, &["run", "growers.csv", "--state", "ledger.db"]);
    let ended = ended.with_code(8).saying("(mode 0555): change its owner or mode, or run as its owner");
    told(&ended, "ledger.lock can't be used", "or name another place with --state FILE");
    assert_eq!(bench.calls(), 0);
}

#[test]
fn a_manifest_that_may_not_be_read_says_whose_it_is() {
    let bench = closed_bench();
    let closed = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(bench.path("growers.csv"), closed).unwrap();
    let ended = as_nobody(&bench, &["check", "growers.csv"]);
    told(
        &ended.with_code(2),
        "the manifest growers.csv can't be opened",
        "may not read growers.csv, which belongs to user ",
    );
}

#[test]
fn a_file_where_the_state_folder_should_be_is_named() {
    let bench = Bench::new(&growers(2));
    bench.write("state", "no folder");
    told(&bench.run(&[]).with_code(8), "can't be ", "state is a file, where a folder is needed");
    assert_eq!(bench.calls(), 0);
}
