//! What others do at Leaf meanwhile, over the wire: by the world's own methods, by magic words and by faults.

use serde_json::Value;

use super::client::Client;
use super::fixtures::{credentials_path, leaf, login, recording, secret, start, tokens_of, user, user_path};
use crate::sandbox::{Fault, MagicWord, Sandbox, SandboxOptions, Turn, World};

const TURNS: [(MagicWord, Turn); 4] = [
    (MagicWord::TurnsUnhealthy, Turn::Unhealthy),
    (MagicWord::TurnsMissing, Turn::Missing),
    (MagicWord::TurnsForeign, Turn::Foreign),
    (MagicWord::TurnsUnknown, Turn::UnknownUser),
];

/// A world that knows one grower.
fn world_of(password: &str) -> World {
    let world = World::closed();
    world.add_grower(user(1), &login("ana"), &secret(password));
    world
}

fn attach(sandbox: &Sandbox, password: &str) -> Value {
    let tokens = tokens_of(sandbox, "ana", password);
    let answer = leaf(sandbox).post_json(&credentials_path(user(1)), &tokens).unwrap();
    assert_eq!(answer.status, 201);
    answer.json()
}

/// Expects of the user what this turn left of a credential that was attached.
fn expect_turned(client: &mut Client, turn: Turn, attached: &Value) {
    let user_status = client.get(&user_path(user(1))).unwrap().status;
    let look = client.get(&credentials_path(user(1))).unwrap();
    let is_same = |field: &str| look.json()[field] == attached[field];
    match turn {
        Turn::Unhealthy => {
            assert_eq!((user_status, look.status), (200, 200));
            assert!(is_same("id") && look.json()["status"] == "invalid");
        }
        Turn::Missing => assert_eq!((user_status, look.status), (200, 404)),
        Turn::Foreign => {
            assert_eq!((user_status, look.status), (200, 200));
            assert!(!is_same("id") && !is_same("apiKey") && is_same("status"));
        }
        Turn::UnknownUser => assert_eq!((user_status, look.status), (404, 404)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_turn_can_be_brought_about_between_two_runs() {
    for (_, turn) in TURNS {
        let sandbox = start(SandboxOptions::default(), world_of("x")).await;
        let attached = attach(&sandbox, "x");
        assert!(sandbox.world().turn(user(1), turn), "{turn:?}");
        expect_turned(&mut leaf(&sandbox), turn, &attached);
        assert_eq!(sandbox.world().attach_effects(user(1)), 1, "{turn:?}");
        assert!(!sandbox.world().turn(user(2), turn), "{turn:?} of nobody");
        assert!(sandbox.world().users().len() <= 1, "asking for a turn adds nobody");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_lets_the_first_credential_turn_once_it_has_been_seen() {
    for (word, turn) in TURNS {
        let sandbox = start(recording(), world_of(word.as_str())).await;
        let mut client = leaf(&sandbox);
        assert_eq!(client.get(&user_path(user(1))).unwrap().json()["staraCredentials"], Value::Null);
        let attached = attach(&sandbox, word.as_str());
        assert_eq!(client.get(&credentials_path(user(1))).unwrap().json(), attached, "{word:?}");
        expect_turned(&mut client, turn, &attached);
        if turn != Turn::UnknownUser {
            client.delete(&credentials_path(user(1))).unwrap();
            let second = attach(&sandbox, word.as_str());
            for _ in 0..3 {
                let look = client.get(&credentials_path(user(1))).unwrap();
                assert_eq!(look.json(), second, "{word:?}: only the first one turns");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_lets_a_credential_turn_just_before_a_call() {
    let sandbox = start(recording(), world_of("x")).await;
    let attached = attach(&sandbox, "x");
    sandbox.world().inject(Fault::turned_unhealthy());
    expect_turned(&mut leaf(&sandbox), Turn::Unhealthy, &attached);
    sandbox.world().inject(Fault::turned_missing());
    assert_eq!(leaf(&sandbox).delete(&credentials_path(user(1))).unwrap().status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_attach_can_overtake_ours_and_be_answered_in_any_other_way_besides() {
    let sandbox = start(SandboxOptions::default(), world_of("x")).await;
    let tokens = tokens_of(&sandbox, "ana", "x");
    sandbox.world().inject(Fault::turned_foreign());
    sandbox.world().inject(Fault::reply_lost());
    assert!(leaf(&sandbox).post_json(&credentials_path(user(1)), &tokens).is_err());
    assert_eq!(sandbox.world().attach_effects(user(1)), 0, "it met somebody else's");
    let foreign = sandbox.world().credential(user(1)).unwrap();
    assert_ne!(foreign.api_key.expose_secret(), tokens["apiKey"].as_str().unwrap());
    assert_eq!(leaf(&sandbox).post_json(&credentials_path(user(1)), &tokens).unwrap().status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_is_deleted_just_before_its_attach_is_unknown() {
    let sandbox = start(SandboxOptions::default(), world_of("x")).await;
    let tokens = tokens_of(&sandbox, "ana", "x");
    sandbox.world().inject(Fault::turned_unknown());
    assert_eq!(leaf(&sandbox).post_json(&credentials_path(user(1)), &tokens).unwrap().status, 404);
    assert!(sandbox.world().users().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_of_all_credentials_turns_while_the_list_is_read() {
    let world = World::closed();
    for number in 0..200 {
        world.seed_credential(user(number), "OK");
    }
    world.inject(Fault::parse("list:turned-unhealthy:10%").unwrap());
    let sandbox = start(SandboxOptions::default(), world).await;
    let (list, mut leaf) = ("/services/usermanagement/api/users?size=100&page=", leaf(&sandbox));
    let mut unhealthy = Vec::new();
    for page in 0..2 {
        let listed = leaf.get(&format!("{list}{page}")).unwrap().json();
        let is_unhealthy = |user: &&Value| user["staraCredentials"]["status"] == "invalid";
        let found = listed.as_array().unwrap().iter().filter(is_unhealthy);
        unhealthy.extend(found.map(|user| user["id"].as_str().unwrap().to_owned()));
    }
    assert!((5..=40).contains(&unhealthy.len()), "{} of 200 at one in ten", unhealthy.len());
    let is_broken = |id: &_| sandbox.world().credential(*id).unwrap().status == "invalid";
    let broken: Vec<_> = sandbox.world().users().into_iter().filter(is_broken).collect();
    assert_eq!(unhealthy, broken.iter().map(ToString::to_string).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attach_from_elsewhere_has_the_growers_own_api_key_and_another_id() {
    let sandbox = start(SandboxOptions::default(), world_of("x")).await;
    let ours = attach(&sandbox, "x");
    let latest = tokens_of(&sandbox, "ana", "x");
    sandbox.world().attach_from_elsewhere(user(1), &login("ana"));
    let mut leaf = leaf(&sandbox);
    let theirs = leaf.get(&credentials_path(user(1))).unwrap().json();
    assert_eq!((&theirs["apiKey"], &theirs["status"]), (&ours["apiKey"], &ours["status"]));
    assert_ne!(theirs["id"], ours["id"]);
    assert_eq!(sandbox.world().attach_effects(user(1)), 1, "it is nobody's attach of ours");
    assert!(sandbox.world().secrets().contains(&theirs["accessToken"].as_str().unwrap().to_owned()));
    leaf.delete(&credentials_path(user(1))).unwrap();
    assert_eq!(leaf.post_json(&credentials_path(user(1)), &latest).unwrap().status, 201);
}
