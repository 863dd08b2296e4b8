//! Leaf's list of users: read where it is cheaper than looks, believed only where it shows a healthy credential.

use stara_onboard::sandbox::CallKind::{self, CreateCredential, GetUser, ListUsers};
use stara_onboard::sandbox::{Answer, Calls, Fault, Trouble, When};

use crate::support::{Bench, Grower, growers};

/// `growers.csv` onboarded but for the last `missing` rows, and the ledger lost.
fn onboarded_but(rows: &[Grower], missing: usize) -> Bench {
    let bench = Bench::new(rows);
    bench.write_manifest(&rows[..rows.len() - missing]);
    bench.run(&[]).with_code(0);
    bench.write_manifest(rows);
    std::fs::remove_dir_all(bench.path("state")).unwrap();
    bench
}

fn counted(bench: &Bench, kinds: &[CallKind], work: impl FnOnce()) -> Vec<u64> {
    let count = |kind: &CallKind| bench.calls_of(*kind) as u64;
    let before: Vec<u64> = kinds.iter().map(count).collect();
    work();
    kinds.iter().map(count).zip(before).map(|(now, before)| now - before).collect()
}

#[test]
fn with_a_lost_ledger_the_list_proves_what_is_attached_and_only_the_rest_is_looked_at() {
    let rows = growers(350);
    let bench = onboarded_but(&rows, 5);
    let calls = counted(&bench, &[ListUsers, GetUser, CallKind::Authenticate, CreateCredential], || {
        let ended = bench.run(&["--precheck", "auto"]).with_code(0);
        assert!(ended.stderr.contains("by its list: 4 calls for 350 users"), "{}", ended.stderr);
    });
    assert_eq!(calls, [4, 5, 5, 5]);
    let expected = (0..345).map(|_| "already-attached").chain((0..5).map(|_| "attached"));
    assert!(bench.outcomes().iter().map(String::as_str).eq(expected));
    bench.expect_one_effect_each(&rows);
    let calls = bench.calls();
    bench.run(&["--precheck", "auto"]).with_code(0);
    assert_eq!(bench.calls(), calls, "done rows need no truth at all");
}

#[test]
fn a_few_new_rows_among_many_known_ones_are_looked_at_without_the_list() {
    let rows = growers(302);
    let bench = Bench::new(&rows);
    bench.write_manifest(&rows[..300]);
    bench.run(&[]).with_code(0);
    bench.write_manifest(&rows);
    let calls = counted(&bench, &[ListUsers, GetUser], || {
        bench.run(&["--precheck", "auto"]).with_code(0);
    });
    assert_eq!(calls, [0, 2]);
    let calls = counted(&bench, &[ListUsers, GetUser], || {
        bench.run(&["--precheck", "list"]).with_code(0);
    });
    assert_eq!(calls, [0, 0], "nothing is left to do");
}

#[test]
fn a_list_that_cannot_be_read_proves_nothing() {
    let rows = growers(250);
    for what in [
        Trouble::Answer(Answer::new(503)),
        Trouble::Answer(Answer::new(200)),
        Trouble::Answer(Answer::new(403)),
    ] {
        let bench = onboarded_but(&rows, 1);
        bench.world().inject(Fault::new(Calls::One(ListUsers), When::Always, what));
        bench.run(&["--precheck", "list"]).with_code(0);
        bench.expect_one_effect_each(&rows);
    }
}
