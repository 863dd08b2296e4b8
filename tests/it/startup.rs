//! What the tool does before it answers: nothing that the answer doesn't need. How long that takes, `cargo bench --bench startup`
//! tells.

use std::io::Write as _;
use std::process::Command;

use crate::support::{Bench, growers};

/// More system calls than any of these needs: about a hundred, mostly the loader's; for the status three hundred more, mostly
/// SQLite's locks.
const MOST_CALLS: usize = 600;

#[test]
fn help_version_advice_and_status_ask_the_system_for_little_and_the_network_for_nothing() {
    if Command::new("strace").arg("--version").output().is_err() {
        // Past the tests' capture, which hides what a test that passes prints.
        let aloud = "SKIPPED: there is no strace, so that what the start asks for isn't checked\n";
        std::io::stderr().write_all(aloud.as_bytes()).unwrap();
        return;
    }
    let bench = Bench::new(&growers(3));
    bench.run(&[]).with_code(0);
    let asked: [&[&str]; 6] = [
        &["--version"],
        &["--help"],
        &["run", "--help"],
        &["explain", "attached"],
        &["status"],
        &["status", "--json"],
    ];
    // One after another: two that open one ledger at the same moment wait for each other.
    for arguments in asked {
        let traced = format!("calls-{}", arguments.concat());
        let output = Command::new("strace")
            .args(["-f", "-qq", "-o", &traced, env!("CARGO_BIN_EXE_stara-onboard")])
            .args(arguments)
            .current_dir(bench.folder())
            .envs(bench.environment())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let traced = std::fs::read_to_string(bench.path(&traced)).unwrap();
        let calls: Vec<&str> = traced.lines().filter(|line| line.contains('(')).collect();
        assert!((20..MOST_CALLS).contains(&calls.len()), "{arguments:?} makes {} calls", calls.len());
        // The network, the certificates that TLS would trust, threads, and what waits.
        for needless in [" socket(", " connect(", "/ssl/", "/pki/", " clone(", " clone3(", "epoll", "sleep("]
        {
            let found = calls.iter().find(|call| call.contains(needless));
            assert_eq!(found, None, "{arguments:?}");
        }
    }
}
