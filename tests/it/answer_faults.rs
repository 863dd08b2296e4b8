//! Services in trouble and hostile answers, around everything but the attach: every row ends with a code.

use std::time::Duration;

use stara_onboard::model::Service;
use stara_onboard::sandbox::CallKind::{self, Authenticate, CreateCredential, GetCredential, GetUser, Token};
use stara_onboard::sandbox::{Alteration, Answer, Body, Calls, Fault, RetryAfter, SeenCall, Trouble, When};

use crate::support::{Bench, growers, side_by_side};

const ALTERATIONS: [Alteration; 6] = [
    Alteration::Truncated,
    Alteration::Html,
    Alteration::Empty,
    Alteration::WrongTypes,
    Alteration::CutInBody,
    Alteration::Huge(1 << 20),
];

#[test]
fn a_spoiled_answer_is_coded_and_never_repeated_to_anybody() {
    for (call, outcome, when_cut) in [
        (GetUser, "leaf-unexpected-answer", "leaf-unavailable"),
        (Authenticate, "stara-unexpected-answer", "stara-unavailable"),
        (Token, "stara-unexpected-answer", "stara-unavailable"),
        (GetCredential, "attach-unconfirmed", "attach-unconfirmed"),
    ] {
        let rows = growers(ALTERATIONS.len());
        let bench = Bench::new(&rows);
        for (row, alteration) in rows.iter().zip(ALTERATIONS) {
            let fault = Fault::new(Calls::One(call), When::Always, Trouble::Altered(alteration));
            let is_stara = matches!(call, Authenticate | Token);
            bench.inject(if is_stara { fault.for_login(row.login()) } else { fault.for_user(row.id) });
        }
        let ended = bench.run(&["-vvv", "--verify-wait", "1s"]).with_code(3);
        let expected = ALTERATIONS.map(|how| if how == Alteration::CutInBody { when_cut } else { outcome });
        assert_eq!(bench.outcomes(), expected, "{call:?}");
        assert!(!ended.stderr.contains("This is not JSON") && !ended.stderr.contains("sandbox-"));
        // The next run mends it all.
        bench.world().lift_faults();
        bench.run(&["--settle", "1s"]).with_code(0);
        bench.expect_one_effect_each(&rows);
    }
}

#[test]
fn what_may_be_repeated_is_repeated_after_a_server_error() {
    // So few that the host doesn't count as down.
    let rows = growers(2);
    let bench = Bench::new(&rows);
    for (call, status) in [(GetUser, 500), (Authenticate, 502), (Token, 503), (GetCredential, 504)] {
        let answer = Trouble::Answer(Answer::new(status).body(Body::Html));
        bench.inject(Fault::new(Calls::One(call), When::FirstPerRow(1), answer));
    }
    bench.run(&[]).with_code(0);
    bench.expect_one_effect_each(&rows);
    for row in &rows {
        let expected = [
            GetUser,
            GetUser,
            Authenticate,
            Authenticate,
            Token,
            Token,
            CreateCredential,
            GetCredential,
            GetCredential,
        ];
        assert_eq!(bench.calls_about(row), expected);
    }
    assert!(bench.results().iter().all(|result| result.attempts == Some(2)), "of the last stage");
}

