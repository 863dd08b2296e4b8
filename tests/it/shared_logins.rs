//! `--share-logins`: one authentication for all rows with one login and password.

use stara_onboard::sandbox::CallKind::{Authenticate, Token};
use stara_onboard::sandbox::{Answer, Calls, Fault, SandboxOptions, Trouble, When};

use crate::support::{Bench, Grower, counts, growers};

/// Rows of which each `share` have one login and password.
fn rows_with_one_login(count: usize, share: usize) -> Vec<Grower> {
    let mut rows = growers(count);
    for at in 0..count {
        let Grower { login, password, .. } = rows[at - at % share].clone();
        rows[at] = Grower { login, password, ..rows[at].clone() };
    }
    rows
}

/// Services where a second `/token` leaves the tokens of the first one valid, and answers take so long that rows meet.
fn bench(rows: &[Grower]) -> Bench {
    let latency = std::time::Duration::from_millis(20);
    Bench::with_options(
        SandboxOptions { tokens_voided_by_next: false, latency, ..SandboxOptions::default() },
        rows,
    )
}

#[test]
fn rows_with_one_login_share_one_authentication_and_run_side_by_side() {
    let rows = rows_with_one_login(60, 20);
    let bench = bench(&rows);
    bench.run(&["--share-logins"]).with_code(0);
    assert_eq!((bench.calls_of(Authenticate), bench.calls_of(Token)), (3, 60));
    bench.expect_one_effect_each(&rows);
    // Side by side: a later row's token was asked for before an earlier row's attach.
    let calls: Vec<_> = bench.seen().iter().map(|call| call.call).collect();
    assert!(calls.windows(2).any(|two| two == [Token, Token]), "{calls:?}");
}

#[test]
fn without_the_flag_every_row_authenticates_after_the_one_before() {
    let rows = rows_with_one_login(6, 6);
    // Were two under way at once, the first one's tokens would be void.
    let bench = Bench::slow(&rows);
    bench.run(&[]).with_code(0);
    assert_eq!((bench.calls_of(Authenticate), bench.calls_of(Token)), (6, 6));
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_refusal_answers_every_row_with_its_login_and_password_without_a_call() {
    let mut rows = rows_with_one_login(20, 10);
    let bench = bench(&rows);
    // Row 0 to 9 have one wrong password, but row 5 another one, which is right.
    for row in rows[..10].iter_mut().enumerate().filter_map(|(at, row)| (at != 5).then_some(row)) {
        row.password = "not the password".to_owned();
    }
    bench.write_manifest(&rows);
    bench.run(&["--share-logins"]).with_code(3);
    assert_eq!(bench.calls_of(Authenticate), 3);
    assert_eq!(counts(&bench.results())["stara-login-rejected"], 9);
    bench.run(&["--share-logins"]).with_code(3);
    assert_eq!(bench.calls_of(Authenticate), 3);
}

#[test]
fn a_key_that_stara_refuses_is_renewed_and_the_others_go_on_with_theirs() {
    let rows = rows_with_one_login(8, 8);
    let bench = bench(&rows);
    bench.inject(Fault::new(Calls::One(Token), When::First(1), Trouble::Answer(Answer::new(401))));
    bench.run(&["--share-logins"]).with_code(0);
    assert_eq!((bench.calls_of(Authenticate), bench.calls_of(Token)), (2, 9));
    bench.expect_one_effect_each(&rows);
}

#[test]
fn an_authentication_that_fails_is_repeated_by_one_row_at_a_time() {
    let rows = rows_with_one_login(8, 8);
    let bench = bench(&rows);
    bench.inject(Fault::new(Calls::One(Authenticate), When::First(2), Trouble::Answer(Answer::new(500))));
    bench.run(&["--share-logins"]).with_code(0);
    assert_eq!(bench.calls_of(Authenticate), 3, "an error is no refusal, and one success serves all");
    bench.expect_one_effect_each(&rows);
}
