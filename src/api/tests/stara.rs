//! Stara's two calls, in both dialects and both spellings.

use std::time::Duration;

use super::server::*;
use crate::api::{CallError, CallErrorKind, StaraApi, Tokens};
use crate::http::Unreached;
use crate::model::{Dialect, Login, Secret};

const DIALECTS: [Dialect; 2] = [Dialect::Json, Dialect::Form];

async fn authenticate(dialect: Dialect, answer: Vec<u8>) -> (Result<Secret, CallError>, String) {
    let server = Server::answering(answer);
    let api = StaraApi::new(server.client(), dialect);
    let result = api.authenticate(&Login::new("ana+&ç@x"), &secret("p w&=\"ü")).await;
    (result, server.request())
}

async fn key_of(dialect: Dialect, answer: Vec<u8>) -> Result<String, CallErrorKind> {
    let (result, _) = authenticate(dialect, answer).await;
    result.map(|key| key.expose_secret().to_owned()).map_err(|error| error.kind)
}

async fn token(
    dialect: Dialect,
    client: Option<&str>,
    answer: Vec<u8>,
) -> (Result<Tokens, CallError>, String) {
    let server = Server::answering(answer);
    let api = StaraApi::new(server.client(), dialect);
    let client = client.map(secret);
    let result = api.token(&secret("key/+"), client.as_ref()).await;
    (result, server.request())
}

/// Access token, client's token and refresh token.
async fn tokens_of(dialect: Dialect, client: Option<&str>, body: &str) -> Result<[String; 3], CallErrorKind> {
    let (result, _) = token(dialect, client, json(200, body)).await;
    let text = |secret: Secret| secret.expose_secret().to_owned();
    result
        .map(|tokens| [tokens.access_token, tokens.access_token_client, tokens.refresh_token].map(text))
        .map_err(|error| error.kind)
}

#[tokio::test]
async fn a_login_goes_out_as_its_dialect_has_it_byte_for_byte() {
    let (_, request) = authenticate(Dialect::Json, json(200, "{}")).await;
    assert!(request.starts_with("post /autenticacao http/1.1"), "{request}");
    assert!(request.contains("content-type: application/json"), "{request}");
    assert!(request.ends_with("{\"login\":\"ana+&ç@x\",\"password\":\"p w&=\\\"ü\"}"), "{request}");

    let (_, request) = authenticate(Dialect::Form, json(200, "{}")).await;
    assert!(request.contains("content-type: application/x-www-form-urlencoded"), "{request}");
    assert!(request.ends_with("user=ana%2B%26%C3%A7%40x&pwd=p+w%26%3D%22%C3%BC"), "{request}");
}

#[tokio::test]
async fn a_key_goes_out_as_its_dialect_has_it() {
    let (_, request) = token(Dialect::Json, Some("client"), json(200, "{}")).await;
    assert!(request.starts_with("post /token http/1.1"), "{request}");
    assert!(request.ends_with("{\"apiKey\":\"key/+\"}"), "{request}");
    let (_, request) = token(Dialect::Form, Some("client"), json(200, "{}")).await;
    assert!(request.ends_with("accessTokenClient=client&apiKey=key%2F%2B"), "{request}");
}

#[tokio::test]
async fn a_key_is_read_in_either_spelling_whatever_the_dialect_and_content_type() {
    let bodies = [
        "{\"apiKey\":\"k\"}",
        "{\"key\":\"k\"}",
        " {\"apiKey\":null,\"key\":\"k\",\"more\":[1,{}]} ",
        "{\"apiKey\":\"\",\"key\":\"k\"}",
        "{\"apiKey\":\"k\",\"key\":\"other\"}",
    ];
    for dialect in DIALECTS {
        for body in bodies {
            assert_eq!(key_of(dialect, json(200, body)).await, Ok("k".to_owned()), "{dialect} {body}");
        }
        assert_eq!(key_of(dialect, answer(200, "text/html", bodies[0])).await, Ok("k".to_owned()));
    }
}