#[test]
fn lost_and_broken_replies_to_what_may_be_repeated_are_repeated() {
    let rows = growers(4);
    let bench = Bench::new(&rows);
    for (call, trouble) in [
        (GetUser, Trouble::ResetBeforeEffect),
        (Authenticate, Trouble::ReplyLost),
        (Token, Trouble::Hang),
        (GetCredential, Trouble::CutBeforeEffect),
    ] {
        bench.inject(Fault::new(Calls::One(call), When::FirstPerRow(1), trouble));
    }
    bench.run(&["--timeout", "1s"]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_row_whose_calls_keep_failing_is_unavailable_and_the_next_run_tries_it() {
    let cases = [
        (Fault::stara_down(), "stara-unavailable", Authenticate, 3),
        (Fault::leaf_down(), "leaf-unavailable", GetUser, 4),
    ];
    side_by_side(cases, |(fault, outcome, call, attempts)| {
        let rows = growers(1);
        let bench = Bench::new(&rows);
        bench.inject(fault);
        bench.run(&[]).with_code(3);
        assert_eq!(bench.outcomes(), [outcome]);
        assert_eq!(bench.results()[0].http_status, Some(503));
        assert_eq!(bench.calls_of(call), attempts);
        bench.world().lift_faults();
        bench.run(&[]).with_code(0);
        bench.expect_one_effect_each(&rows);
    });
}

#[test]
fn a_redirect_of_stara_is_not_followed_and_blames_no_grower() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    bench.inject(Fault::redirect_to_other_host());
    bench.run(&[]).with_code(3);
    assert_eq!(bench.outcomes(), ["stara-unexpected-answer"; 2]);
    assert_eq!(bench.calls_of(CallKind::Authenticate), 2);
    bench.world().lift_faults();
    bench.run(&[]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn nothing_is_sent_to_a_host_before_the_instant_it_named() {
    let cases = [
        (RetryAfter::Seconds(1), Authenticate),
        (RetryAfter::DateIn(Duration::from_secs(1)), GetUser),
        (RetryAfter::Seconds(1), CreateCredential),
    ];
    side_by_side(cases, |(retry_after, call)| {
        let rows = growers(12);
        let bench = Bench::new(&rows);
        let answer = Trouble::Answer(Answer::new(429).retry_after(retry_after));
        bench.inject(Fault::new(Calls::One(call), When::Nth(4), answer));
        let ended = bench.run(&["--concurrency", "3"]).with_code(0);
        ended.saying("1 throttled");
        bench.expect_one_effect_each(&rows);
        let seen = bench.seen();
        let refused = seen.iter().find(|seen| seen.status == Some(429)).unwrap();
        // What was under way when the answer was on its way back may still arrive at the pause's beginning.
        let pause = Duration::from_millis(500)..Duration::from_secs(1);
        let early = |seen: &&SeenCall| {
            let after = seen.at.checked_duration_since(refused.at).unwrap_or_default();
            seen.service == refused.service && pause.contains(&after)
        };
        assert_eq!(seen.iter().filter(early).count(), 0, "nothing arrives in the pause");
    });
}

#[test]
fn a_quota_of_the_host_costs_patience_and_no_row() {
    let faults =
        [Fault::stara_quota(), Fault::leaf_quota(), Fault::stara_quota_silent(), Fault::stara_unavailable()];
    side_by_side(faults, |fault| {
        let name = fault.as_str();
        let rows = growers(8);
        let bench = Bench::new(&rows);
        bench.inject(fault);
        bench.run(&[]).with_code(0);
        assert!(bench.world().faults_befallen(name) > 0, "{name}");
        bench.expect_one_effect_each(&rows);
    });
}

#[test]
fn a_pause_longer_than_allowed_drains_and_says_so() {
    let rows = growers(20);
    let bench = Bench::new(&rows);
    let answer = Trouble::Answer(Answer::new(429).retry_after(RetryAfter::Seconds(1_200)));
    bench.inject(Fault::new(Calls::Of(Service::Stara), When::After(10), answer));
    let arguments = ["--concurrency", "4"];
    bench.run(&arguments).with_code(5).saying("Stara asked for a pause of 20m");
    let results = bench.results();
    assert!(results.iter().any(|result| result.outcome == "throttled"), "{:?}", bench.outcomes());
    assert!(results.iter().any(|result| result.outcome == "not-reached"));
    bench.world().lift_faults();
    bench.run(&[]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_time_that_lies_behind_ends_in_a_pause_all_the_same() {
    let rows = growers(3);
    let bench = Bench::new(&rows);
    let answer = Trouble::Answer(Answer::new(429).retry_after(RetryAfter::Seconds(0)));
    bench.inject(Fault::new(Calls::One(Authenticate), When::Always, answer));
    let ended = bench.run(&["--max-hold", "2s"]).with_code(5);
    ended.saying("longer than --max-hold");
    assert!(bench.calls_of(Authenticate) < 30, "{}", bench.calls_of(Authenticate));
}
