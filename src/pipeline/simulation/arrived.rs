//! A request as it is on the wire, read without the client's own types.

use std::collections::BTreeMap;

use reqwest::header::AUTHORIZATION;
use reqwest::{Method, Request};
use serde_json::Value;

use crate::model::{LeafUserId, Service};

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// Stara's `/autenticacao`.
    Authenticate { login: String, password: String },
    /// Stara's `/token`.
    Tokens { api_key: String },
    /// Leaf's `/api/authenticate`.
    LeafToken,
    /// `GET /users`, this page.
    List { page: u64 },
    /// `GET /users/{id}`.
    User,
    /// `GET …/stara-credentials`.
    Credential,
    /// `GET …/stara-credentials/events`.
    Events,
    /// `DELETE …/stara-credentials`.
    Remove,
    /// `POST …/stara-credentials`.
    Attach { api_key: String, access_token: String },
    /// `POST /magic-link/users/{id}/authentication`, for a link that lives so long.
    MagicLink { seconds: u64 },
    /// Nothing that the services know.
    Unknown,
}

impl Asked {
    /// Whether it changes what a user holds.
    pub(super) fn is_write(&self) -> bool {
        matches!(self, Self::Attach { .. } | Self::Remove)
    }
}

/// A request on the wire.
#[derive(Debug, Clone)]
pub(super) struct Arrived {
    pub(super) host: Service,
    pub(super) origin: String,
    pub(super) asked: Asked,
    pub(super) user: Option<LeafUserId>,
    pub(super) bearer: Option<String>,
}

impl Arrived {
    /// Reads a request that was sent to `host`.
    pub(super) fn read(host: Service, request: &Request) -> Self {
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let bearer = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let parts: Vec<&str> = request.url().path().trim_start_matches('/').split('/').collect();
        let fields = fields(body);
        let field =
            |names: &[&str]| names.iter().find_map(|name| fields.get(*name)).cloned().unwrap_or_default();
        let user = |text: &&str| text.parse().ok();
        let users = ["services", "usermanagement", "api", "users"];
        let (asked, user) = match (host, request.method(), parts.as_slice()) {
            (Service::Stara, &Method::POST, ["autenticacao"]) => {
                let (login, password) = (field(&["login", "user"]), field(&["password", "pwd"]));
                (Asked::Authenticate { login, password }, None)
            }
            (Service::Stara, &Method::POST, ["token"]) => {
                (Asked::Tokens { api_key: field(&["apiKey"]) }, None)
            }
            (Service::Leaf, &Method::POST, ["api", "authenticate"]) => (Asked::LeafToken, None),
            (Service::Leaf, &Method::GET, [a, b, c, d]) if [*a, *b, *c, *d] == users => {
                let mut query = request.url().query_pairs();
                let page =
                    query.find_map(|(name, value)| if name == "page" { value.parse().ok() } else { None });
                (Asked::List { page: page.unwrap_or_default() }, None)
            }
            (Service::Leaf, method, [a, b, c, d, id, rest @ ..]) if [*a, *b, *c, *d] == users => {
                let asked = match (method, rest) {
                    (&Method::GET, []) => Asked::User,
                    (&Method::GET, ["stara-credentials"]) => Asked::Credential,
                    (&Method::GET, ["stara-credentials", "events"]) => Asked::Events,
                    (&Method::DELETE, ["stara-credentials"]) => Asked::Remove,
                    (&Method::POST, ["stara-credentials"]) => {
                        Asked::Attach { api_key: field(&["apiKey"]), access_token: field(&["accessToken"]) }
                    }
                    _ => Asked::Unknown,
                };
                (asked, user(id))
            }
            (
                Service::Leaf,
                &Method::POST,
                ["services", "widgets", "api", "magic-link", "users", id, "authentication"],
            ) => (Asked::MagicLink { seconds: field(&["expiresIn"]).parse().unwrap_or_default() }, user(id)),
            _ => (Asked::Unknown, None),
        };
        Self {
            host,
            origin: request.url().origin().ascii_serialization(),
            asked,
            user,
            bearer: bearer.and_then(|text| text.strip_prefix("Bearer ")).map(str::to_owned),
        }
    }
}

/// The fields of a JSON object, or of a form.
fn fields(body: &[u8]) -> BTreeMap<String, String> {
    if let Ok(Value::Object(object)) = serde_json::from_slice(body) {
        let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return object.into_iter().map(|(name, value)| (name, text(value))).collect();
    }
    url::form_urlencoded::parse(body).into_owned().collect()
}
