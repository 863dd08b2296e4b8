//! Leaf's log of a credential, of which nothing is taken that could be a secret.

use reqwest::Method;
use serde_json::Value;

use super::answer;
use super::error::CallError;
use super::leaf::{LeafApi, credentials_path};
use crate::http::Reply;
use crate::model::{LeafUserId, Secret};

/// The longest id or date taken of an event, in characters.
const LONGEST_TEXT: usize = 64;

/// The most fields taken of an event's headers, and as many of its body.
const MOST_FIELDS: usize = 40;

/// The longest name of a field, and the longest value, in characters.
const LONGEST_NAME: usize = 40;

/// How deep objects within objects are looked into.
const DEEPEST: usize = 4;

/// The fields whose value is shown, where it is one of [`WORDS`].
const TELLING: [&str; 5] = ["error", "code", "status", "type", "title"];

/// The values that are shown. A password may be a plain word, so that nothing else comes out.
///
/// Sources: RFC 6749, sections 4.1.2.1 and 5.2, and RFC 6750, section 3.1 (errors of OAuth 2.0); RFC 9110, section 15
/// (reason phrases of HTTP).
const WORDS: [&str; 30] = [
    "access_denied",
    "insufficient_scope",
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "invalid_token",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
    "OK",
    "Created",
    "Accepted",
    "No Content",
    "Bad Request",
    "Unauthorized",
    "Forbidden",
    "Not Found",
    "Method Not Allowed",
    "Not Acceptable",
    "Request Timeout",
    "Conflict",
    "Gone",
    "Too Many Requests",
    "Internal Server Error",
    "Bad Gateway",
    "Service Unavailable",
    "Gateway Timeout",
];

/// One entry of Leaf's log of a credential. Of its headers and its body, which can hold secrets, only the names of fields
/// are taken, and few values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CredentialEvent {
    /// The event's id, or an empty text.
    pub id: String,
    /// When it was written, in Leaf's words.
    pub created: String,
    /// The HTTP status that the event is about.
    pub status_code: Option<i64>,
    /// The fields of its headers.
    pub headers: Vec<EventField>,
    /// The fields of its body.
    pub body: Vec<EventField>,
}

/// A field of an event's headers or body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventField {
    /// Its name, with those of the objects around it before it, like `error.code`; `None` where it isn't made of letters, `_`
    /// and `-`, or is no field but a bare value.
    pub name: Option<String>,
    /// Its value, where it is one of the few that are shown: a known error under a telling name.
    pub value: Option<String>,
}

impl LeafApi {
    /// `GET …/stara-credentials/events`: Leaf's log of the credential, which is lost with it.
    ///
    /// # Errors
    ///
    /// What the status means; no log at all (404) is an empty one.
    pub async fn events(&self, token: &Secret, id: LeafUserId) -> Result<Vec<CredentialEvent>, CallError> {
        let request = self.http.request(Method::GET, &format!("{}/events", credentials_path(id)));
        Self::read_events(&self.authorized("events", request, token).await?)
    }

    /// What an answer to a look at a credential's log means.
    ///
    /// # Errors
    ///
    /// As [`LeafApi::events`].
    pub fn read_events(reply: &Reply) -> Result<Vec<CredentialEvent>, CallError> {
        if reply.status == 404 {
            return Ok(Vec::new());
        }
        let events: Vec<Value> = answer::read(reply)?;
        Ok(events.iter().map(read_event).collect())
    }
}

fn read_event(event: &Value) -> CredentialEvent {
    let text = |field: &str| printable(event.get(field).and_then(Value::as_str).unwrap_or_default());
    CredentialEvent {
        id: text("id"),
        created: text("createdDate"),
        status_code: event.get("statusCode").and_then(Value::as_i64),
        headers: fields_of(event.get("headers")),
        body: fields_of(event.get("body")),
    }
}

fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(LONGEST_TEXT).collect()
}

/// The fields of headers or of a body, which may itself be JSON in a text.
fn fields_of(value: Option<&Value>) -> Vec<EventField> {
    let mut fields = Vec::new();
    match value {
        None | Some(Value::Null) => {}
        Some(Value::String(text)) => match serde_json::from_str::<Value>(text) {
            Ok(parsed @ (Value::Object(_) | Value::Array(_))) => collect(&parsed, Some(""), 0, &mut fields),
            _ => fields.push(EventField { name: None, value: None }),
        },
        Some(value) => collect(value, Some(""), 0, &mut fields),
    }
    fields.truncate(MOST_FIELDS);
    fields
}

/// Collects the fields of a value that stands under this name: none at the outside, and `None` where it isn't shown.
fn collect(value: &Value, name: Option<&str>, depth: usize, fields: &mut Vec<EventField>) {
    if fields.len() >= MOST_FIELDS {
        return;
    }
    match value {
        Value::Object(object) if depth < DEEPEST && !object.is_empty() => {
            for (key, value) in object {
                let inner = name.zip(plain_name(key)).map(|(outer, key)| match outer {
                    "" => key.to_owned(),
                    outer => format!("{outer}.{key}"),
                });
                collect(value, inner.as_deref(), depth + 1, fields);
            }
        }
        Value::Array(items) if depth < DEEPEST && !items.is_empty() => {
            for item in items {
                collect(item, name, depth + 1, fields);
            }
        }
        value => {
            let name = name.filter(|name| !name.is_empty());
            let last = name.and_then(|name| name.rsplit('.').next()).unwrap_or_default();
            let is_telling = TELLING.iter().any(|telling| telling.eq_ignore_ascii_case(last));
            let value = value.as_str().filter(|text| is_telling && is_known(text)).map(str::to_owned);
            fields.push(EventField { name: name.map(str::to_owned), value });
        }
    }
}

/// A field's name, if it is made like one: digits and other signs may belong to a token that stands in its place.
fn plain_name(name: &str) -> Option<&str> {
    let is_plain = |letter: char| letter.is_ascii_alphabetic() || "-_".contains(letter);
    (!name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(is_plain)).then_some(name)
}

/// Whether a value is one of the words, without regard to case and to what stands between two of them.
fn is_known(text: &str) -> bool {
    let letters = |text: &str| {
        let letters = text.chars().filter(char::is_ascii_alphabetic);
        letters.map(|letter| letter.to_ascii_lowercase()).collect::<String>()
    };
    let is_made_of_words = text.chars().all(|letter| letter.is_ascii_alphabetic() || "_- ".contains(letter));
    let text = if is_made_of_words { letters(text) } else { return false };
    WORDS.iter().any(|word| letters(word) == text)
}
