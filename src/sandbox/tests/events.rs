//! The log of a credential, over the wire.

use serde_json::Value;

use super::client::Client;
use super::fixtures::{credentials_path, leaf, start, tokens_of, user};
use crate::sandbox::{Fault, SandboxOptions, World};

fn log(client: &mut Client) -> Vec<Value> {
    let answer = client.get(&format!("{}/events", credentials_path(user(1)))).unwrap();
    assert_eq!(answer.status, 200);
    answer.json().as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_entry_has_an_id_and_a_time_and_its_headers_and_body_hold_secrets() {
    let sandbox = start(SandboxOptions::default(), World::open()).await;
    let (path, mut leaf) = (credentials_path(user(1)), leaf(&sandbox));
    let tokens = tokens_of(&sandbox, "ana", "x");
    let created = leaf.post_json(&path, &tokens).unwrap().json();
    let entries = log(&mut leaf);
    assert_eq!(log(&mut leaf), entries, "a log that is read again is the same");
    assert_eq!(entries.len(), 3);
    let mut ids: Vec<_> = entries.iter().map(|entry| entry["id"].as_str().unwrap()).collect();
    ids.push(created["id"].as_str().unwrap());
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    let times: Vec<_> = entries.iter().map(|entry| entry["createdDate"].as_str().unwrap()).collect();
    assert!(times.is_sorted() && times[0] > created["createdTime"].as_str().unwrap());
    for entry in &entries {
        assert_eq!(entry["statusCode"], 200);
        assert!(entry["headers"].to_string().contains("sandbox-"), "{entry}");
    }
    let whole = Value::from(entries).to_string();
    for field in ["apiKey", "accessToken", "accessTokenClient", "refreshToken"] {
        assert!(whole.contains(tokens[field].as_str().unwrap()), "{field}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_entry_of_a_broken_credential_tells_of_a_failure() {
    let world = World::open();
    world.seed_credential(user(1), "invalid");
    let sandbox = start(SandboxOptions::default(), world).await;
    let statuses: Vec<_> = log(&mut leaf(&sandbox)).iter().map(|entry| entry["statusCode"].clone()).collect();
    assert_eq!(statuses, [200, 200, 401]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_may_be_empty_though_the_credential_is_there() {
    let world = World::open();
    world.seed_credential(user(1), "OK");
    world.inject(Fault::empty_list());
    let sandbox = start(SandboxOptions::default(), world).await;
    let mut leaf = leaf(&sandbox);
    assert_eq!(log(&mut leaf), Vec::<Value>::new());
    assert_eq!(leaf.get(&credentials_path(user(1))).unwrap().json()["status"], "OK");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_goes_with_its_credential_and_a_new_one_begins_another() {
    let world = World::open();
    world.seed_credential(user(1), "OK");
    let sandbox = start(SandboxOptions::default(), world).await;
    let (path, mut leaf) = (credentials_path(user(1)), leaf(&sandbox));
    let of_the_old = log(&mut leaf);
    assert_eq!(leaf.delete(&path).unwrap().status, 204);
    assert_eq!(leaf.get(&format!("{path}/events")).unwrap().status, 404);
    leaf.post_json(&path, &tokens_of(&sandbox, "ana", "x")).unwrap();
    let of_the_new = log(&mut leaf);
    assert!(of_the_new.iter().all(|entry| of_the_old.iter().all(|old| old["id"] != entry["id"])));
}
