//! What is of one shard only says so, and who names none where there are only shards' ledgers is told of them.

use crate::support::{Bench, growers};

/// A manifest of twelve rows of which shard 1/2 was run, and how many are its own.
fn second_of_two() -> (Bench, u64) {
    let bench = Bench::new(&growers(12));
    let run = ["run", "growers.csv", "--report", "none", "--shard", "1/2"];
    let ended = bench.program().args(run).end().with_code(0);
    let own = bench.status(&["--shard", "1/2"])["runs"][0]["lines"].as_u64().unwrap();
    assert!(own > 0 && own < 12, "{own}");
    let said = format!("Run 1 of shard 1/2: {own} of the manifest's 12 lines in ");
    assert!(ended.stderr.contains(&said), "{}", ended.stderr);
    (bench, own)
}

#[test]
fn report_and_status_of_one_shard_say_that_it_is_one() {
    let (bench, own) = second_of_two();
    let said = format!("shard 1/2 only: {own} of the manifest's 12 lines");
    for ledger in [["--state", "state/ledger.1-of-2.db"], ["--shard", "1/2"]] {
        for verb in [&["report", "results.jsonl"][..], &["status"], &["status", "--json"]] {
            let ended = bench.program().args(verb).args(ledger).end().with_code(0);
            assert!(!ended.stdout.contains("only:"), "{}", ended.stdout);
            ended.saying(&said);
        }
    }
    let one = Bench::new(&growers(2));
    one.run(&[]).with_code(0);
    let ended = one.program().args(["report", "results.jsonl"]).end().with_code(0);
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_plan_and_the_one_line_of_a_run_name_the_shard() {
    let rows = growers(12);
    let bench = Bench::new(&rows[..11]);
    bench.write_manifest(&rows);
    let plan = bench.program().args(["plan", "growers.csv", "--shard", "0/2"]).end();
    assert!(plan.stdout.contains(" of shard 0/2, of the manifest's 12, against Leaf at "), "{}", plan.stdout);
    let mut said = Vec::new();
    for shard in ["0/2", "1/2"] {
        let run = ["run", "growers.csv", "--report", "none", "-q", "--shard", shard];
        let ended = bench.program().args(run).end();
        if ended.code == Some(3) {
            said.push(shard);
            assert!(ended.stderr.contains(&format!("Run 1 of shard {shard}: ")), "{}", ended.stderr);
        }
    }
    assert!(!said.is_empty(), "one user is unknown to Leaf");
}

#[test]
fn who_names_no_shard_where_only_shards_have_ledgers_is_told_of_them() {
    let (bench, _) = second_of_two();
    for verb in [
        &["status"][..],
        &["report", "results.jsonl"],
        &["audit"],
        &["detach", "--from-run", "1", "--yes"],
        &["state", "prune"],
        &["status", "--shard", "0/8"],
    ] {
        let ended = bench.program().args(verb).end().with_code(2);
        let ended = ended.saying("beside it are ledgers of 2 shards");
        ended.saying("hint: say --shard I/2, or name a ledger with --state FILE");
    }
}

#[test]
fn a_refused_start_leaves_no_lock_and_says_what_another_number_of_shards_costs() {
    let (bench, _) = second_of_two();
    let files = || {
        let entries = std::fs::read_dir(bench.path("state")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = files();
    for shard in [&[][..], &["--shard", "0/8"]] {
        for verb in [&["run", "growers.csv"][..], &["detach", "growers.csv", "--include-foreign", "--yes"]] {
            let ended = bench.program().args(verb).args(["--report", "none"]).args(shard).end().with_code(2);
            let ended = ended.saying("hint: nothing was sent; go on with --shard I/2, as before;");
            ended.saying("counts as not ours");
        }
    }
    assert_eq!(files(), before);
}
