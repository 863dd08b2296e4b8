//! Leaf's token: whether there is one that Leaf takes, and for how long.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use stara_onboard::model::{Secret, UnixMillis};
use stara_onboard::sandbox::CallKind::{LeafLogin, ListUsers};
use stara_onboard::sandbox::{Answer, Calls, Fault, LeafAccount, SandboxOptions, Trouble, When};

use super::{Checkup, doctor};
use crate::support::leaks::Needles;
use crate::support::{Bench, growers, side_by_side};

const PASSWORD: &str = "the account's password";

/// Services whose Leaf takes one token and one account.
fn strict(token: &str) -> Bench {
    let account = LeafAccount { username: "ops@coop.example".into(), password: Secret::new(PASSWORD.into()) };
    let options = SandboxOptions {
        leaf_account: Some(account),
        leaf_token: Some(Secret::new(token.to_owned())),
        ..SandboxOptions::default()
    };
    Bench::with_options(options, &growers(3))
}

#[test]
fn a_token_that_leaf_refuses_is_a_problem_and_one_that_it_takes_is_not() {
    let bench = strict("the right token");
    Checkup::of(&doctor(&bench, &[]).env("LEAF_TOKEN", "the right token").end()).expect(&[], &[]);
    let ended = doctor(&bench, &[]).env("LEAF_TOKEN", "another token").end();
    Checkup::of(&ended)
        .expect(&[], &["leaf-token of leaf"])
        .expect_said("leaf-token", "Leaf refuses the token (401)");
    assert!(!ended.stdout.contains("another token"));
    assert_eq!((bench.calls_of(ListUsers), bench.calls_of(LeafLogin)), (2, 0));
    let none = Checkup::of(&doctor(&bench, &[]).env_remove("LEAF_TOKEN").end());
    none.expect(&[], &["leaf-token of leaf"]).expect_said("leaf-token", "there is no token");
    let broken = Checkup::of(&doctor(&bench, &[]).env("LEAF_TOKEN", "two\nlines").end());
    broken.expect(&[], &["leaf-token of leaf"]).expect_said("leaf-token", "line break");
}

#[test]
fn an_account_is_tried_once_and_mends_a_token_that_is_refused() {
    let bench = strict("the right token");
    let with = |password: &str| {
        let doctor =
            doctor(&bench, &[]).env("LEAF_USERNAME", "ops@coop.example").env("LEAF_PASSWORD", password);
        doctor.env_remove("LEAF_TOKEN")
    };
    Checkup::of(&with(PASSWORD).end()).expect(&[], &[]).expect_said("leaf-token", "as ops@coop.example");
    assert_eq!(bench.calls_of(LeafLogin), 1);
    let ended = with("not the password").end();
    Checkup::of(&ended).expect(&[], &["leaf-token of leaf"]).expect_said("leaf-token", "LEAF_PASSWORD");
    assert!(!ended.stdout.contains("not the password"));
    assert_eq!(bench.calls_of(LeafLogin), 2);
    let mended = Checkup::of(&with(PASSWORD).env("LEAF_TOKEN", "yesterday's token").end());
    mended.expect(&["leaf-token of leaf"], &[]).expect_said("leaf-token", "refuses LEAF_TOKEN");
}

#[test]
fn a_token_file_is_read_and_others_may_not_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = strict("the right token");
    let from_file =
        || Checkup::of(&doctor(&bench, &["--leaf-token-file", "token"]).env_remove("LEAF_TOKEN").end());
    from_file().expect(&[], &["leaf-token of leaf"]).expect_said("leaf-token", "No such file");
    bench.write("token", "the right token\n");
    let allow =
        |mode| std::fs::set_permissions(bench.path("token"), std::fs::Permissions::from_mode(mode)).unwrap();
    allow(0o640);
    from_file().expect(&["leaf-token-file"], &[]).expect_said("leaf-token-file", "chmod 600 token");
    allow(0o600);
    from_file().expect(&[], &[]);
}

/// A web token that ends so many minutes from now.
fn token_for(minutes: i64) -> String {
    let exp = UnixMillis::now().0 / 1_000 + minutes * 60;
    let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"sub":"ops","exp":{exp}}}"#));
    format!("eyJhbGciOiJIUzI1NiJ9.{claims}.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg")
}

#[test]
fn a_token_must_outlast_what_the_manifest_takes_at_the_rates() {
    // 600 rows take 1,200 requests to Stara: twenty minutes at one a second, two at ten.
    let rows = growers(600);
    let cases = [
        (30, "1/s", "ok", "takes up to about 20m"),
        (10, "1/s", "warning", "takes up to about 20m"),
        (10, "10/s", "ok", "takes up to about 2m"),
        (10, "none", "warning", "it is good until"),
        (90, "none", "ok", "it is good until"),
        (-1, "10/s", "problem", "no longer good"),
    ];
    side_by_side(cases, |(minutes, rate, standing, words)| {
        let bench = Bench::new(&rows);
        let token = token_for(minutes);
        let ended = doctor(&bench, &["--stara-rate", rate]).env("LEAF_TOKEN", &token).end();
        let checkup = Checkup::of(&ended);
        checkup.expect_said("leaf-token-expiry", words);
        assert!(checkup.with(standing).contains(&"leaf-token-expiry of leaf".to_owned()), "{:#}", checkup.0);
        let parts = token.split('.').map(ToOwned::to_owned);
        assert_eq!(
            Needles::new(parts.chain([token.clone()])).find("stdout", ended.stdout.as_bytes()).len(),
            0
        );
    });
}

#[test]
fn what_else_leaf_answers_is_told_from_a_refused_token() {
    let cases = [
        (403, "warning", "--precheck row"),
        (307, "problem", "check --leaf-url"),
        (404, "problem", "check --leaf-url"),
        (429, "warning", "quota"),
        (500, "problem", "try again later"),
    ];
    side_by_side(cases, |(status, standing, words)| {
        let bench = Bench::new(&growers(1));
        bench.inject(Fault::new(Calls::One(ListUsers), When::Always, Trouble::Answer(Answer::new(status))));
        let checkup = Checkup::of(&doctor(&bench, &[]).end());
        checkup.expect_said("leaf-token", words);
        assert!(checkup.with(standing).contains(&"leaf-token of leaf".to_owned()), "{:#}", checkup.0);
        assert_eq!(bench.calls_of(ListUsers), 1, "it is asked once");
    });
}
