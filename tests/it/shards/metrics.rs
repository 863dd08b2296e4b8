//! The metrics of all shards lie in one folder, and a collector takes no sample of one for another's.

use std::collections::BTreeSet;

use super::{all, run_as, taken_by};
use crate::support::{Bench, growers};

/// Every sample of a file: its name with its labels, and its value.
fn samples(bench: &Bench, file: &str) -> Vec<(String, f64)> {
    let text = std::fs::read_to_string(bench.path(file)).unwrap();
    let samples =
        text.lines().filter(|line| !line.starts_with('#')).map(|line| line.rsplit_once(' ').unwrap());
    samples.map(|(of, value)| (of.to_owned(), value.parse().unwrap())).collect()
}

#[test]
fn no_sample_of_one_shard_is_called_like_that_of_another_one_whatever_the_verb() {
    let rows = growers(40);
    let bench = Bench::new(&rows);
    let mut seen = BTreeSet::new();
    for shard in all(3) {
        let part = shard.to_string();
        for verb in [&["run", "growers.csv"][..], &["audit"], &["detach", "growers.csv", "--yes"]] {
            let file = format!("{}.{}.prom", verb[0], shard.index());
            let flags = ["--shard", &part, "--metrics", &file, "--report", "none"];
            bench.program().args(verb).args(flags).end().with_code(0);
            let samples = samples(&bench, &file);
            assert!(samples.len() > 10, "{samples:?}");
            for (of, _) in &samples {
                assert!(of.contains(&format!("shard=\"{part}\"")), "{of}");
                assert!(seen.insert(of.clone()), "{of} is there twice");
            }
        }
        let attached = format!("stara_onboard_rows{{verb=\"run\",shard=\"{part}\",outcome=\"attached\"}}");
        let of_run = samples(&bench, &format!("run.{}.prom", shard.index()));
        let rows_of = of_run.iter().find(|(of, _)| *of == attached).unwrap_or_else(|| panic!("{of_run:?}"));
        assert_eq!(rows_of.1.to_string(), taken_by(shard, &rows).len().to_string());
    }
}

#[test]
fn a_shard_that_fails_keeps_the_time_of_its_last_success() {
    let rows = growers(20);
    let bench = Bench::new(&rows);
    let shard = all(2).next().unwrap();
    let success = || {
        let samples = samples(&bench, "run.prom").into_iter();
        samples.filter(|(of, _)| of.starts_with("stara_onboard_success")).collect::<Vec<_>>()
    };
    run_as(&bench, shard, "growers.csv", &["--metrics", "run.prom"]).end().with_code(0);
    let before = success();
    assert!(before.len() == 1 && before[0].1 > 0.0, "{before:?}");
    run_as(&bench, shard, "nowhere.csv", &["--metrics", "run.prom"]).end().with_code(2);
    assert_eq!(success(), before);
}
