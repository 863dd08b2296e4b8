//! One file of links can't be every shard's: each of them would write it anew.

use stara_onboard::sandbox::CallKind;

use super::{all, run_as};
use crate::support::{Bench, Grower, growers};

#[test]
fn a_file_of_links_that_does_not_name_its_shard_is_refused_before_anything_is_sent() {
    let rows: Vec<Grower> =
        growers(40).iter().map(|grower| grower.with_password("sandbox:wrong-password")).collect();
    let bench = Bench::new(&rows);
    let limits = ["--max-failures", "100%"];
    let hint = "put 1-of-2 into its name, such as --magic-links links.1-of-2.csv, or make the links of all shards at once";
    let second = all(2).nth(1).unwrap();
    for name in ["links.csv", "links.0-of-2.csv", "links.1.csv"] {
        let refused = run_as(&bench, second, "growers.csv", &["--magic-links", name]).end().with_code(2);
        refused
            .saying(&format!("{name} doesn't say that it is of shard 1/2"))
            .saying("nothing was sent; ")
            .saying(hint);
    }
    assert_eq!(bench.calls(), 0);
    for shard in all(2) {
        let name = format!("links.{}.csv", shard.infix());
        run_as(&bench, shard, "growers.csv", &[&limits[..], &["--magic-links", &name]].concat())
            .end()
            .with_code(3);
    }
    assert_eq!(bench.calls_of(CallKind::MagicLink), 40);
    for verb in ["report", "audit"] {
        let shard = ["--shard", "1/2", "--magic-links"];
        bench.program().args([verb]).args(shard).args(["links.csv"]).end().with_code(2).saying(hint);
        bench.program().args([verb]).args(shard).args(["again.1-of-2.csv"]).end().with_code(0);
    }
    // Of all shards at once it is nobody's in particular, and neither is that of the only shard.
    let ledgers: Vec<String> = all(2).map(|shard| format!("state/ledger.{}.db", shard.infix())).collect();
    bench
        .program()
        .args(["report", "--magic-links", "links.csv", "--state"])
        .args(&ledgers)
        .end()
        .with_code(0);
    let links = std::fs::read_to_string(bench.path("links.csv")).unwrap();
    assert_eq!(links.lines().count(), 41, "{links}");
    let alone = ["--magic-links", "links.csv", "--state", "other/ledger.db"];
    run_as(&bench, all(1).next().unwrap(), "growers.csv", &[&limits[..], &alone].concat()).end().with_code(3);
}
