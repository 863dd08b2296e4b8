//! `report --magic-links` of all shards: one file of links for the refused of all of them.

use stara_onboard::sandbox::CallKind::MagicLink;

use super::{ledger, run_shards, states};
use crate::support::{Bench, Ended, Grower, growers};

/// So many growers, of whom one in five has a wrong password in the manifest; those come second.
fn one_in_five_refused(count: usize) -> (Bench, Vec<Grower>) {
    let rows = growers(count);
    let bench = Bench::new(&rows);
    let mut manifest = rows.clone();
    for row in manifest.iter_mut().step_by(5) {
        *row = row.with_password("not the password");
    }
    bench.write_manifest(&manifest);
    (bench, manifest.into_iter().step_by(5).collect())
}

fn report(bench: &Bench, arguments: &[&str]) -> Ended {
    bench.program().args(["report", "all.jsonl"]).args(states(4)).args(arguments).end()
}

#[test]
fn the_refused_of_all_shards_get_one_link_each_in_the_manifests_order() {
    let (bench, refused) = one_in_five_refused(40);
    run_shards(&bench, 4, &[]);
    let ended = report(&bench, &["--magic-links", "links.csv"]).with_code(0);
    assert_eq!(ended.stdout, "all.jsonl\nlinks.csv\n");
    ended.saying("Magic links: 8 in links.csv (8 new, 0 from before)").saying("All 4 shards: 40 lines");
    let mut reader = csv::Reader::from_path(bench.path("links.csv")).unwrap();
    let lines: Vec<(String, String)> = reader
        .records()
        .map(|record| record.map(|record| (record[0].to_owned(), record[2].to_owned())).unwrap())
        .collect();
    let link_of = |row: &Grower| {
        let given = bench.world().links_of(row.id);
        assert_eq!(given.len(), 1, "{}", row.login);
        (row.id.to_string(), given[0].clone())
    };
    assert_eq!(lines, refused.iter().map(link_of).collect::<Vec<_>>());
    report(&bench, &["--magic-links", "links.csv"]).with_code(0).saying("(0 new, 8 from before)");
    assert_eq!(bench.calls_of(MagicLink), 8);
    // Each shard's ledger keeps those of its own users.
    let of_shard = |index: u32| {
        let own_file = format!("one.{index}-of-4.csv");
        let flags = ["report", "one.jsonl", "--magic-links", &own_file, "--shard", &format!("{index}/4")];
        bench.program().args(flags).end().with_code(0);
        csv::Reader::from_path(bench.path(&own_file)).unwrap().records().count()
    };
    assert_eq!((0..4).map(of_shard).sum::<usize>(), 8);
    assert_eq!(bench.calls_of(MagicLink), 8);
}

#[test]
fn no_link_is_made_while_a_shard_is_held_or_belongs_to_other_hosts() {
    let (bench, _) = one_in_five_refused(10);
    run_shards(&bench, 4, &[]);
    let elsewhere = bench.program().env("LEAF_URL", "https://leaf.elsewhere.example");
    let asked = elsewhere.args(["report", "all.jsonl", "--magic-links", "links.csv"]).args(states(4));
    asked.end().with_code(2).saying("belongs to");
    let lock = std::fs::File::open(bench.path(&ledger(3, 4)).with_extension("lock")).unwrap();
    lock.try_lock().unwrap();
    report(&bench, &["--magic-links", "links.csv"]).with_code(11).saying("another run holds the ledger");
    report(&bench, &[]).with_code(0);
    drop(lock);
    bench.write("taken", "");
    report(&bench, &["--magic-links", "taken/links.csv"]).with_code(8);
    report(&bench, &["--magic-links", &ledger(1, 4)]).with_code(2);
    assert_eq!((bench.calls_of(MagicLink), bench.path("links.csv").exists()), (0, false));
}
