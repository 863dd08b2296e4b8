//! The simulated Stara over the wire.

use serde_json::json;

use super::fixtures::{credentials_path, leaf, login, recording, secret, stara, start, user};
use crate::model::Dialect;
use crate::sandbox::{CallKind, Dialects, Fault, Profile, SandboxOptions, World};

#[tokio::test(flavor = "multi_thread")]
async fn the_json_dialect_turns_a_login_into_tokens() {
    let sandbox = start(recording(), World::open()).await;
    let mut stara = stara(&sandbox);
    let answer = stara.post_json("/autenticacao", &json!({"login": "ana", "password": "x"})).unwrap();
    assert_eq!(answer.status, 200);
    let api_key = answer.json()["apiKey"].clone();
    assert_eq!(api_key, sandbox.world().api_key(&login("ana")).expose_secret());
    let tokens = stara.post_json("/token", &json!({"apiKey": api_key})).unwrap().json();
    for (field, prefix) in [
        ("accessToken", "sandbox-access-"),
        ("accessTokenClient", "sandbox-client-"),
        ("refreshToken", "sandbox-refresh-"),
    ] {
        assert!(tokens[field].as_str().unwrap().starts_with(prefix), "{tokens}");
    }
    assert_eq!(sandbox.world().authentications(&login("ana")), 1);
    let seen: Vec<_> =
        sandbox.seen().into_iter().map(|call| (call.call, call.login, call.status, call.effect)).collect();
    assert_eq!(
        seen,
        [
            (CallKind::Authenticate, Some(login("ana")), Some(200), false),
            (CallKind::Token, Some(login("ana")), Some(200), true),
        ]
    );
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_dialect_needs_the_partners_client_token_and_passes_it_on() {
    let sandbox = start(SandboxOptions::default(), World::open()).await;
    let mut stara = stara(&sandbox);
    let answer = stara.post_form("/autenticacao", "user=jo%C3%A3o%40x&pwd=a%26b").unwrap();
    let key = answer.json()["key"].as_str().unwrap().to_owned();
    assert_eq!(sandbox.world().authentications(&login("joão@x")), 1);
    assert_eq!(stara.post_form("/token", &format!("apiKey={key}")).unwrap().status, 400);
    let tokens =
        stara.post_form("/token", &format!("accessTokenClient=partner&apiKey={key}")).unwrap().json();
    assert_eq!(tokens.as_object().unwrap().len(), 2);
    let attach = |client: &str| {
        let body = json!({
            "apiKey": key,
            "accessToken": tokens["X_access_token"],
            "accessTokenClient": client,
            "refreshToken": tokens["refresh_Token"],
        });
        leaf(&sandbox).post_json(&credentials_path(user(1)), &body).unwrap()
    };
    assert_eq!(attach("another").status, 400);
    let attached = attach("partner");
    assert_eq!(attached.status, 201);
    assert_eq!(attached.json()["accessTokenClient"], "partner");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_world_refuses_a_wrong_password_and_a_login_it_does_not_know() {
    let world = World::closed();
    world.add_grower(user(1), &login("ana"), &secret("right"));
    let sandbox = start(SandboxOptions::default(), world).await;
    let status = |login: &str, password: &str| {
        let body = json!({"login": login, "password": password});
        stara(&sandbox).post_json("/autenticacao", &body).unwrap().status
    };
    assert_eq!(status("ana", "right"), 200);
    assert_eq!(status("ana", "wrong"), 401);
    assert_eq!(status("bia", "right"), 401);
    assert_eq!(sandbox.world().authentications(&login("ana")), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_are_answered_without_an_effect() {
    let sandbox = start(SandboxOptions::default(), World::open()).await;
    let mut stara = stara(&sandbox);
    assert_eq!(stara.post_json("/autenticacao", &json!({"login": "ana"})).unwrap().status, 400);
    assert_eq!(
        stara.post_json("/autenticacao", &json!({"login": "ana", "password": 7})).unwrap().status,
        400
    );
    assert_eq!(stara.post_form("/autenticacao", "login=ana&password=x").unwrap().status, 400);
    assert_eq!(stara.post_json("/token", &json!({"apiKey": "made-up"})).unwrap().status, 401);
    let never_issued = sandbox.world().api_key(&login("ana"));
    let body = json!({"apiKey": never_issued.expose_secret()});
    assert_eq!(stara.post_json("/token", &body).unwrap().status, 401);
    assert_eq!(stara.get("/token").unwrap().status, 404);
    stara.send("POST", "/token", "text/plain", "", "x").unwrap();
    assert_eq!(stara.receive().unwrap().status, 415);
    assert_eq!(sandbox.world().authentications(&login("ana")), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stara_of_one_dialect_does_not_understand_the_other() {
    let options = SandboxOptions { dialects: Dialects::Only(Dialect::Form), ..SandboxOptions::default() };
    let sandbox = start(options, World::open()).await;
    let mut stara = stara(&sandbox);
    let body = json!({"login": "ana", "password": "x"});
    assert_eq!(stara.post_json("/autenticacao", &body).unwrap().status, 415);
    assert_eq!(stara.post_form("/autenticacao", "user=ana&pwd=x").unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_beyond_all_measure_is_refused() {
    let sandbox = start(SandboxOptions::default(), World::open()).await;
    let body = json!({"login": "x".repeat(70_000), "password": "x"});
    assert_eq!(stara(&sandbox).post_json("/autenticacao", &body).unwrap().status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_locked_after_so_many_refusals_even_for_the_right_password() {
    let world = World::closed();
    for name in ["ana", "bia"] {
        world.add_grower(user(1), &login(name), &secret("right"));
    }
    let sandbox = start(recording(), world).await;
    sandbox.world().inject(Fault::parse("stara-lockout:refusals=2").unwrap());
    let mut stara = stara(&sandbox);
    let mut status = |name: &str, password: &str| {
        stara.post_json("/autenticacao", &json!({"login": name, "password": password})).unwrap().status
    };
    assert_eq!([status("ana", "wrong"), status("ana", "right"), status("ana", "wrong")], [401, 200, 401]);
    assert_eq!(sandbox.world().most_refusals(), 2);
    assert_eq!([status("ana", "right"), status("bia", "right")], [403, 200]);
    assert_eq!(sandbox.world().most_refusals(), 3, "a refusal of a locked login is one, too");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_by_a_fault_counts_and_a_login_that_the_profile_refuses_is_always_refused() {
    let world = World::open();
    Profile::Lockout.apply(&mut SandboxOptions::default(), &world);
    let sandbox = start(recording(), world).await;
    let mut stara = stara(&sandbox);
    let mut statuses = |name: &str| {
        [(); 4].map(|()| {
            let body = json!({"login": name, "password": "any"});
            stara.post_json("/autenticacao", &body).unwrap().status
        })
    };
    let each: Vec<[u16; 4]> = (0..100).map(|number| statuses(&format!("grower{number}"))).collect();
    let refused = each.iter().filter(|statuses| **statuses == [401, 401, 401, 403]).count();
    let accepted = each.iter().filter(|statuses| **statuses == [200; 4]).count();
    assert_eq!(refused + accepted, each.len(), "{each:?}");
    assert!((1..=15).contains(&refused), "{refused} of 100 at one in twenty");
    assert_eq!(sandbox.world().most_refusals(), 4);
    sandbox.stop().await;
}