#[tokio::test]
async fn a_success_without_a_key_is_unexpected() {
    let bodies = [
        "",
        "{}",
        "null",
        "\"k\"",
        "[\"k\"]",
        "{\"apiKey\":\"\"}",
        "{\"apiKey\":5}",
        "{\"apiKey\":[\"k\"]}",
        "{\"apiKey\":\"k\",\"apiKey\":\"k\"}",
        "{\"apikey\":\"k\"}",
        "{\"apiKey\":\"k\"",
        "{\"apiKey\":\"k\"}}",
    ];
    for dialect in DIALECTS {
        for body in bodies {
            let kind = key_of(dialect, json(200, body)).await;
            assert_eq!(kind, Err(CallErrorKind::Unexpected), "{dialect} {body}");
        }
    }
    let key = "{\"apiKey\":\"k\"}";
    for answer in [web_page(200), too_large(200, key), json(204, "")] {
        assert_eq!(key_of(Dialect::Json, answer).await, Err(CallErrorKind::Unexpected));
    }
    let bytes = [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n".as_slice(), &[0xff, 0xfe, 0, 1]].concat();
    assert_eq!(key_of(Dialect::Json, bytes).await, Err(CallErrorKind::Unexpected));
}

#[tokio::test]
async fn only_a_401_is_a_clear_refusal_of_the_login() {
    for answer in [json(401, "{\"erro\":\"senha\"}"), json(401, ""), web_page(401), truncated(401, "{")] {
        let (result, _) = authenticate(Dialect::Json, answer).await;
        let error = result.unwrap_err();
        assert_eq!((error.kind, error.status), (CallErrorKind::LoginRejected, Some(401)));
    }
}

#[tokio::test]
async fn a_short_refusal_that_is_no_web_page_is_doubtful() {
    for status in [400, 403, 422] {
        for body in ["{\"mensagem\":\"senha inválida\"}", "Usuário ou senha", ""] {
            let kind = key_of(Dialect::Form, json(status, body)).await;
            assert_eq!(kind, Err(CallErrorKind::LoginDoubtful), "{status} {body}");
        }
        let long = "x".repeat(5_000);
        for answer in
            [web_page(status), json(status, &long), truncated(status, "{}"), too_large(status, "{}")]
        {
            assert_eq!(key_of(Dialect::Form, answer).await, Err(CallErrorKind::Unexpected), "{status}");
        }
    }
}

#[tokio::test]
async fn every_other_status_means_what_it_says() {
    let table = [
        (301, CallErrorKind::Unexpected),
        (307, CallErrorKind::Unexpected),
        (404, CallErrorKind::Unexpected),
        (405, CallErrorKind::Unexpected),
        (408, CallErrorKind::NoAnswer),
        (409, CallErrorKind::Unexpected),
        (415, CallErrorKind::Unexpected),
        (429, CallErrorKind::Throttled),
        (500, CallErrorKind::ServerError),
        (503, CallErrorKind::ServerError),
    ];
    for (status, kind) in table {
        assert_eq!(key_of(Dialect::Json, json(status, "{\"apiKey\":\"k\"}")).await, Err(kind), "{status}");
    }
}

#[tokio::test]
async fn a_wait_that_stara_asks_for_is_passed_on() {
    let (result, _) = authenticate(Dialect::Json, wait(429, 7)).await;
    assert_eq!(result.unwrap_err().retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_status_is_no_answer() {
    for bytes in [b"".as_slice(), b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nContent-Le", b"what?\r\n\r\n"] {
        let (result, _) = authenticate(Dialect::Json, bytes.to_vec()).await;
        let error = result.unwrap_err();
        assert_eq!((error.kind, error.status), (CallErrorKind::NoAnswer, None));
    }
}

#[tokio::test]
async fn nobody_at_the_other_end_means_that_nothing_was_sent() {
    // A port that is taken, but on which nobody listens.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let client = client_of(&format!("http://{}", taken.local_addr().unwrap()));
    let error = StaraApi::new(client, Dialect::Json).token(&secret("k"), None).await.unwrap_err();
    assert_eq!((error.kind, error.status), (CallErrorKind::Unreachable(Unreached::Refused), None));
}

#[tokio::test]
async fn tokens_are_read_in_either_spelling_whatever_the_dialect() {
    let tutorial = "{\"accessToken\":\"a\",\"accessTokenClient\":\"c\",\"refreshToken\":\"r\"}";
    let collection = "{\"X_access_token\":\"a\",\"refresh_Token\":\"r\"}";
    let ours = |client: &str| Ok(["a".to_owned(), client.to_owned(), "r".to_owned()]);
    assert_eq!(tokens_of(Dialect::Json, None, tutorial).await, ours("c"));
    assert_eq!(tokens_of(Dialect::Form, Some("mine"), collection).await, ours("mine"));
    assert_eq!(tokens_of(Dialect::Form, None, tutorial).await, ours("c"));
    assert_eq!(tokens_of(Dialect::Json, Some("mine"), collection).await, ours("mine"));
    let mixed = "{\"X_access_token\":\"a\",\"accessTokenClient\":\"c\",\"refreshToken\":\"r\",\"x\":1}";
    assert_eq!(tokens_of(Dialect::Json, None, mixed).await, ours("c"));
}

#[tokio::test]
async fn of_two_client_tokens_the_dialect_decides() {
    let body = "{\"accessToken\":\"a\",\"accessTokenClient\":\"theirs\",\"refreshToken\":\"r\"}";
    let client = |tokens: Result<[String; 3], CallErrorKind>| tokens.unwrap()[1].clone();
    assert_eq!(client(tokens_of(Dialect::Json, Some("mine"), body).await), "theirs");
    assert_eq!(client(tokens_of(Dialect::Form, Some("mine"), body).await), "mine");
}

#[tokio::test]
async fn tokens_that_are_not_all_there_are_unexpected() {
    let bodies = [
        "",
        "{}",
        "null",
        "{\"accessToken\":\"a\",\"refreshToken\":\"r\"}",
        "{\"accessToken\":\"a\",\"accessTokenClient\":\"c\"}",
        "{\"accessToken\":\"\",\"accessTokenClient\":\"c\",\"refreshToken\":\"r\"}",
        "{\"accessToken\":1,\"accessTokenClient\":\"c\",\"refreshToken\":\"r\"}",
        "{\"accessToken\":\"a\",\"accessToken\":\"b\",\"accessTokenClient\":\"c\",\"refreshToken\":\"r\"}",
    ];
    for body in bodies {
        let tokens = tokens_of(Dialect::Json, None, body).await;
        assert_eq!(tokens, Err(CallErrorKind::Unexpected), "{body}");
    }
    let whole = "{\"accessToken\":\"a\",\"accessTokenClient\":\"c\",\"refreshToken\":\"r\"}";
    for answer in [web_page(200), too_large(200, whole)] {
        let (result, _) = token(Dialect::Json, None, answer).await;
        assert_eq!(result.unwrap_err().kind, CallErrorKind::Unexpected);
    }
}

#[tokio::test]
async fn a_key_that_is_refused_is_no_refused_login() {
    let table = [
        (400, CallErrorKind::Refused),
        (401, CallErrorKind::Unauthorized),
        (403, CallErrorKind::Forbidden),
        (404, CallErrorKind::NotFound),
        (429, CallErrorKind::Throttled),
        (500, CallErrorKind::ServerError),
    ];
    for (status, kind) in table {
        let (result, _) = token(Dialect::Json, None, json(status, "{}")).await;
        assert_eq!(result.unwrap_err().kind, kind, "{status}");
    }
}

#[tokio::test]
async fn nothing_of_an_answer_or_a_secret_is_shown_when_debugged() {
    let (result, _) = authenticate(Dialect::Json, json(400, "{\"said\":\"s3cr3t\"}")).await;
    let shown = format!("{result:?}");
    assert!(!shown.contains("s3cr3t"), "{shown}");
    let (result, _) = authenticate(Dialect::Json, json(200, "{\"apiKey\":\"s3cr3t\"}")).await;
    assert!(!format!("{:?}", result.unwrap()).contains("s3cr3t"));
    let body = "{\"accessToken\":\"s3cr3t\",\"accessTokenClient\":\"s3cr3t\",\"refreshToken\":\"s3cr3t\"}";
    let (result, _) = token(Dialect::Json, None, json(200, body)).await;
    assert!(!format!("{:?}", result.unwrap()).contains("s3cr3t"));
}
