//! Which calls a row costs, in which order, in both of Stara's dialects and from both kinds of manifest.

use std::path::Path;

use stara_onboard::model::{Dialect, LeafUserId, Login, Secret};
use stara_onboard::sandbox::CallKind::{
    Authenticate, CreateCredential, GetCredential, GetUser, LeafLogin, Token,
};
use stara_onboard::sandbox::{CallKind, Dialects, LeafAccount, SandboxOptions};

use crate::support::{Bench, Grower, growers};

const WITH_A_LOOK: [CallKind; 5] = [GetUser, Authenticate, Token, CreateCredential, GetCredential];

#[track_caller]
fn expect_calls(bench: &Bench, growers: &[Grower], expected: &[CallKind]) {
    for grower in growers {
        assert_eq!(bench.calls_about(grower), expected, "{}", grower.login);
    }
    assert_eq!(bench.calls(), growers.len() * expected.len());
    bench.expect_one_effect_each(growers);
}

fn only(dialect: Dialect) -> SandboxOptions {
    SandboxOptions { dialects: Dialects::Only(dialect), ..SandboxOptions::default() }
}

#[test]
fn a_row_costs_five_calls_with_a_look_before_and_four_without() {
    for (precheck, expected) in [("row", &WITH_A_LOOK[..]), ("off", &WITH_A_LOOK[1..])] {
        let growers = growers(40);
        let bench = Bench::new(&growers);
        bench.run(&["--precheck", precheck]).with_code(0);
        expect_calls(&bench, &growers, expected);
        assert_eq!(bench.results().len(), 40);
        assert!(bench.results().iter().all(|result| result.outcome == "attached"
            && result.origin.as_deref() == Some("created")
            && result.stage.as_deref() == Some("verify")
            && result.http_status == Some(200)
            && result.credential_status.as_deref() == Some("OK")));
    }
}

#[test]
fn both_dialects_cost_the_same_calls() {
    for dialect in [Dialect::Json, Dialect::Form] {
        let growers = growers(10);
        let bench = Bench::with_options(only(dialect), &growers);
        let arguments = ["--stara-dialect", dialect.as_str()];
        let invocation = bench.run_of("growers.csv", &arguments);
        invocation.env("STARA_ACCESS_TOKEN_CLIENT", "client-of-the-partner").end().with_code(0);
        expect_calls(&bench, &growers, &WITH_A_LOOK);
    }
}

#[test]
fn the_form_dialect_passes_the_clients_token_on_unchanged() {
    let growers = growers(3);
    let bench = Bench::with_options(only(Dialect::Form), &growers);
    let row = |(number, grower): (usize, &Grower)| {
        format!("{};{};'{number}';client={number}&é\n", grower.id, grower.login)
    };
    let rows = growers.iter().enumerate().map(row).collect::<Vec<_>>().concat();
    for (number, grower) in growers.iter().enumerate() {
        grower.with_password(&format!("'{number}'")).join(bench.world());
    }
    bench.write("growers.csv", format!("leafUserId;login;password;accessTokenClient\n{rows}"));
    bench.run(&["--stara-dialect", "form"]).with_code(0);
    for (number, grower) in growers.iter().enumerate() {
        let attached = bench.world().credential(grower.id).unwrap();
        assert_eq!(attached.access_token_client.expose_secret(), format!("client={number}&é"));
    }
}

#[test]
fn the_form_dialect_without_a_clients_token_sends_nothing() {
    let bench = Bench::new(&growers(2));
    bench.run(&["--stara-dialect", "form"]).with_code(2).saying("accessTokenClient");
    assert_eq!(bench.calls(), 0);
}

