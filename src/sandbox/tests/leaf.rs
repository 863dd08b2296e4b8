//! The simulated Leaf over the wire.

use std::sync::Arc;

use serde_json::json;

use super::fixtures::{credentials_path, leaf, login, recording, secret, start, tokens_of, user, user_path};
use crate::model::Service;
use crate::sandbox::{CallKind, LeafAccount, Sandbox, SandboxOptions, SecondAttach, World};

#[tokio::test(flavor = "multi_thread")]
async fn an_attached_credential_is_shown_and_can_be_removed() {
    let world = World::closed();
    world.add_grower(user(1), &login("ana"), &secret("x"));
    let sandbox = start(recording(), world).await;
    let tokens = tokens_of(&sandbox, "ana", "x");
    let (path, mut leaf) = (credentials_path(user(1)), leaf(&sandbox));
    assert_eq!(leaf.get(&path).unwrap().status, 404);
    assert_eq!(leaf.get(&user_path(user(1))).unwrap().json()["staraCredentials"], json!(null));

    let created = leaf.post_json(&path, &tokens).unwrap();
    assert_eq!(created.status, 201);
    let object = created.json();
    assert_eq!(object["status"], "OK");
    for field in ["apiKey", "accessToken", "accessTokenClient", "refreshToken"] {
        assert_eq!(object[field], tokens[field]);
    }
    assert_eq!(object["createdTime"].as_str().unwrap().len(), "2026-11-21T14:03:20.125000Z".len());
    assert_eq!(leaf.get(&path).unwrap().json(), object);
    assert_eq!(leaf.get(&user_path(user(1))).unwrap().json()["staraCredentials"], object);
    let attached = sandbox.world().credential(user(1)).unwrap();
    assert_eq!(object["id"], attached.id.as_str());
    assert_eq!(attached.api_key.expose_secret(), sandbox.world().api_key(&login("ana")).expose_secret());

    assert_eq!(leaf.delete(&path).unwrap().status, 204);
    assert_eq!(leaf.delete(&path).unwrap().status, 404);
    assert_eq!(sandbox.world().attach_effects(user(1)), 1);
    let effects: Vec<_> = sandbox
        .seen()
        .into_iter()
        .filter(|call| call.service == Service::Leaf && call.effect)
        .map(|call| (call.call, call.leaf_user_id, call.login, call.status))
        .collect();
    assert_eq!(
        effects,
        [
            (CallKind::CreateCredential, Some(user(1)), Some(login("ana")), Some(201)),
            (CallKind::DeleteCredential, Some(user(1)), None, Some(204)),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_attached_anew_has_an_id_of_its_own() {
    let sandbox = start(SandboxOptions::default(), World::open()).await;
    let (path, mut leaf) = (credentials_path(user(1)), leaf(&sandbox));
    let mut ids = Vec::new();
    for number in [1, 2, 1] {
        let tokens = tokens_of(&sandbox, "ana", "x");
        let path = credentials_path(user(number));
        ids.push(leaf.post_json(&path, &tokens).unwrap().json()["id"].as_str().unwrap().to_owned());
        leaf.delete(&path).unwrap();
    }
    ids.dedup();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    assert_eq!(sandbox.world().attach_effects(user(1)), 2);
    assert_eq!(sandbox.world().attach_effects_in_all(), 3);
    assert_eq!(leaf.get(&path).unwrap().status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_attach_does_what_the_set_up_says() {
    for (second, status, effects, held) in [
        (SecondAttach::Conflict409, 409, 1, 1),
        (SecondAttach::BadRequest400, 400, 1, 1),
        (SecondAttach::Replace, 201, 2, 1),
        (SecondAttach::SecondObject, 201, 2, 2),
    ] {
        let options = SandboxOptions { on_second_attach: second, ..SandboxOptions::default() };
        let sandbox = start(options, World::open()).await;
        let (path, mut leaf) = (credentials_path(user(1)), leaf(&sandbox));
        let tokens = tokens_of(&sandbox, "ana", "x");
        let first = leaf.post_json(&path, &tokens).unwrap().json();
        assert_eq!(leaf.post_json(&path, &tokens).unwrap().status, status, "{second:?}");
        assert_eq!(sandbox.world().attach_effects(user(1)), effects, "{second:?}");
        assert_eq!(sandbox.world().credentials_of(user(1)).len(), held, "{second:?}");
        let is_still_the_first = leaf.get(&path).unwrap().json()["id"] == first["id"];
        assert_eq!(is_still_the_first, effects == 1, "{second:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attach_with_anything_but_the_last_tokens_is_refused() {
    let sandbox = start(SandboxOptions::default(), World::open()).await;
    let (path, mut leaf) = (credentials_path(user(1)), leaf(&sandbox));
    let first = tokens_of(&sandbox, "ana", "x");
    let second = tokens_of(&sandbox, "ana", "x");
    assert_eq!(leaf.post_json(&path, &first).unwrap().status, 400);
    for field in ["apiKey", "accessToken", "accessTokenClient", "refreshToken"] {
        let mut missing = second.clone();
        missing.as_object_mut().unwrap().remove(field);
        assert_eq!(leaf.post_json(&path, &missing).unwrap().status, 400, "{field}");
        let mut foreign = second.clone();
        foreign[field] = json!("foreign");
        assert_eq!(leaf.post_json(&path, &foreign).unwrap().status, 400, "{field}");
    }
    assert_eq!(sandbox.world().attach_effects(user(1)), 0);
    assert_eq!(leaf.post_json(&path, &second).unwrap().status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_secret_that_a_credential_shows_is_found_among_the_secrets_of_the_world() {
    let world = World::open();
    world.seed_credential(user(1), "OK");
    let sandbox = start(SandboxOptions::default(), world).await;
    let tokens = tokens_of(&sandbox, "ana", "x");
    leaf(&sandbox).post_json(&credentials_path(user(2)), &tokens).unwrap();
    let secrets = sandbox.world().secrets();
    for id in [user(1), user(2)] {
        let object = leaf(&sandbox).get(&credentials_path(id)).unwrap().json();
        for field in ["apiKey", "accessToken", "accessTokenClient", "refreshToken"] {
            let secret = object[field].as_str().unwrap();
            assert!(secrets.iter().any(|known| known == secret), "{field}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_somebody_else_breaks_or_removes_is_shown_so() {
    let world = World::open();
    assert!(!world.set_status(user(1), "invalid") && !world.remove_credential(user(1)));
    assert!(world.users().is_empty(), "asking for a change adds nobody");
    world.seed_credential(user(1), "OK");
    let sandbox = start(SandboxOptions::default(), world).await;
    let mut leaf = leaf(&sandbox);
    assert!(sandbox.world().set_status(user(1), "Limited permission"));
    assert_eq!(leaf.get(&credentials_path(user(1))).unwrap().json()["status"], "Limited permission");
    assert_eq!(sandbox.world().users(), [user(1)]);
    assert!(sandbox.world().remove_credential(user(1)));
    assert_eq!(leaf.get(&credentials_path(user(1))).unwrap().status, 404);
    assert_eq!(sandbox.world().attach_effects(user(1)), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_nobody_added_is_unknown_in_a_closed_world_only() {
    for (world, status) in [(World::closed(), 404), (World::open(), 200)] {
        let sandbox = start(SandboxOptions::default(), world).await;
        assert_eq!(leaf(&sandbox).get(&user_path(user(1))).unwrap().status, status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_listed_in_pages_with_their_total_and_links() {
    let world = World::closed();
    for number in 0..250 {
        world.add_grower(user(number), &login("ana"), &secret("x"));
    }
    world.seed_credential(user(3), "invalid");
    let sandbox = start(SandboxOptions::default(), world).await;
    let (list, mut leaf) = ("/services/usermanagement/api/users", leaf(&sandbox));
    let first = leaf.get(list).unwrap();
    assert_eq!(first.json().as_array().unwrap().len(), 20);
    assert_eq!(first.header("X-Total-Count"), Some("250"));
    assert_eq!(first.json()[3]["staraCredentials"]["status"], "invalid");
    let page = leaf.get(&format!("{list}?page=2&size=100")).unwrap();
    assert_eq!(page.json().as_array().unwrap().len(), 50);
    assert_eq!(page.json()[0]["id"], user(200).to_string());
    assert!(!page.header("Link").unwrap().contains("next"));
    let larger_than_allowed = leaf.get(&format!("{list}?page=0&size=1000")).unwrap();
    assert_eq!(larger_than_allowed.json().as_array().unwrap().len(), 100);
    assert!(
        larger_than_allowed.header("Link").unwrap().contains(&format!("{}{list}?page=1", sandbox.leaf_url()))
    );
    let filtered = leaf.get(&format!("{list}?externalId=external-{}", user(7))).unwrap();
    assert_eq!(filtered.header("X-Total-Count"), Some("1"));
    assert_eq!(filtered.json()[0]["email"], format!("{}@sandbox.invalid", user(7)));
    let beyond = leaf.get(&format!("{list}?page=18446744073709551615&size=100")).unwrap();
    assert_eq!(beyond.json(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_but_the_tokens_own_needs_a_bearer_token() {
    let sandbox = start(SandboxOptions::default(), World::open()).await;
    let mut leaf = leaf(&sandbox);
    leaf.send("GET", &user_path(user(1)), "application/json", "", "").unwrap();
    assert_eq!(leaf.receive().unwrap().status, 401);
    let issued =
        leaf.post_json("/api/authenticate", &json!({"username": "u", "password": "p", "rememberMe": "true"}));
    let bearer = issued.unwrap().json()["id_token"].as_str().unwrap().to_owned();
    assert!(sandbox.world().secrets().contains(&bearer));
    leaf.send("GET", &user_path(user(1)), "application/json", &bearer, "").unwrap();
    assert_eq!(leaf.receive().unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_a_lifetime_ends_and_a_new_one_goes_on() {
    let options = SandboxOptions {
        leaf_account: Some(LeafAccount { username: "u".to_owned(), password: secret("p") }),
        leaf_token: Some(secret("fixed")),
        token_lifetime_requests: Some(2),
        ..SandboxOptions::default()
    };
    let sandbox = start(options, World::open()).await;
    let mut leaf = leaf(&sandbox);
    let mut status = |bearer: &str| {
        leaf.send("GET", &user_path(user(1)), "application/json", bearer, "").unwrap();
        leaf.receive().unwrap().status
    };
    assert_eq!([status("fixed"), status("fixed"), status("fixed"), status("unknown")], [200, 200, 401, 401]);
    let wrong = leaf.post_json("/api/authenticate", &json!({"username": "u", "password": "wrong"}));
    assert_eq!(wrong.unwrap().status, 401);
    let right = leaf.post_json("/api/authenticate", &json!({"username": "u", "password": "p"})).unwrap();
    let bearer = right.json()["id_token"].as_str().unwrap().to_owned();
    leaf.send("GET", &user_path(user(1)), "application/json", &bearer, "").unwrap();
    assert_eq!(leaf.receive().unwrap().status, 200);
    sandbox.world().revoke_leaf_tokens();
    leaf.send("GET", &user_path(user(1)), "application/json", &bearer, "").unwrap();
    assert_eq!(leaf.receive().unwrap().status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_magic_link_lives_from_fifteen_minutes_to_a_year() {
    let sandbox = start(SandboxOptions::default(), World::open()).await;
    let path = format!("/services/widgets/api/magic-link/users/{}/authentication", user(1));
    let mut leaf = leaf(&sandbox);
    let mut ask =
        |seconds: u64| leaf.post_json(&path, &json!({"provider": "Stara", "expiresIn": seconds})).unwrap();
    assert_eq!([ask(899).status, ask(900).status, ask(31_536_001).status], [400, 200, 400]);
    assert_eq!(ask(3_600).json()["leafUserId"], user(1).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_magic_link_is_another_one_and_is_remembered_as_a_secret() {
    let sandbox = start(SandboxOptions::default(), World::open()).await;
    let mut leaf = leaf(&sandbox);
    let mut ask = |number| {
        let path = format!("/services/widgets/api/magic-link/users/{}/authentication", user(number));
        let answer = leaf.post_json(&path, &json!({"provider": "Stara", "expiresIn": 900})).unwrap();
        answer.json()["link"].as_str().unwrap().to_owned()
    };
    let links = [ask(1), ask(1), ask(2)];
    assert_eq!(sandbox.world().links_of(user(1)), links[..2]);
    assert_eq!(sandbox.world().links_of(user(2)), links[2..]);
    assert_ne!(links[0], links[1]);
    let secrets = sandbox.world().secrets();
    assert!(links.iter().all(|link| secrets.contains(link)), "{secrets:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_remembers_when_its_services_are_started_again() {
    let world = Arc::new(World::open());
    let sandbox = Sandbox::start(SandboxOptions::default(), Arc::clone(&world)).await.unwrap();
    let tokens = tokens_of(&sandbox, "ana", "x");
    let url = sandbox.leaf_url().to_owned();
    sandbox.stop().await;
    assert!(std::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).is_err());
    let sandbox = Sandbox::start(SandboxOptions::default(), world).await.unwrap();
    assert_eq!(leaf(&sandbox).post_json(&credentials_path(user(1)), &tokens).unwrap().status, 201);
    assert_eq!(sandbox.world().users(), [user(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_named() {
    let first = start(SandboxOptions::default(), World::open()).await;
    let port = first.leaf_url().rsplit(':').next().unwrap().parse().unwrap();
    let options = SandboxOptions { leaf_port: port, ..SandboxOptions::default() };
    let error = Sandbox::start(options, Arc::new(World::open())).await.err().unwrap();
    assert!(error.to_string().contains(&format!("Leaf can't listen on 127.0.0.1:{port}")), "{error}");
}
