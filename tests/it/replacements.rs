//! Replacements that an earlier run left in the open: they are resumed before all other rows.

use std::time::Duration;

use rustix::process::Signal;
use stara_onboard::sandbox::CallKind::DeleteCredential;
use stara_onboard::sandbox::{Fault, SandboxOptions, SeenCall};

use crate::support::{Bench, Grower, csv_of, growers};

/// Rows whose login has changed.
const CHANGED: usize = 2;

/// A bench whose last run was killed with a deletion under way for each of the last two of `rows`.
fn killed_while_deleting(rows: &[Grower], arguments: &[&str]) -> Bench {
    let latency = Duration::from_millis(20);
    let options = SandboxOptions { latency, tokens_voided_by_next: false, ..SandboxOptions::default() };
    let bench = Bench::with_options(options, rows);
    let earlier: Vec<Grower> = rows[rows.len() - CHANGED..].iter().map(earlier).collect();
    for grower in &earlier {
        grower.join(bench.world());
    }
    bench.write("growers.csv", csv_of(&earlier));
    bench.run(arguments).with_code(0);

    bench.inject(Fault::hang_after_effect().on_call(DeleteCredential));
    bench.write("growers.csv", csv_of(&rows[rows.len() - CHANGED..]));
    let running = bench.run_of("growers.csv", arguments).start();
    bench.until(|world| world.faults_befallen("hang-after-effect") == CHANGED as u64);
    running.signal(Signal::KILL);
    running.end();
    bench.write("growers.csv", csv_of(rows));
    bench
}

/// The row as it was before its login changed.
fn earlier(row: &Grower) -> Grower {
    row.with_login(&format!("earlier-{}", row.login))
}

/// The calls about each of these rows, by place in what the services saw from the call `from` on.
fn places(bench: &Bench, from: usize, rows: &[Grower]) -> Vec<usize> {
    let is_about = |row: &Grower, call: &SeenCall| {
        call.leaf_user_id == Some(row.id) || call.login.as_ref() == Some(&row.login())
    };
    let seen = bench.seen();
    let calls = seen.iter().enumerate().skip(from);
    calls.filter(|(_, call)| rows.iter().any(|row| is_about(row, call))).map(|(place, _)| place).collect()
}

#[test]
fn no_other_row_is_begun_before_open_replacements_have_ended() {
    let rows = growers(10);
    let (others, open) = rows.split_at(rows.len() - CHANGED);
    let bench = killed_while_deleting(&rows, &[]);
    let before = bench.calls();
    // The deletions have settled: they went out before this process was started.
    bench.run(&["--settle", "1ms"]).with_code(0);
    let last = places(&bench, before, open).into_iter().max().unwrap();
    let first = places(&bench, before, others).into_iter().min().unwrap();
    assert!(last < first, "a call about another row came before the last one about an open replacement");
    assert_eq!(bench.calls_of(DeleteCredential), CHANGED, "neither was deleted twice");
    for row in &rows {
        assert_eq!(bench.world().credentials_of(row.id).len(), 1);
    }
}

#[test]
fn other_rows_do_not_wait_for_a_replacement_that_has_to_settle() {
    let rows = growers(10);
    let (others, open) = rows.split_at(rows.len() - CHANGED);
    let bench = killed_while_deleting(&rows, &[]);
    let before = bench.calls();
    let running = bench.run_of("growers.csv", &["--settle", "10m", "--concurrency", "1"]).start();
    bench.until(|world| world.attach_effects_in_all() == (CHANGED + others.len()) as u64);
    assert_eq!(places(&bench, before, open), Vec::<usize>::new());
    running.signal(Signal::INT);
    running.end().with_code(130);
    assert_eq!(bench.outcomes()[others.len()..], ["credential-removed"; CHANGED]);
    bench.run(&["--settle", "1ms"]).with_code(0);
    for row in &rows {
        assert_eq!(bench.world().credentials_of(row.id).len(), 1);
    }
}

#[test]
fn open_replacements_of_one_login_let_the_run_come_to_its_end_on_a_single_slot() {
    let mut rows = growers(6);
    let (others, open) = rows.split_at_mut(4);
    for row in &mut *open {
        row.login = "one-for-all@agro.example".to_owned();
    }
    // The login of one that waits for its turn, and of one that comes after them.
    others[3].login.clone_from(&open[0].login);
    let password = open[0].password.clone();
    for row in &mut rows {
        row.password.clone_from(&password);
    }
    let bench = killed_while_deleting(&rows, &["--share-logins"]);
    bench.run(&["--settle", "1s", "--concurrency", "1"]).with_code(0);
    assert_eq!(bench.calls_of(DeleteCredential), CHANGED);
    for row in &rows {
        assert_eq!(bench.world().credentials_of(row.id).len(), 1);
    }
}
