//! Removals whose answer is lost, or whose effect comes late.

use std::io::ErrorKind;
use std::time::Duration;

use serde_json::Value;

use super::fixtures::{credentials_path, leaf, recording, soon, start, tokens_of, user};
use crate::sandbox::{CallKind, Fault, Sandbox, World};

/// A sandbox in which one user holds an attached credential, and this fault is in force.
async fn with_fault(spec: &str) -> (Sandbox, Value) {
    let sandbox = start(recording(), World::open()).await;
    let tokens = tokens_of(&sandbox, "ana", "x");
    assert_eq!(leaf(&sandbox).post_json(&credentials_path(user(1)), &tokens).unwrap().status, 201);
    sandbox.world().inject(Fault::parse(spec).unwrap());
    (sandbox, tokens)
}

fn holds_one(world: &World) -> bool {
    world.credential(user(1)).is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_whose_answer_never_comes_took_effect_or_not_as_the_fault_says() {
    for (spec, is_removed) in [
        ("remove:reply-lost", true),
        ("remove:cut-before-effect", false),
        ("remove:reset-before-effect", false),
    ] {
        let (sandbox, _) = with_fault(spec).await;
        assert!(leaf(&sandbox).delete(&credentials_path(user(1))).is_err(), "{spec}");
        assert_eq!(holds_one(sandbox.world()), !is_removed, "{spec}");
        let seen = sandbox.seen().pop().unwrap();
        assert_eq!((seen.call, seen.status, seen.effect), (CallKind::DeleteCredential, None, is_removed));
        let second = leaf(&sandbox).delete(&credentials_path(user(1))).unwrap();
        assert_eq!(second.status, if is_removed { 404 } else { 204 }, "{spec}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_hangs_took_effect_or_not_as_the_fault_says() {
    for (spec, name, is_removed) in
        [("remove:hang", "hang", false), ("remove:hang-after-effect", "hang-after-effect", true)]
    {
        let (sandbox, _) = with_fault(spec).await;
        let mut client = leaf(&sandbox);
        client.send("DELETE", &credentials_path(user(1)), "", "some-token", "").unwrap();
        soon(sandbox.world().until(|world| world.faults_befallen(name) == 1)).await;
        soon(sandbox.world().until(|world| holds_one(world) != is_removed)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_removal_takes_the_credential_that_was_attached_meanwhile() {
    let (sandbox, tokens) = with_fault("remove:late-effect:time=1ms").await;
    let (mut client, path) = (leaf(&sandbox), credentials_path(user(1)));
    client.send("DELETE", &path, "", "some-token", "").unwrap();
    soon(sandbox.world().until(|world| world.faults_befallen("late-effect") == 1)).await;
    assert!(sandbox.world().remove_credential(user(1)));
    assert_eq!(leaf(&sandbox).post_json(&path, &tokens).unwrap().status, 201);
    drop(client);
    soon(sandbox.world().until(|world| !holds_one(world))).await;
    assert_eq!(sandbox.world().attach_effects(user(1)), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_removal_that_is_still_under_way_takes_effect_later() {
    let (sandbox, _) = with_fault("remove:cut-then-late-effect:time=20ms").await;
    let sent = std::time::Instant::now();
    let cut = leaf(&sandbox).delete(&credentials_path(user(1))).unwrap_err();
    assert_eq!(cut.kind(), ErrorKind::UnexpectedEof);
    soon(sandbox.world().until(|world| !holds_one(world))).await;
    assert!(sent.elapsed() >= Duration::from_millis(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_removal_waits_until_the_client_has_given_up() {
    let late = Duration::from_millis(20);
    let (sandbox, _) = with_fault("remove:late-effect:time=20ms").await;
    let mut client = leaf(&sandbox);
    client.send("DELETE", &credentials_path(user(1)), "", "some-token", "").unwrap();
    soon(sandbox.world().until(|world| world.faults_befallen("late-effect") == 1)).await;
    assert!(holds_one(sandbox.world()));
    let gave_up = std::time::Instant::now();
    drop(client);
    soon(sandbox.world().until(|world| !holds_one(world))).await;
    assert!(gave_up.elapsed() >= late);
}
