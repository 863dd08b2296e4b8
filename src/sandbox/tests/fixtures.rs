//! What every test of the sandbox begins with.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{LeafUserId, Login, Secret};

use super::client::Client;
use crate::sandbox::{Sandbox, SandboxOptions, World};

/// A user id made of a small number.
pub(super) fn user(number: u8) -> LeafUserId {
    let mut bytes = [0; 16];
    bytes[6] = 0x40;
    bytes[8] = 0x80;
    bytes[15] = number;
    LeafUserId::from_bytes(bytes)
}

pub(super) fn login(text: &str) -> Login {
    Login::new(text)
}

pub(super) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

pub(super) fn recording() -> SandboxOptions {
    SandboxOptions { record: true, ..SandboxOptions::default() }
}

pub(super) async fn start(options: SandboxOptions, world: World) -> Sandbox {
    Sandbox::start(options, Arc::new(world)).await.unwrap()
}

pub(super) fn stara(sandbox: &Sandbox) -> Client {
    Client::connect(sandbox.stara_url())
}

pub(super) fn leaf(sandbox: &Sandbox) -> Client {
    Client::connect(sandbox.leaf_url())
}

/// Authenticates a login in the `json` dialect and answers the body of an attach.
pub(super) fn tokens_of(sandbox: &Sandbox, login: &str, password: &str) -> serde_json::Value {
    let mut stara = stara(sandbox);
    let body = serde_json::json!({"login": login, "password": password});
    let answer = stara.post_json("/autenticacao", &body).unwrap();
    assert_eq!(answer.status, 200);
    let api_key = answer.json();
    let mut tokens = stara.post_json("/token", &api_key).unwrap().json();
    tokens["apiKey"] = api_key["apiKey"].clone();
    tokens
}

pub(super) fn credentials_path(id: LeafUserId) -> String {
    format!("/services/usermanagement/api/users/{id}/stara-credentials")
}

pub(super) fn user_path(id: LeafUserId) -> String {
    format!("/services/usermanagement/api/users/{id}")
}

/// Fails the test when what should happen soon doesn't happen at all.
pub(super) async fn soon<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), event).await.unwrap()
}
