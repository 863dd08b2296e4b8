//! Magic links.

use std::time::Duration;

use super::server::*;
use crate::api::{CallError, CallErrorKind, LeafApi};
use crate::model::{MagicLink, UnixMillis};

const LINK: &str = "https://widgets.example/connect?t=s3cr3t";

async fn ask(answer: Vec<u8>) -> (Result<MagicLink, CallError>, String) {
    let server = Server::answering(answer);
    let link =
        LeafApi::new(server.client()).magic_link(&token(), id(), Duration::from_secs(2 * 86_400)).await;
    (link, server.request())
}

async fn asked(body: &str) -> Result<MagicLink, CallErrorKind> {
    ask(json(200, body)).await.0.map_err(|error| error.kind)
}

#[tokio::test]
async fn a_magic_link_is_asked_for_the_provider_and_its_lifetime_in_seconds() {
    let body = format!("{{\"id\":\"l1\",\"link\":\"{LINK}\",\"expiresAt\":\"2026-11-21T14:03:20.125000Z\"}}");
    let (link, request) = ask(json(201, &body)).await;
    let link = link.unwrap();
    assert_eq!(link.link.expose_secret(), LINK);
    assert_eq!(link.expires_at, UnixMillis(1_795_269_800_125));
    assert!(!format!("{link:?}").contains("s3cr3t"));
    let first = format!("post /services/widgets/api/magic-link/users/{ID}/authentication http/1.1");
    assert!(request.starts_with(&first), "{request}");
    assert!(request.contains(&format!("authorization: bearer {TOKEN}")), "{request}");
    assert!(request.ends_with("{\"provider\":\"Stara\",\"expiresIn\":172800}"), "{request}");
}

#[tokio::test]
async fn a_time_without_an_offset_is_in_utc_and_one_that_nobody_can_read_is_the_one_asked_for() {
    for (time, expected) in [
        ("\"2026-11-21T14:03:20.125\"", 1_795_269_800_125),
        ("\"2026-11-21T11:03:20.125-03:00\"", 1_795_269_800_125),
    ] {
        let link = asked(&format!("{{\"link\":\"{LINK}\",\"expiresAt\":{time}}}")).await.unwrap();
        assert_eq!(link.expires_at, UnixMillis(expected), "{time}");
    }
    for time in ["null", "\"\"", "\"tomorrow\"", "7", "{}", "[1]"] {
        let before = UnixMillis::now();
        let link = asked(&format!("{{\"link\":\"{LINK}\",\"expiresAt\":{time}}}")).await.unwrap();
        let lifetime = link.expires_at.elapsed_since(before).unwrap();
        assert!(lifetime >= Duration::from_secs(2 * 86_400), "{time}");
        assert!(lifetime < Duration::from_secs(2 * 86_400 + 600), "{time}");
    }
}

#[tokio::test]
async fn what_is_no_address_of_a_page_is_an_unexpected_answer() {
    let long = format!("https://widgets.example/{}", "x".repeat(9_000));
    let split = "https://widgets.example/ a";
    let plain = "http://widgets.example/connect";
    let script = "javascript:alert(1)";
    for link in ["", "link", "https://", split, plain, script, &long, "https://a.example/\\n=1+1"] {
        let body = format!("{{\"link\":\"{link}\"}}");
        assert_eq!(asked(&body).await.unwrap_err(), CallErrorKind::Unexpected, "{link}");
    }
    for body in ["", "{}", "{\"link\":null}", "{\"link\":7}", "[]", "<html>", "{\"link\":\"https://a"] {
        assert_eq!(asked(body).await.unwrap_err(), CallErrorKind::Unexpected, "{body}");
    }
}

#[tokio::test]
async fn a_link_of_another_user_is_never_taken() {
    let other = "0a1b2c3d-0000-4000-8000-0000000000ff";
    for named in [other, "nobody", ""] {
        let body = format!("{{\"link\":\"{LINK}\",\"leafUserId\":\"{named}\"}}");
        assert_eq!(asked(&body).await.unwrap_err(), CallErrorKind::Unexpected, "{named}");
    }
    for named in [format!("\"{ID}\""), format!("\"{}\"", ID.to_uppercase()), "null".to_owned()] {
        let body = format!("{{\"link\":\"{LINK}\",\"leafUserId\":{named}}}");
        assert!(asked(&body).await.is_ok(), "{named}");
    }
}

#[tokio::test]
async fn a_refusal_is_what_its_status_means() {
    for (status, kind) in [
        (400, CallErrorKind::Refused),
        (401, CallErrorKind::Unauthorized),
        (403, CallErrorKind::Forbidden),
        (404, CallErrorKind::NotFound),
        (500, CallErrorKind::ServerError),
    ] {
        let (link, _) = ask(json(status, &format!("{{\"link\":\"{LINK}\"}}"))).await;
        assert_eq!(link.unwrap_err().kind, kind, "{status}");
    }
}
