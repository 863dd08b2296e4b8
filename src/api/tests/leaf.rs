//! Leaf's token, and the look at a user.

use std::time::Duration;

use super::server::*;
use crate::api::{CallError, CallErrorKind, LeafAccount, LeafApi, UserLook};
use crate::model::{Credential, Secret};

async fn log_in(answer: Vec<u8>) -> (Result<Secret, CallError>, String) {
    let server = Server::answering(answer);
    let account = LeafAccount { username: "me@example.com".to_owned(), password: secret("pw") };
    let result = LeafApi::new(server.client()).authenticate(&account).await;
    (result, server.request())
}

async fn look(answer: Vec<u8>) -> (Result<UserLook, CallError>, String) {
    let server = Server::answering(answer);
    let result = LeafApi::new(server.client()).user(&token(), id()).await;
    (result, server.request())
}

async fn look_at(body: &str) -> Result<UserLook, CallErrorKind> {
    look(json(200, body)).await.0.map_err(|error| error.kind)
}

/// A user that holds `embedded`.
fn user_with(embedded: &str) -> String {
    format!("{{\"id\":\"{ID}\",\"name\":\"Ana\",\"staraCredentials\":{embedded}}}")
}

#[tokio::test]
async fn an_account_is_traded_for_a_token() {
    let (result, request) = log_in(json(200, "{\"id_token\":\"t\"}")).await;
    assert_eq!(result.unwrap().expose_secret(), "t");
    assert!(request.starts_with("post /api/authenticate http/1.1"), "{request}");
    let body = "{\"username\":\"me@example.com\",\"password\":\"pw\",\"rememberMe\":\"true\"}";
    assert!(request.ends_with(body), "{request}");
    assert!(!request.contains("authorization"), "{request}");
}

#[tokio::test]
async fn an_account_without_a_token_is_refused_or_unexpected() {
    for body in ["", "{}", "{\"id_token\":\"\"}", "{\"id_token\":null}", "{\"id_token\":1}", "[]"] {
        let (result, _) = log_in(json(200, body)).await;
        assert_eq!(result.unwrap_err().kind, CallErrorKind::Unexpected, "{body}");
    }
    let (result, _) = log_in(json(401, "{\"id_token\":\"t\"}")).await;
    assert_eq!(result.unwrap_err().kind, CallErrorKind::Unauthorized);
}

#[tokio::test]
async fn a_look_goes_to_the_users_own_address_with_the_token() {
    let (result, request) = look(json(200, &user_with("null"))).await;
    assert_eq!(result.unwrap(), UserLook::NoCredential);
    let line = format!("get /services/usermanagement/api/users/{ID} http/1.1");
    assert!(request.starts_with(&line), "{request}");
    assert!(request.contains(&format!("authorization: bearer {TOKEN}")), "{request}");
}

#[tokio::test]
async fn an_embedded_credential_is_shown_without_its_secrets() {
    let embedded = "{\"id\":\"c1\",\"status\":\"OK\",\"apiKey\":\"s3cr3t\",\"accessToken\":\"s3cr3t\"}";
    let looked = look_at(&user_with(embedded)).await.unwrap();
    assert_eq!(looked, UserLook::Credential(Credential::new(Some("c1"), Some("OK"))));
    assert!(!format!("{looked:?}").contains("s3cr3t"));
}

#[tokio::test]
async fn no_embedded_credential_means_that_there_is_none() {
    assert_eq!(look_at(&user_with("null")).await, Ok(UserLook::NoCredential));
    assert_eq!(look_at(&format!("{{\"id\":\"{ID}\"}}")).await, Ok(UserLook::NoCredential));
    let upper = ID.to_uppercase();
    assert_eq!(look_at(&format!("{{\"id\":\"{upper}\"}}")).await, Ok(UserLook::NoCredential));
}

#[tokio::test]
async fn whatever_is_embedded_and_does_not_tell_id_and_status_takes_another_call() {
    let embedded = [
        "{}",
        "{\"id\":\"c1\"}",
        "{\"status\":\"OK\"}",
        "{\"id\":null,\"status\":\"OK\"}",
        "{\"id\":5,\"status\":\"OK\"}",
        "{\"id\":\"c1\",\"status\":null}",
        "{\"id\":\"c1\",\"status\":{\"code\":1}}",
        "{\"id\":\"\",\"status\":\"OK\"}",
        "{\"id\":\"c1\",\"id\":\"c2\",\"status\":\"OK\"}",
        "[]",
        "[{\"id\":\"c1\",\"status\":\"OK\"}]",
        "\"OK\"",
        "true",
        "5",
    ];
    for embedded in embedded {
        assert_eq!(look_at(&user_with(embedded)).await, Ok(UserLook::Incomplete), "{embedded}");
    }
}

#[tokio::test]
async fn an_object_that_need_not_be_a_user_proves_no_absence() {
    for body in ["{}", "{\"id\":null}", "{\"title\":\"Hello\"}"] {
        assert_eq!(look_at(body).await, Ok(UserLook::Incomplete), "{body}");
    }
}

#[tokio::test]
async fn an_answer_that_was_cut_off_on_the_way_may_be_asked_for_again() {
    let (result, _) = look(truncated(200, &user_with("null"))).await;
    let error = result.unwrap_err();
    assert_eq!((error.kind, error.status), (CallErrorKind::CutOff, Some(200)));
}

#[tokio::test]
async fn an_answer_that_is_no_user_or_another_one_is_unexpected() {
    let another = "{\"id\":\"0a1b2c3d-0000-4000-8000-000000000000\",\"staraCredentials\":null}";
    let twice = format!("{{\"id\":\"{ID}\",\"staraCredentials\":null,\"staraCredentials\":null}}");
    let cut = user_with("null").replace('}', "");
    for body in ["", "null", "[]", "\"user\"", "{\"id\":5}", "{\"id\":\"x\"}", another, &twice, &cut] {
        assert_eq!(look_at(body).await, Err(CallErrorKind::Unexpected), "{body}");
    }
    let whole = user_with("null");
    for answer in [web_page(200), too_large(200, &whole), json(204, "")] {
        assert_eq!(look(answer).await.0.unwrap_err().kind, CallErrorKind::Unexpected);
    }
}

#[tokio::test]
async fn a_status_counts_whatever_the_body_says() {
    let table = [
        (302, CallErrorKind::Redirected),
        (400, CallErrorKind::Refused),
        (401, CallErrorKind::Unauthorized),
        (403, CallErrorKind::Forbidden),
        (404, CallErrorKind::NotFound),
        (408, CallErrorKind::NoAnswer),
        (409, CallErrorKind::Refused),
        (418, CallErrorKind::Unexpected),
        (422, CallErrorKind::Refused),
        (429, CallErrorKind::Throttled),
        (500, CallErrorKind::ServerError),
        (504, CallErrorKind::ServerError),
    ];
    for (status, kind) in table {
        for answer in [json(status, &user_with("null")), web_page(status), truncated(status, "{")] {
            let error = look(answer).await.0.unwrap_err();
            assert_eq!((error.kind, error.status), (kind, Some(status)));
        }
    }
}

#[tokio::test]
async fn a_wait_that_leaf_asks_for_is_passed_on() {
    let error = look(wait(503, 3)).await.0.unwrap_err();
    assert_eq!((error.kind, error.retry_after), (CallErrorKind::ServerError, Some(Duration::from_secs(3))));
}
