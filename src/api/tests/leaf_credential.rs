//! Leaf's calls around one credential: the look, the attach, the deletion and the events.

use super::server::*;
use crate::api::{CallError, CallErrorKind, LeafApi, Tokens};
use crate::model::Credential;

type Attached = Result<(u16, Option<Credential>), CallError>;

async fn look(answer: Vec<u8>) -> (Result<Option<Credential>, CallError>, String) {
    let server = Server::answering(answer);
    let leaf = LeafApi::new(server.client());
    let result = leaf.credential(&token(), &leaf.credential_place(id())).await;
    (result, server.request())
}

async fn attach(answer: Vec<u8>) -> (Attached, String) {
    let server = Server::answering(answer);
    let tokens =
        Tokens {
            access_token: secret("a"), access_token_client: secret("c\"ü"), refresh_token: secret("r")
        };
    let leaf = LeafApi::new(server.client());
    let result = leaf.attach(&token(), &leaf.credential_place(id()), &secret("k"), &tokens).await;
    (result, server.request())
}

async fn remove(answer: Vec<u8>) -> (Result<u16, CallError>, String) {
    let server = Server::answering(answer);
    let leaf = LeafApi::new(server.client());
    let result = leaf.remove(&token(), &leaf.credential_place(id())).await;
    (result, server.request())
}

fn path() -> String {
    format!("/services/usermanagement/api/users/{ID}/stara-credentials")
}

const WHOLE: &str = "{\"id\":\"0a1b2c3d-0000-4000-8000-0000000000c1\",\"status\":\"OK\",\"createdTime\":\"2026\",\"apiKey\":\"s3cr3t\"}";

fn credential() -> Credential {
    Credential::new(Some("0a1b2c3d-0000-4000-8000-0000000000c1"), Some("OK"))
}

#[tokio::test]
async fn a_credential_is_read_without_its_secrets() {
    let (result, request) = look(json(200, WHOLE)).await;
    let found = result.unwrap();
    assert_eq!(found, Some(credential()));
    assert!(!format!("{found:?}").contains("s3cr3t"));
    assert!(request.starts_with(&format!("get {} http/1.1", path())), "{request}");
    assert!(request.contains(&format!("authorization: bearer {TOKEN}")), "{request}");
}

#[tokio::test]
async fn a_404_means_that_there_is_none_whatever_its_body() {
    for answer in [json(404, ""), web_page(404), json(404, WHOLE), truncated(404, "{"), too_large(404, "{}")]
    {
        assert_eq!(look(answer).await.0, Ok(None));
    }
}

#[tokio::test]
async fn id_or_status_are_enough_for_a_credential() {
    let table = [
        ("{\"id\":\"c1\"}", Credential::new(Some("c1"), None)),
        ("{\"status\":\"OK\"}", Credential::new(None, Some("OK"))),
        ("{\"id\":7,\"status\":\"OK\"}", Credential::new(None, Some("OK"))),
        ("{\"id\":\"c1\",\"status\":[\"OK\"]}", Credential::new(Some("c1"), None)),
    ];
    for (body, expected) in table {
        assert_eq!(look(json(200, body)).await.0, Ok(Some(expected)), "{body}");
    }
}

#[tokio::test]
async fn a_look_that_cannot_be_read_is_neither_a_credential_nor_an_absence() {
    let bodies = [
        "",
        "{}",
        "null",
        "[]",
        "\"c1\"",
        "{\"id\":null,\"status\":null}",
        "{\"id\":\"c1\",\"id\":\"c2\"}",
        "{\"id\":\"c1\"",
    ];
    for body in bodies {
        let error = look(json(200, body)).await.0.unwrap_err();
        assert_eq!((error.kind, error.status), (CallErrorKind::Unexpected, Some(200)), "{body}");
    }
    for answer in [web_page(200), too_large(200, WHOLE), json(204, "")] {
        assert_eq!(look(answer).await.0.unwrap_err().kind, CallErrorKind::Unexpected);
    }
    for (status, kind) in [(401, CallErrorKind::Unauthorized), (500, CallErrorKind::ServerError)] {
        assert_eq!(look(json(status, WHOLE)).await.0.unwrap_err().kind, kind);
    }
}

#[tokio::test]
async fn an_attach_carries_all_four_secrets_and_the_token() {
    let (result, request) = attach(json(201, WHOLE)).await;
    assert_eq!(result, Ok((201, Some(credential()))));
    assert!(request.starts_with(&format!("post {} http/1.1", path())), "{request}");
    assert!(request.contains(&format!("authorization: bearer {TOKEN}")), "{request}");
    let body =
        "{\"apiKey\":\"k\",\"accessToken\":\"a\",\"accessTokenClient\":\"c\\\"ü\",\"refreshToken\":\"r\"}";
    assert!(request.ends_with(body), "{request}");
}

#[tokio::test]
async fn any_success_means_that_the_attach_was_processed_whatever_became_of_the_body() {
    let unreadable = [
        json(201, ""),
        json(201, "null"),
        json(201, "[]"),
        json(201, "{\"id\":\"c1\",\"id\":\"c2\"}"),
        web_page(201),
        truncated(201, WHOLE),
        too_large(201, WHOLE),
    ];
    for answer in unreadable {
        assert_eq!(attach(answer).await.0, Ok((201, None)));
    }
    assert_eq!(attach(json(200, WHOLE)).await.0, Ok((200, Some(credential()))));
    assert_eq!(attach(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()).await.0, Ok((204, None)));
    assert_eq!(attach(json(201, "{}")).await.0, Ok((201, Some(Credential::new(None, None)))));
    let oddly_named = Ok((201, Some(Credential::new(None, Some("OK")))));
    assert_eq!(
        attach(json(201, "{\"id\":\"7\",\"status\":\"OK\"}")).await.0,
        oddly_named,
        "no id is shaped so"
    );
}

#[tokio::test]
async fn an_attach_that_did_not_succeed_means_what_its_status_says() {
    let table = [
        (307, CallErrorKind::Redirected),
        (400, CallErrorKind::Refused),
        (401, CallErrorKind::Unauthorized),
        (403, CallErrorKind::Forbidden),
        (404, CallErrorKind::NotFound),
        (408, CallErrorKind::NoAnswer),
        (409, CallErrorKind::Refused),
        (418, CallErrorKind::Unexpected),
        (422, CallErrorKind::Refused),
        (429, CallErrorKind::Throttled),
        (502, CallErrorKind::ServerError),
    ];
    for (status, kind) in table {
        assert_eq!(attach(json(status, WHOLE)).await.0.unwrap_err().kind, kind, "{status}");
    }
    for bytes in [b"".as_slice(), b"HTTP/1.1 201"] {
        let error = attach(bytes.to_vec()).await.0.unwrap_err();
        assert_eq!((error.kind, error.status), (CallErrorKind::NoAnswer, None));
    }
}

#[tokio::test]
async fn a_deletion_is_done_when_there_was_nothing_to_delete() {
    let (result, request) = remove(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()).await;
    assert_eq!(result, Ok(204));
    assert!(request.starts_with(&format!("delete {} http/1.1", path())), "{request}");
    for status in [200, 404] {
        assert_eq!(remove(web_page(status)).await.0, Ok(status));
    }
    let table = [
        (302, CallErrorKind::Redirected),
        (403, CallErrorKind::Forbidden),
        (500, CallErrorKind::ServerError),
    ];
    for (status, kind) in table {
        assert_eq!(remove(json(status, "")).await.0.unwrap_err().kind, kind);
    }
}
