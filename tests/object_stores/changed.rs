//! A manifest that isn't any longer what it was.

use std::time::Duration;

use stara_onboard::sandbox::{CallKind, SandboxOptions};

use crate::manifests::padded;
use crate::server::Store;
use crate::support::{Bench, growers};

#[test]
fn a_manifest_that_is_replaced_under_a_run_stops_it_and_the_same_command_goes_on() {
    let Some(store) = Store::start() else { return };
    let growers = growers(120);
    // The three blocks that are fetched at once hold 45 rows, and the fourth is asked for when twenty of them are done.
    let options = SandboxOptions { latency: Duration::from_millis(50), ..SandboxOptions::default() };
    let bench = Bench::with_options(options, &growers);
    store.put("g.csv", padded(&growers, 10_000));
    let arguments = ["run", "s3://growers/g.csv", "--concurrency", "1", "--report", "results.jsonl"];
    let running = store.program(&bench).args(arguments).start();
    bench.until(|world| world.attach_effects_in_all() > 0);
    store.put("g.csv", padded(&growers, 10_001));
    let ended = running.end().with_code(5);
    ended.saying("it was replaced or removed after it had been opened").saying("To go on:");
    let attached = bench.world().attach_effects_in_all();
    assert!((1..120).contains(&attached), "{attached}");
    let outcomes = bench.outcomes();
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "not-reached").count() as u64, 120 - attached);
    let arguments = ["run", "s3://growers/g.csv", "--concurrency", "32"];
    store.program(&bench).args(arguments).end().with_code(0);
    bench.expect_one_effect_each(&growers);
    assert_eq!(bench.calls_of(CallKind::CreateCredential), 120);
}