#[test]
fn the_wrong_dialect_blames_no_grower() {
    let growers = growers(3);
    let bench = Bench::with_options(only(Dialect::Form), &growers);
    bench.run(&["--stara-dialect", "json"]).with_code(3).saying("--stara-dialect");
    assert_eq!(bench.outcomes(), ["stara-unexpected-answer"; 3]);
    // Corrected, the same logins are sent: nothing was remembered against them.
    let invocation = bench.run_of("growers.csv", &["--stara-dialect", "form"]);
    invocation.env("STARA_ACCESS_TOKEN_CLIENT", "client-of-the-partner").end().with_code(0);
    bench.expect_one_effect_each(&growers);
}

#[test]
fn what_leaf_holds_in_the_end_is_what_stara_gave_last() {
    let growers = growers(5);
    let bench = Bench::new(&growers);
    bench.run(&[]).with_code(0);
    for grower in &growers {
        let attached = bench.world().credential(grower.id).unwrap();
        let api_key = bench.world().api_key(&grower.login());
        assert_eq!(attached.api_key.expose_secret(), api_key.expose_secret());
    }
    let shown: Vec<_> = bench.results().into_iter().map(|result| result.credential_id.unwrap()).collect();
    let held = growers.iter().map(|grower| bench.world().credential(grower.id).unwrap().id);
    assert_eq!(shown, held.map(|id| id.as_str().to_owned()).collect::<Vec<_>>());
}

#[test]
fn a_parquet_manifest_costs_the_same_calls_as_its_csv() {
    let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let growers: Vec<Grower> = csv::Reader::from_path(manifests.join("growers.csv"))
        .unwrap()
        .records()
        .map(Result::unwrap)
        .map(|row| Grower {
            id: row[0].parse::<LeafUserId>().unwrap(),
            login: row[1].to_owned(),
            password: row[2].to_owned(),
        })
        .collect();
    for (precheck, expected) in [("row", &WITH_A_LOOK[..]), ("off", &WITH_A_LOOK[1..])] {
        let bench = Bench::new(&growers);
        let manifest = manifests.join("growers.parquet").display().to_string();
        bench.run_of(&manifest, &["--precheck", precheck]).end().with_code(0);
        expect_calls(&bench, &growers, expected);
        let lines: Vec<u64> = bench.results().iter().map(|result| result.line).collect();
        assert_eq!(lines, (1..=200).collect::<Vec<_>>());
    }
}

#[test]
fn rows_with_one_login_run_one_after_another_and_are_all_attached() {
    // A second token call voids the tokens of the first, so rows side by side would spoil each other's.
    let growers: Vec<Grower> = growers(6)
        .into_iter()
        .map(|grower| Grower {
            login: "shared@agro.example".into(),
            password: "shared secret".into(),
            ..grower
        })
        .collect();
    let bench = Bench::new(&growers);
    bench.run(&["--concurrency", "6"]).with_code(0);
    bench.expect_one_effect_each(&growers);
    let login = Login::new("shared@agro.example");
    assert_eq!(bench.world().authentications(&login), 6);
    let stara: Vec<CallKind> = bench
        .seen()
        .iter()
        .map(|call| call.call)
        .filter(|call| matches!(call, Authenticate | Token))
        .collect();
    assert_eq!(stara, [Authenticate, Token].repeat(6));
}

#[test]
fn an_account_logs_in_to_leaf_once_for_all_rows() {
    let growers = growers(20);
    let account = LeafAccount {
        username: "ops@coop.example".into(),
        password: Secret::new("leaf account's password".into()),
    };
    let options = SandboxOptions {
        leaf_account: Some(account),
        leaf_token: Some(Secret::new("nobody's".into())),
        ..SandboxOptions::default()
    };
    let bench = Bench::with_options(options, &growers);
    let invocation = bench.run_of("growers.csv", &[]).env_remove("LEAF_TOKEN");
    let invocation = invocation.env("LEAF_USERNAME", "ops@coop.example");
    invocation
        .env("LEAF_PASSWORD", "leaf account's password")
        .end()
        .with_code(0)
        .saying("as ops@coop.example");
    assert_eq!(bench.calls_of(LeafLogin), 1);
    bench.expect_one_effect_each(&growers);
}
