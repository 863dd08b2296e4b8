//! Leaf's token: where it comes from, and what happens when Leaf refuses it. No row is ever blamed for it.

use stara_onboard::model::{Secret, Service};
use stara_onboard::sandbox::CallKind::{CreateCredential, GetUser, LeafLogin};
use stara_onboard::sandbox::{Answer, Calls, Fault, LeafAccount, SandboxOptions, Trouble, When};

use crate::support::{Bench, Grower, Invocation, growers};

const PASSWORD: &str = "the account's password";

/// Services whose Leaf has an account, and takes this token beside those it issues.
fn bench(rows: &[Grower], token: &str) -> Bench {
    let account = LeafAccount { username: "ops@coop.example".into(), password: Secret::new(PASSWORD.into()) };
    let options = SandboxOptions {
        leaf_account: Some(account),
        leaf_token: Some(Secret::new(token.to_owned())),
        ..SandboxOptions::default()
    };
    Bench::with_options(options, rows)
}

fn with_account(bench: &Bench, arguments: &[&str], password: &str) -> Invocation {
    let invocation = bench.run_of("growers.csv", arguments).env_remove("LEAF_TOKEN");
    invocation.env("LEAF_USERNAME", "ops@coop.example").env("LEAF_PASSWORD", password)
}

#[test]
fn without_any_token_nothing_is_sent_and_the_hint_says_what_to_set() {
    let bench = Bench::new(&growers(1));
    for (name, value) in [("LEAF_USERNAME", "ops"), ("LEAF_TOKEN", "")] {
        let invocation = bench.run_of("growers.csv", &[]).env_remove("LEAF_TOKEN").env(name, value);
        let ended = invocation.end().with_code(2).saying("error: there is no token for Leaf");
        ended.saying("LEAF_TOKEN").saying("--leaf-token-file").saying("--sandbox");
    }
    assert_eq!(bench.calls(), 0);
    assert!(!bench.path("state").join("ledger.db").exists());
}

#[test]
fn a_token_that_no_header_can_hold_is_a_mistake_of_the_configuration() {
    let bench = Bench::new(&growers(2));
    let ended = bench.run_of("growers.csv", &[]).env("LEAF_TOKEN", "pasted with\na line break").end();
    let ended = ended.with_code(2).saying("LEAF_TOKEN");
    assert!(!ended.stderr.contains("pasted"));
    assert_eq!(bench.calls(), 0);
}

#[test]
fn passwords_are_not_sent_in_clear_to_another_machine() {
    let bench = Bench::new(&growers(1));
    for flag in ["--leaf-url", "--stara-url"] {
        let ended = bench.run(&[flag, "http://services.example"]).with_code(2);
        ended.saying("would get passwords in clear").saying("--allow-insecure-http");
        let ended = bench.run(&[flag, "https://ops:hunter2secret@services.example"]).with_code(2);
        assert!(!ended.stderr.contains("hunter2"));
    }
    assert_eq!(bench.calls(), 0);
}

#[test]
fn an_expired_token_is_renewed_once_for_all_rows() {
    let rows = growers(24);
    let bench = bench(&rows, "nobody's token");
    bench.inject(Fault::token_revoked());
    with_account(&bench, &["--concurrency", "8"], PASSWORD).end().with_code(0);
    assert_eq!(bench.calls_of(LeafLogin), 2);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn an_expired_leaf_token_is_replaced_by_that_of_the_account() {
    let rows = growers(5);
    let bench = bench(&rows, "a good token");
    with_account(&bench, &[], PASSWORD).env("LEAF_TOKEN", "an expired token").end().with_code(0);
    assert_eq!(bench.calls_of(LeafLogin), 1);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_refused_token_without_an_account_stops_the_run_before_stara_is_asked() {
    let rows = growers(5);
    let bench = bench(&rows, "a good token");
    let invocation = bench.run_of("growers.csv", &[]).env("LEAF_TOKEN", "an expired token");
    let ended = invocation.end().with_code(7).saying("Leaf refuses our token");
    assert!(!ended.stderr.contains("an expired token"));
    assert_eq!(bench.outcomes(), ["not-reached"; 5]);
    assert!(bench.seen().iter().all(|call| call.service == Service::Leaf));
    bench.run_of("growers.csv", &[]).env("LEAF_TOKEN", "a good token").end().with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_wrong_password_of_the_account_stops_the_run() {
    let rows = growers(5);
    let bench = bench(&rows, "a good token");
    with_account(&bench, &[], "not the password").end().with_code(7).saying("LEAF_PASSWORD");
    assert_eq!((bench.calls(), bench.calls_of(LeafLogin)), (1, 1), "an account can be locked out, too");
    assert_eq!(bench.outcomes(), ["not-reached"; 5]);
}

#[test]
fn a_fresh_token_that_is_refused_at_once_stops_the_run() {
    let rows = growers(5);
    let bench = bench(&rows, "a good token");
    let refusal = Trouble::Answer(Answer::new(401));
    bench.inject(Fault::new(Calls::One(GetUser), When::Always, refusal));
    with_account(&bench, &["--concurrency", "4"], PASSWORD).end().with_code(7);
    assert!(bench.calls_of(LeafLogin) <= 2);
    assert_eq!(bench.outcomes(), ["not-reached"; 5]);
}

#[test]
fn a_token_refused_at_the_attach_leaves_nothing_in_the_open() {
    let rows = growers(2);
    let bench = Bench::new(&rows);
    let refusal = Trouble::Answer(Answer::new(401));
    bench.inject(Fault::new(Calls::One(CreateCredential), When::Always, refusal));
    bench.run(&[]).with_code(7);
    assert_eq!(bench.outcomes(), ["not-reached"; 2]);
    bench.world().lift_faults();
    bench.run(&["--settle", "10m"]).with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_leaf_that_gives_no_token_for_now_leaves_the_run_resumable() {
    let rows = growers(3);
    let bench = bench(&rows, "a good token");
    bench.inject(Fault::leaf_down());
    with_account(&bench, &["--max-hold", "1s"], PASSWORD).end().with_code(5).saying("Leaf gave no token");
    bench.world().lift_faults();
    with_account(&bench, &[], PASSWORD).end().with_code(0);
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_token_file_is_read_again_when_its_token_is_refused() {
    let rows = growers(120);
    let bench = Bench::slow(&rows);
    bench.write("token", "the first token\n");
    let arguments = ["--leaf-token-file", "token", "--concurrency", "4"];
    let running = bench.run_of("growers.csv", &arguments).env_remove("LEAF_TOKEN").start();
    bench.until(|world| world.attach_effects_in_all() >= 5);
    bench.write("token", "the second token\n");
    bench.world().revoke_leaf_tokens();
    running.end().with_code(0);
    assert!(bench.seen().iter().any(|call| call.status == Some(401)), "the first token was refused");
    bench.expect_one_effect_each(&rows);
}

#[test]
fn a_token_file_with_the_refused_token_in_it_stops_the_run() {
    let bench = bench(&growers(3), "a good token");
    bench.write("token", "an expired token");
    let run = || bench.run_of("growers.csv", &["--leaf-token-file", "token"]).env_remove("LEAF_TOKEN").end();
    run().with_code(7).saying("token still holds the refused token");
    std::fs::remove_file(bench.path("token")).unwrap();
    run().with_code(2).saying("there is no token for Leaf in token");
}
