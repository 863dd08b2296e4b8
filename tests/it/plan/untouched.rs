//! A plan touches nothing, whoever is at work meanwhile.

use std::path::Path;

use stara_onboard::sandbox::{CallKind, Fault};

use super::{Signal, counts, plan, plan_of, read};
use crate::support::{Bench, growers};

#[test]
fn where_there_is_no_ledger_none_is_made() {
    let bench = Bench::new(&growers(2));
    let plan = plan_of(&bench, &[], 0);
    assert_eq!(counts(&plan)[0], 2);
    assert_eq!(bench.calls_of(CallKind::Authenticate), 0);
    let names = |folder: &Path| -> Vec<_> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    };
    assert_eq!(names(bench.folder()), ["growers.csv"], "nothing is made beside the manifest");
    std::fs::create_dir(bench.path("state")).unwrap();
    plan_of(&bench, &[], 0);
    assert!(names(&bench.path("state")).is_empty());
}

#[test]
fn no_copy_of_the_ledger_is_left_behind_even_by_a_plan_that_is_killed() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    bench.write_manifest(&growers(3));
    let temporary = bench.path("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let program = || bench.program().env("TMPDIR", &temporary).args(["plan", "growers.csv", "--json"]);
    program().end().with_code(0);
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
    bench.inject(Fault::parse("user:hang").unwrap());
    let running = program().start();
    bench.until(|world| world.faults_befallen("hang") == 1);
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "it has no name while it is used");
    running.signal(Signal::KILL);
    running.end();
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
}

#[test]
fn a_plan_is_made_while_a_run_holds_and_writes_the_ledger() {
    let rows = growers(120);
    let bench = Bench::slow(&rows);
    let running = bench.run_of("growers.csv", &["--concurrency", "4"]).start();
    for attached in [10, 30, 60, 90] {
        bench.until(|world| world.attach_effects_in_all() >= attached);
        let plan = read(&plan(&bench, &[]).with_code(0));
        let [attach, healthy, rest @ ..] = counts(&plan);
        assert_eq!((attach + healthy, rest), (120, [0; 5]));
        assert!(healthy >= attached - 4, "{healthy} of {attached}");
    }
    running.end().with_code(0);
    bench.expect_one_effect_each(&rows);
    assert!(!bench.path("state").join("ledger.db-wal").exists(), "the run tidied up after itself");
}

#[test]
fn signals_end_a_plan_at_once() {
    let bench = Bench::new(&growers(2));
    bench.inject(Fault::parse("user:hang").unwrap());
    let running = bench.program().args(["plan", "growers.csv"]).start();
    bench.until(|world| world.faults_befallen("hang") == 2);
    running.signal(Signal::TERM);
    let ended = running.end().with_code(143).saying("stopped by SIGTERM");
    assert!(ended.stdout.is_empty());
    assert!(!bench.path("state").exists());
}
