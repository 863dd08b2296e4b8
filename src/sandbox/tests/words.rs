//! The magic words over the wire.

use serde_json::json;

use super::client::Received;
use super::fixtures::{credentials_path, leaf, login, recording, secret, stara, start, tokens_of, user};
use crate::sandbox::{CallKind, MagicWord, Sandbox, SandboxOptions, World};

/// A sandbox whose one grower has this word for a password.
async fn with_word(magic: MagicWord) -> Sandbox {
    let world = World::closed();
    world.add_grower(user(1), &login("ana"), &secret(magic.as_str()));
    start(recording(), world).await
}

fn authenticate(sandbox: &Sandbox, word: MagicWord) -> Received {
    let body = json!({"login": "ana", "password": word.as_str()});
    stara(sandbox).post_json("/autenticacao", &body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn words_about_the_login_decide_the_answer_to_an_authentication() {
    for (word, status, is_html) in [
        (MagicWord::WrongPassword, 401, false),
        (MagicWord::StaraHtml, 200, true),
        (MagicWord::StaraDown, 503, true),
    ] {
        let sandbox = with_word(word).await;
        let answer = authenticate(&sandbox, word);
        assert_eq!(answer.status, status, "{word:?}");
        assert_eq!(answer.header("content-type").unwrap().starts_with("text/html"), is_html, "{word:?}");
        assert_eq!(sandbox.world().authentications(&login("ana")), 0, "{word:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn words_about_the_user_decide_the_answer_to_a_look() {
    for (word, status, standing) in [
        (MagicWord::UnknownUser, 404, None),
        (MagicWord::ForbiddenUser, 403, None),
        (MagicWord::Healthy, 200, Some("OK")),
        (MagicWord::Unhealthy, 200, Some("invalid")),
    ] {
        let sandbox = with_word(word).await;
        let path = format!("/services/usermanagement/api/users/{}", user(1));
        let answer = leaf(&sandbox).get(&path).unwrap();
        assert_eq!(answer.status, status, "{word:?}");
        if let Some(expected) = standing {
            assert_eq!(answer.json()["staraCredentials"]["status"], expected);
        }
        assert_eq!(sandbox.world().users().is_empty(), status != 200, "{word:?}");
        assert_eq!(sandbox.world().attach_effects(user(1)), 0, "{word:?}");
        assert_eq!(authenticate(&sandbox, word).status, 200, "{word:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_attach_leaves_nothing_behind() {
    let sandbox = with_word(MagicWord::Refused).await;
    let tokens = tokens_of(&sandbox, "ana", MagicWord::Refused.as_str());
    let mut leaf = leaf(&sandbox);
    assert_eq!(leaf.post_json(&credentials_path(user(1)), &tokens).unwrap().status, 400);
    assert_eq!(leaf.get(&credentials_path(user(1))).unwrap().status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_had_its_effect_and_is_lost_once() {
    let sandbox = with_word(MagicWord::LostReply).await;
    let tokens = tokens_of(&sandbox, "ana", MagicWord::LostReply.as_str());
    let mut cut = leaf(&sandbox);
    assert!(cut.post_json(&credentials_path(user(1)), &tokens).is_err());
    assert!(!cut.received_anything());
    assert_eq!(sandbox.world().attach_effects(user(1)), 1);
    let attach = sandbox.seen().pop().unwrap();
    assert_eq!((attach.call, attach.status, attach.effect), (CallKind::CreateCredential, None, true));
    let mut leaf = leaf(&sandbox);
    assert_eq!(leaf.delete(&credentials_path(user(1))).unwrap().status, 204);
    assert_eq!(leaf.post_json(&credentials_path(user(1)), &tokens).unwrap().status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_come_with_the_login_work_in_an_open_world_too() {
    let sandbox = start(SandboxOptions::default(), World::open()).await;
    let refused = tokens_of(&sandbox, "ana", MagicWord::Refused.as_str());
    assert_eq!(leaf(&sandbox).post_json(&credentials_path(user(1)), &refused).unwrap().status, 400);
    let lost = tokens_of(&sandbox, "bia", MagicWord::LostReply.as_str());
    assert!(leaf(&sandbox).post_json(&credentials_path(user(2)), &lost).is_err());
    assert_eq!(sandbox.world().attach_effects(user(2)), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_may_share_a_login() {
    let world = World::closed();
    world.add_grower(user(1), &login("ana"), &secret("x"));
    world.add_grower(user(2), &login("ana"), &secret("x"));
    let sandbox = start(SandboxOptions::default(), world).await;
    for number in [1, 2] {
        let tokens = tokens_of(&sandbox, "ana", "x");
        let answer = leaf(&sandbox).post_json(&credentials_path(user(number)), &tokens).unwrap();
        assert_eq!(answer.status, 201);
    }
    let of_login = sandbox.world().secrets_of_login(&login("ana"));
    assert_eq!(of_login.len(), 1 + 2 * 3, "one apiKey, and three tokens for each of two token calls");
    for secret in &of_login {
        assert!(sandbox.world().secrets().contains(secret));
    }
}
