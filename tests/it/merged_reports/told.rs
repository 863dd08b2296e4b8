//! What `report` and `status` tell of all shards.

use serde_json::{Value, json};

use super::{KEEP, every_kind, ledger, run_shards, states};
use crate::support::{Bench, growers, user};

fn status(bench: &Bench, count: u32, arguments: &[&str]) -> Value {
    let states = states(count);
    let flags: Vec<&str> = states.iter().map(String::as_str).chain(arguments.iter().copied()).collect();
    bench.status(&flags)
}

#[test]
fn status_shows_the_totals_of_all_shards_and_each_of_them() {
    let (one, bench) = (every_kind(), every_kind());
    one.run(&KEEP).with_code(3);
    run_shards(&bench, 3, &KEEP);
    let (whole, all) = (one.status(&[]), status(&bench, 3, &[]));
    for field in ["schema", "outcomes", "target"] {
        assert_eq!(all[field], whole[field], "{field}");
    }
    assert_eq!((&all["ledger"], &all["shard"], &all["running"]), (&Value::Null, &Value::Null, &Value::Null));
    let (run, of_whole) = (&all["runs"][0], &whole["runs"][0]);
    for field in ["kind", "manifest", "lines", "toDo", "exitCode", "ending", "outcomes", "hosts"] {
        assert_eq!(run[field], of_whole[field], "{field}");
    }
    assert!(run["run"].is_null() && run["startedAt"].is_string() && run["endedAt"].is_string());
    let shards = all["shards"].as_array().unwrap();
    let sum =
        |field: &str| -> u64 { shards.iter().map(|shard| shard["runs"][0][field].as_u64().unwrap()).sum() };
    assert_eq!(json!([sum("lines"), sum("toDo")]), json!([of_whole["lines"], of_whole["toDo"]]));
    for (index, shard) in (0..).zip(shards) {
        assert_eq!(shard["shard"], format!("{index}/3"));
        assert_eq!(shard["ledger"], ledger(index, 3));
        // What is told of each is what is told of it by itself.
        assert_eq!(*shard, bench.status(&["--state", &ledger(index, 3)]));
    }
    let text = bench.program().args(["status"]).args(states(3)).end().with_code(0).stdout;
    assert!(text.starts_with("Ledgers of 3 shards\n"), "{text}");
    assert!(text.contains(&format!("{} lines of growers.csv", of_whole["lines"])), "{text}");
    for index in 0..3 {
        let of_shard: Vec<&str> = text.lines().filter(|line| line.contains(&ledger(index, 3))).collect();
        assert!(
            matches!(of_shard[..], [line] if line.trim_start().starts_with(&format!("{index}/3 "))),
            "{text}"
        );
    }
}

#[test]
fn after_a_report_it_is_told_who_must_act_in_all_shards() {
    let bench = every_kind();
    run_shards(&bench, 3, &KEEP);
    let ended = bench.program().args(["report", "r.csv", "r.jsonl"]).args(states(3)).end().with_code(0);
    assert_eq!(ended.stdout, "r.csv\nr.jsonl\n");
    let counted = status(&bench, 3, &[])["outcomes"].clone();
    let ended = ended.saying(&format!(
        "All 3 shards: {} lines of the manifest",
        status(&bench, 3, &[])["runs"][0]["lines"]
    ));
    let owners =
        [("leaf-user-unknown", "you"), ("stara-login-rejected", "the grower"), ("manifest-invalid", "you")];
    owners
        .into_iter()
        .fold(ended, |ended, (code, owner)| ended.saying(&format!("{} {code} up to {owner}", counted[code])));
}

#[test]
fn a_user_is_shown_by_the_shard_that_it_belongs_to() {
    let rows = growers(8);
    let bench = Bench::new(&rows);
    run_shards(&bench, 4, &[]);
    for (line, row) in (2..).zip(&rows) {
        let found = status(&bench, 4, &[&row.id.to_string()]);
        assert_eq!(found["lines"], json!([line]));
        assert_eq!(found["outcome"]["outcome"], "attached");
    }
    let stranger = user(99).to_string();
    let asked = bench.program().args(["status", &stranger]).args(states(4)).end();
    asked.with_code(2).saying("has never met the user");
    let two = [rows[0].id.to_string(), rows[1].id.to_string()];
    bench.program().args(["status"]).args(states(4)).args(two).end().with_code(2).saying("one user");
}
