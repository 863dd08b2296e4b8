//! `--shard auto/N`: the scheduler says which one it is.

use std::collections::BTreeSet;

use clap::CommandFactory as _;
use stara_onboard::cli::Cli;
use stara_onboard::settings::INDEX_VARIABLES;

use crate::support::{Bench, Invocation, growers};

/// The program with a variable of the array in which these tests may run taken away.
fn program(bench: &Bench) -> Invocation {
    INDEX_VARIABLES.into_iter().fold(bench.program(), Invocation::env_remove)
}

#[test]
fn each_scheduler_says_which_shard_it_is() {
    let rows = growers(24);
    let bench = Bench::new(&rows);
    for (index, variable) in INDEX_VARIABLES.into_iter().enumerate() {
        let run = program(&bench).args(["run", "growers.csv", "--shard", "auto/3", "--progress", "lines"]);
        run.env(variable, index.to_string()).end().with_code(0).saying(&format!("shard {index} of 3: "));
        assert!(bench.path(&format!("state/ledger.{index}-of-3.db")).is_file());
    }
    bench.expect_one_effect_each(&rows);
    // The same from the settings file, and from the variable.
    bench.write("stara-onboard.toml", "shard = \"auto/3\"\n");
    program(&bench).args(["status"]).env("JOB_COMPLETION_INDEX", "1").end().with_code(0);
    program(&bench).args(["check", "growers.csv"]).end().with_code(0);
    std::fs::remove_file(bench.path("stara-onboard.toml")).unwrap();
    let status = program(&bench).args(["status"]).env("STARA_ONBOARD_SHARD", "auto/3");
    let status = status.env("SLURM_ARRAY_TASK_ID", "2").env("JOB_COMPLETION_INDEX", "2").end().with_code(0);
    assert!(status.stdout.contains("ledger.2-of-3.db"), "{status:?}");
}

#[test]
fn an_index_that_is_missing_or_wrong_is_refused_and_names_the_variable() {
    let bench = Bench::new(&growers(4));
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[], "none of JOB_COMPLETION_INDEX, SLURM_ARRAY_TASK_ID, AWS_BATCH_JOB_ARRAY_INDEX is set"),
        (&[("SLURM_ARRAY_TASK_ID", "")], "is set"),
        (&[("AWS_BATCH_JOB_ARRAY_INDEX", "one")], "AWS_BATCH_JOB_ARRAY_INDEX is \"one\""),
        (&[("SLURM_ARRAY_TASK_ID", "8")], "--array=0-7"),
        (
            &[("SLURM_ARRAY_TASK_ID", "1"), ("JOB_COMPLETION_INDEX", "2")],
            "JOB_COMPLETION_INDEX is 2, but SLURM_ARRAY_TASK_ID is 1",
        ),
    ];
    for (environment, expected) in cases {
        let run = program(&bench).args(["run", "growers.csv", "--shard", "auto/8"]);
        let run = environment.iter().fold(run, |run, (name, value)| run.env(name, value));
        run.end().with_code(2).saying(expected);
    }
    for text in ["8/8", "auto/0", "3", "03/8", "0/1025"] {
        program(&bench)
            .args(["run", "growers.csv", "--shard", text])
            .end()
            .with_code(2)
            .saying("is no shard");
    }
    assert!(!bench.path("state").exists());
    assert_eq!(bench.calls(), 0);
}

/// Whoever adds a verb with a ledger has to let it settle its shard: it would go on with the ledger of whole manifests.
#[test]
fn every_verb_that_takes_a_shard_asks_the_scheduler_for_it() {
    let bench = Bench::new(&growers(1));
    let user = "0a1b2c3d-0000-4000-8000-000000000000";
    let verbs: [&[&str]; 10] = [
        &["run", "growers.csv"],
        &["plan", "growers.csv"],
        &["audit"],
        &["detach", user],
        &["events", user],
        &["status"],
        &["report"],
        &["doctor"],
        &["state", "forget", user],
        &["state", "prune"],
    ];
    for verb in verbs {
        program(&bench).args(verb).args(["--shard", "auto/8"]).end().with_code(2).saying("needs an index");
    }
    let takes =
        |command: &clap::Command| command.get_arguments().any(|flag| flag.get_long() == Some("shard"));
    let mut declared = BTreeSet::new();
    for verb in Cli::command().get_subcommands() {
        declared.extend(takes(verb).then(|| verb.get_name().to_owned()));
        let below = verb.get_subcommands().filter(|below| takes(below));
        declared.extend(below.map(|below| format!("{} {}", verb.get_name(), below.get_name())));
    }
    let tested: BTreeSet<String> = verbs
        .iter()
        .map(|verb| if verb[0] == "state" { verb[..2].join(" ") } else { verb[0].to_owned() })
        .collect();
    assert_eq!(declared, tested);
}
