//! A run that goes wrong for everybody stops early, and says what it probably is.

use rustix::process::Signal;
use stara_onboard::sandbox::{CallKind, Fault};

use crate::support::{Bench, Grower, growers};

/// Growers whose password is a magic word of the sandbox.
fn growers_with(count: usize, word: &str) -> Vec<Grower> {
    growers(count).iter().map(|grower| grower.with_password(word)).collect()
}

#[test]
fn when_every_login_is_refused_at_most_thirty_one_are_spent() {
    let rows = growers_with(60, "sandbox:wrong-password");
    let bench = Bench::new(&rows);
    let ended = bench.run(&[]).with_code(4);
    let begins = |word: &str| ended.stderr.lines().filter(|line| line.starts_with(word)).collect::<Vec<_>>();
    assert_eq!(
        begins("stopped: "),
        ["stopped: 31 rows in a row ended as stara-login-rejected: is the password column the right one?"]
    );
    assert_eq!(
        begins("hint: "),
        [
            "hint: Mend what the error names, then run the same command again; --max-failures 100% goes on regardless."
        ]
    );
    assert_eq!(bench.calls_of(CallKind::Authenticate), 31);
    let outcomes = bench.outcomes();
    assert_eq!(outcomes.iter().filter(|code| *code == "stara-login-rejected").count(), 31);
    assert_eq!(outcomes.iter().filter(|code| *code == "not-reached").count(), 29);
}

#[test]
fn answers_that_break_the_contract_stop_the_run_after_six() {
    let rows = growers_with(60, "sandbox:stara-html");
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(4).saying("--stara-dialect form");
    assert_eq!(bench.calls_of(CallKind::Authenticate), 6);
}

#[test]
fn when_leaf_lets_us_touch_nobody_it_is_about_our_account() {
    let rows = growers_with(60, "sandbox:forbidden-user");
    let bench = Bench::new(&rows);
    let ended = bench.run(&[]).with_code(7).saying("does the Leaf account own these users?");
    // The rows that heard it wait until somebody says that it is mended.
    ended.saying("When that is mended: ").saying("--report results.jsonl --retry-failed");
    assert_eq!(bench.calls(), 31);
}

#[test]
fn a_hundred_percent_or_a_small_manifest_just_ends() {
    let rows = growers_with(40, "sandbox:wrong-password");
    let bench = Bench::new(&rows);
    bench.run(&["--max-failures", "100%"]).with_code(3);
    assert_eq!(bench.calls_of(CallKind::Authenticate), 40);

    let rows = growers_with(30, "sandbox:wrong-password");
    let bench = Bench::new(&rows);
    bench.run(&[]).with_code(3);
    assert_eq!(bench.calls_of(CallKind::Authenticate), 30);
}

#[test]
fn more_failures_than_allowed_stop_the_run_and_the_next_one_goes_on() {
    // Every second row is refused.
    let wrong = |(place, grower): (usize, &Grower)| match place % 2 {
        0 => grower.clone(),
        _ => grower.with_password("sandbox:wrong-password"),
    };
    let rows: Vec<Grower> = growers(120).iter().enumerate().map(wrong).collect();
    let bench = Bench::new(&rows);
    bench.run(&["--max-failures", "5", "--concurrency", "1"]).with_code(4).saying("--max-failures allows 5");
    assert_eq!(bench.calls_of(CallKind::Authenticate), 12);
    bench.run(&["--max-failures", "100%"]).with_code(3);
    assert_eq!(bench.calls_of(CallKind::Authenticate), 120);
}

#[test]
fn a_parked_canary_keeps_nobody_waiting() {
    let rows = growers(40);
    let bench = Bench::new(&rows);
    bench.inject(Fault::reset_before_effect().for_user(rows[0].id));
    let running = bench.run_of("growers.csv", &["--settle", "60s"]).start();
    bench.until(|world| world.attach_effects_in_all() >= 39);
    running.signal(Signal::INT);
    running.end().with_code(130);
}
