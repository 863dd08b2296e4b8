//! Leaf's list of users: read where it is cheaper than looks, believed only where it shows a healthy credential.

use stara_onboard::sandbox::CallKind::{self, CreateCredential, GetUser, ListUsers};
use stara_onboard::sandbox::Fault;

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

/// Every way in which the simulated list can be wrong, a list a line.
const WRONG_LISTS: [&[&str]; 22] = [
    &["list-without-total"],
    &["list-false-total"],
    &["list-false-total:total=100000"],
    &["list-shifts"],
    &["list-shifts:nth=1", "list-without-total"],
    &["list-same-page"],
    &["list-same-page", "list-without-total"],
    &["list-small-pages"],
    &["list-small-pages", "list-without-total"],
    &["list-user-twice"],
    &["list-user-twice", "embedded-null:each=1"],
    &["embedded-without-status"],
    &["embedded-without-id:50%"],
    &["embedded-null"],
    &["embedded-empty"],
    &["embedded-missing"],
    &["list:503:page=1"],
    &["list:reset-before-effect:page=0"],
    &["list:truncated-body:page=1"],
    &["list:huge-body"],
    &["list:html-body"],
    &["list:empty-list"],
];

#[test]
fn a_list_that_is_wrong_or_cannot_be_read_never_leads_to_an_attach_over_a_healthy_credential() {
    let rows = growers(230);
    for faults in WRONG_LISTS {
        for precheck in ["auto", "list"] {
            let bench = onboarded_but(&rows, 3);
            for fault in faults {
                bench.world().inject(Fault::parse(fault).unwrap());
            }
            bench.run(&["--precheck", precheck]).with_code(0);
            bench.expect_one_effect_each(&rows);
            let expected = (0..227).map(|_| "already-attached").chain((0..3).map(|_| "attached"));
            assert!(bench.outcomes().iter().map(String::as_str).eq(expected), "{faults:?}");
            assert!(bench.calls_of(ListUsers) <= 240, "{faults:?}: it ends");
        }
    }
}

#[test]
fn a_credential_that_the_list_shows_unhealthy_is_looked_at_before_it_is_called_so() {
    let rows = growers(120);
    let bench = onboarded_but(&rows, 0);
    bench.world().set_status(rows[7].id, "invalid");
    let calls = counted(&bench, &[GetUser, CallKind::Authenticate], || {
        bench.run(&["--precheck", "list"]).with_code(3);
    });
    assert_eq!(calls, [1, 0]);
    assert_eq!(bench.outcomes()[7], "credential-unhealthy");
}

#[test]
fn a_changed_login_is_replaced_though_the_list_shows_its_old_credential_healthy() {
    let rows = growers(120);
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(0);
    let changed: Vec<Grower> = rows.iter().map(|row| row.with_password("another one")).collect();
    let old = bench.world().credential(rows[3].id).unwrap().id;
    let mut manifest = changed;
    manifest[3] = rows[3].with_login("new-login@agro.example");
    manifest[3].join(bench.world());
    bench.write_manifest(&manifest);
    let calls = counted(&bench, &[GetUser, CallKind::Authenticate], || {
        bench.run(&["--precheck", "list"]).with_code(0);
    });
    assert_eq!(calls, [1, 1], "119 changed passwords are noted by the list alone");
    assert_ne!(bench.world().credential(rows[3].id).unwrap().id, old);
}
