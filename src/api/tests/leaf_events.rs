//! Leaf's log of a credential: what is read of it, and that no secret in it comes out, wherever it stands.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::server::*;
use crate::api::{CallError, CallErrorKind, CredentialEvent, EventField, LeafApi};
use crate::http::Reply;

async fn events(answer: Vec<u8>) -> (Result<Vec<CredentialEvent>, CallError>, String) {
    let server = Server::answering(answer);
    let result = LeafApi::new(server.client()).events(&token(), id()).await;
    (result, server.request())
}

fn field(name: Option<&str>, value: Option<&str>) -> EventField {
    EventField { name: name.map(str::to_owned), value: value.map(str::to_owned) }
}

/// The events of an answer with these.
fn read(events: &[Value]) -> Vec<CredentialEvent> {
    let body = serde_json::to_vec(&events).unwrap();
    LeafApi::read_events(&Reply { status: 200, retry_after: None, body: Ok(body.into()) }).unwrap()
}

#[tokio::test]
async fn events_are_read_without_what_their_headers_and_bodies_say() {
    let body = "[{\"id\":\"e1\",\"createdDate\":\"2026-01-02\",\"statusCode\":401,\"headers\":\"s3cr3t\",\"body\":\"s3cr3t\"},
                 {\"id\":5,\"createdDate\":null,\"statusCode\":\"401\"}, {}, null, 7]";
    let (result, request) = events(json(200, body)).await;
    let events = result.unwrap();
    let path = format!("/services/usermanagement/api/users/{ID}/stara-credentials/events");
    assert!(request.starts_with(&format!("get {path} http/1.1")), "{request}");
    let first = CredentialEvent {
        id: "e1".to_owned(),
        created: "2026-01-02".to_owned(),
        status_code: Some(401),
        headers: vec![field(None, None)],
        body: vec![field(None, None)],
    };
    let nothing = CredentialEvent::default();
    assert_eq!(events, [first, nothing.clone(), nothing.clone(), nothing.clone(), nothing]);
}

#[tokio::test]
async fn no_log_is_an_empty_one_and_anything_else_is_unexpected() {
    assert_eq!(events(web_page(404)).await.0, Ok(Vec::new()));
    assert_eq!(events(json(200, "[]")).await.0, Ok(Vec::new()));
    for answer in [json(200, "{}"), json(200, ""), web_page(200), too_large(200, "[]")] {
        assert_eq!(events(answer).await.0.unwrap_err().kind, CallErrorKind::Unexpected);
    }
    assert_eq!(events(json(403, "[]")).await.0.unwrap_err().kind, CallErrorKind::Forbidden);
}

#[tokio::test]
async fn an_events_words_are_cut_to_a_length_that_can_be_shown() {
    let long = "x".repeat(1_000);
    let body = format!("[{{\"id\":\"{long}\",\"createdDate\":\"{long}\"}}]");
    let events = events(json(200, &body)).await.0.unwrap();
    assert_eq!((events[0].id.len(), events[0].created.len()), (64, 64));
}

#[test]
fn fields_are_named_and_only_known_errors_under_telling_names_are_shown() {
    let event = json!({
        "id": "e1", "createdDate": "2026-01-02", "statusCode": 401,
        "headers": {"Content-Type": "application/json", "Authorization": ["Bearer x"], "x-b3-id": "7"},
        "body": "{\"error\":{\"code\":\"invalid_grant\",\"detail\":\"for ana\"},\"status\":401,\"Title\":\"Not found\"}",
    });
    let events = read(&[event]);
    assert_eq!(
        events[0].headers,
        [field(Some("Authorization"), None), field(Some("Content-Type"), None), field(None, None)]
    );
    assert_eq!(
        events[0].body,
        [
            field(Some("Title"), Some("Not found")),
            field(Some("error.code"), Some("invalid_grant")),
            field(Some("error.detail"), None),
            field(Some("status"), None),
        ]
    );
}

#[test]
fn words_that_are_no_known_error_are_not_shown_under_any_name() {
    let long_word = "a".repeat(25);
    let many_words = ["word"; 9].join(" ");
    for secret in [
        "hunter2",
        "hunter",
        "a password",
        "a.b",
        "p&ssword",
        "line\nbreak",
        "\u{1b}[2J",
        &long_word,
        &many_words,
    ] {
        let events = read(&[json!({"body": {"error": secret, secret: "error"}})]);
        assert!(events[0].body.iter().all(|field| field.value.is_none()), "{secret:?}");
    }
}

#[test]
fn an_event_of_any_size_has_few_fields() {
    let wide: Value = (0..1_000).map(|at| (format!("name{}", "x".repeat(at % 30)), json!(at))).collect();
    let mut deep = json!({"inmost": "x"});
    for _ in 0..50 {
        deep = json!([{"deeper": deep}, {"deeper": 1}]);
    }
    let events = read(&[json!({"headers": wide, "body": deep})]);
    assert!(events[0].headers.len() <= 40 && events[0].body.len() <= 40, "{events:?}");
}

#[test]
fn control_characters_of_an_event_reach_no_terminal() {
    let events = read(&[json!({"id": "a\u{1b}[2Jb", "createdDate": "\u{9b}31m2026\u{7}"})]);
    assert_eq!((events[0].id.as_str(), events[0].created.as_str()), ("a[2Jb", "31m2026"));
}

/// The names that stand in the generated logs and are no secrets.
const NAMES: [&str; 8] =
    ["error", "Status", "title", "Authorization", "access_token", "type", "code", "inner"];

/// The values of them that may be shown.
const WORDS: [&str; 3] = ["invalid_grant", "Not found", "invalid-token"];

/// Secrets of all shapes in which tokens, keys and passwords come, and not to be taken for words.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9a-f]{32}",
        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}",
        "[A-Za-z0-9+/]{43}=",
        "eyJ[A-Za-z0-9_-]{12}[.][A-Za-z0-9_-]{20}[.][A-Za-z0-9_-]{20}",
        "[A-Za-z]{25,60}",
        "[a-z]{3,8}[0-9&;\"!@#]{1,4}[a-z]{0,4}",
        "[A-Z]{4} [0-9]{4} [a-z]{4}",
        "Bearer [a-z0-9]{20}",
    ]
    .prop_filter("it has a digit or a sign, or is longer than a word", |text| {
        text.chars().any(|letter| !letter.is_alphabetic() && !"-_ ".contains(letter)) || text.len() > 24
    })
    // Of letters and hyphens alone it would be a name like any other.
    .prop_filter("it isn't made like a name", |text| {
        text.len() > 40 || !text.chars().all(|letter| letter.is_ascii_alphabetic() || "-_".contains(letter))
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![2 => prop::sample::select(&NAMES[..]).prop_map(str::to_owned), 1 => secret()]
}

/// JSON of any shape, also JSON in a text, with secrets in every place.
fn hostile() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => secret().prop_map(Value::from),
        1 => prop::sample::select(&WORDS[..]).prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            3 => prop::collection::vec((name(), inner.clone()), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            1 => inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

proptest! {
    #[test]
    fn no_secret_comes_out_of_headers_or_body_wherever_it_stands(headers in hostile(), body in hostile()) {
        let events = read(&[json!({"id": "e1", "createdDate": "2026", "headers": headers, "body": body})]);
        for field in events[0].headers.iter().chain(&events[0].body) {
            let names = field.name.iter().flat_map(|name| name.split('.'));
            prop_assert!(names.into_iter().all(|name| NAMES.contains(&name)), "{field:?}");
            prop_assert!(field.value.iter().all(|value| WORDS.contains(&value.as_str())), "{field:?}");
        }
    }
}
