//! `status` and `sandbox`: what the ledger knows, and the simulated services on their own.

use serde_json::json;
use stara_onboard::sandbox::CallKind;

use crate::support::{Bench, csv_of, growers, user};

#[test]
fn the_latest_run_and_the_ones_before_are_listed() {
    let rows = growers(4);
    let bench = Bench::new(&rows[1..]);
    bench.write_manifest(&rows);
    bench.run(&["--limit", "2"]).with_code(3);
    bench.run(&[]).with_code(3);
    let status = bench.status(&[]);
    assert_eq!(status["schema"], 1);
    assert_eq!(status["outcomes"], json!({"attached": 3, "leaf-user-unknown": 1}));
    let runs = status["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0]["toDo"], 3);
    assert_eq!(runs[1]["toDo"], 2);
    let requests = |run: usize, host: &str| runs[run]["hosts"][host]["requests"].as_u64().unwrap();
    let asked = requests(0, "leaf") + requests(0, "stara") + requests(1, "leaf") + requests(1, "stara");
    assert_eq!(asked, bench.calls() as u64, "what the ledger counts is what the hosts saw");
    let text = bench.program().args(["status"]).end().with_code(0).stdout;
    assert!(text.contains("3  attached") && text.contains("growers.csv: 3 to do of 4"), "{text}");
}

#[test]
fn the_history_of_one_user_is_shown() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    let id = rows[1].id.to_string();
    let status = bench.status(&[&id]);
    assert_eq!(status["lines"], json!([3]));
    assert_eq!(status["login"], rows[1].login);
    assert_eq!(status["outcome"]["outcome"], "attached");
    let held = bench.world().credential(rows[1].id).unwrap();
    assert_eq!(status["credential"]["id"], held.id.as_str());
    let text = bench.program().args(["status", &id]).end().with_code(0).stdout;
    assert!(text.contains("line 3 of the latest run") && text.contains("attached at stage verify"));
    let stranger = user(99).to_string();
    bench.program().args(["status", &stranger]).end().with_code(2).saying("has never met the user");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let bench = Bench::new(&growers(1));
    bench.run(&[]).with_code(0);
    for verb in ["status", "explain"] {
        let shell = format!("'{}' {verb} | true", env!("CARGO_BIN_EXE_stara-onboard"));
        let mut command = std::process::Command::new("bash");
        command.current_dir(bench.folder()).args(["-c", &format!("set -o pipefail; {shell}")]);
        // What the tests are told by the environment is nothing that the program knows.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("STARA_ONBOARD_") {
                command.env_remove(name);
            }
        }
        let output = command.output().unwrap();
        assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{verb}");
    }
}

#[test]
fn the_sandbox_serves_a_manifests_growers_until_it_is_stopped() {
    let rows = growers(3);
    let bench = Bench::new(&[]);
    bench.write("growers.csv", csv_of(&rows));
    let script = "\
        coproc \"$PROGRAM\" sandbox growers.csv\n\
        read -r stara <&\"${COPROC[0]}\"; read -r leaf <&\"${COPROC[0]}\"\n\
        export \"$stara\" \"$leaf\" LEAF_TOKEN=anything\n\
        \"$PROGRAM\" run growers.csv --report results.jsonl --stara-rate none --leaf-rate none; code=$?\n\
        kill -TERM \"$COPROC_PID\"; wait \"$COPROC_PID\" && exit $code";
    let mut command = std::process::Command::new("bash");
    command.current_dir(bench.folder()).env("PROGRAM", env!("CARGO_BIN_EXE_stara-onboard"));
    let output = command.args(["-c", script]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(bench.outcomes(), ["attached"; 3]);
}

#[test]
fn a_wider_environment_decides_what_flags_leave_open() {
    let rows = growers(5);
    let bench = Bench::new(&rows);
    let invocation = bench.run_of("growers.csv", &[]).env("STARA_ONBOARD_LIMIT", "3");
    invocation.env("STARA_ONBOARD_PRECHECK", "off").end().with_code(0);
    assert_eq!((bench.calls(), bench.calls_of(CallKind::GetUser)), (12, 0));
    bench.run_of("growers.csv", &["--limit", "1"]).env("STARA_ONBOARD_LIMIT", "3").end().with_code(0);
    assert_eq!(bench.calls(), 12 + 5, "a flag is stronger");
}

#[test]
fn a_sandbox_that_cannot_serve_says_why() {
    let bench = Bench::new(&[]);
    bench.program().args(["sandbox", "nowhere.csv"]).end().with_code(2).saying("nowhere.csv");
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = bench.program().args(["sandbox", "--leaf-port", &port]).end().with_code(2);
    ended.saying(&port).saying("--leaf-port");
}
