//! A value of the environment that can't be used is told as the variable's: nobody sees it who reads the command line.

use super::refused;
use crate::support::{Bench, growers};

#[test]
fn a_bad_value_is_told_as_the_variables() {
    let bench = Bench::new(&growers(1));
    for (variable, value, what) in [
        ("STARA_ONBOARD_LEAF_RATE", "often", "STARA_ONBOARD_LEAF_RATE can't be \"often\": it is no rate"),
        (
            "STARA_ONBOARD_SHARE_LOGINS",
            "maybe",
            "STARA_ONBOARD_SHARE_LOGINS can't be \"maybe\": it is neither true nor false",
        ),
        ("STARA_ONBOARD_SHARD", "x", "STARA_ONBOARD_SHARD can't be \"x\": it is no shard"),
        ("STARA_ONBOARD_CONCURRENCY", "0", "STARA_ONBOARD_CONCURRENCY can't be \"0\""),
    ] {
        let ended = bench.program().env(variable, value).args(["plan", "growers.csv"]).end();
        assert!(
            !ended.stderr.contains("--leaf-rate") && !ended.stderr.contains("--shard "),
            "{}",
            ended.stderr
        );
        let hint = format!("it comes from the environment: correct or unset {variable}");
        refused(ended, what, &hint);
    }
}

#[test]
fn a_flag_is_told_as_a_flag_though_there_is_a_good_variable() {
    let bench = Bench::new(&growers(1));
    let ended = bench.program().env("STARA_ONBOARD_LEAF_RATE", "3/s").args([
        "run",
        "growers.csv",
        "--leaf-rate",
        "often",
    ]);
    let ended = ended.end();
    assert!(!ended.stderr.contains("environment"), "{}", ended.stderr);
    refused(ended, "--leaf-rate can't be \"often\"", "write 10/s");
    // A bad one that a flag overrules does no harm.
    let ended = bench.program().env("STARA_ONBOARD_LEAF_RATE", "often").args([
        "run",
        "growers.csv",
        "--leaf-rate",
        "none",
    ]);
    ended.end().with_code(0);
}

#[test]
fn what_a_url_holds_beside_the_place_is_not_shown_among_the_settings() {
    let bench = Bench::new(&growers(1));
    let url = "https://me:hunter2-hunter2@leaf.example/x?access_token=hunter3-hunter3#hunter4-hunter4";
    let ended =
        bench.program().args(["run", "growers.csv", "--leaf-url", url, "--show-settings"]).end().with_code(0);
    assert!(ended.stdout.contains("https://me:***@leaf.example/x?***#***"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("hunter"), "{}", ended.stdout);
}
