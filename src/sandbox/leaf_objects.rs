//! The objects that the simulated Leaf takes and answers, as its documentation writes them.

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::model::LeafUserId;

use super::credential::Shown;
use super::faults::UserFlaw;
use super::world::World;

/// The body of an attach: four strings, all required.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewCredential<'a> {
    #[serde(borrow)]
    pub(super) api_key: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) access_token: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) access_token_client: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) refresh_token: Cow<'a, str>,
}

impl<'a> NewCredential<'a> {
    /// Reads the body; `None` when a field is missing, empty or no string.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let read: Self = serde_json::from_slice(body).ok()?;
        let fields = [&read.api_key, &read.access_token, &read.access_token_client, &read.refresh_token];
        let is_whole = fields.into_iter().all(|field| !field.is_empty());
        is_whole.then_some(read)
    }
}

/// A Stara credential.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CredentialObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    created_time: String,
    #[serde(serialize_with = "displayed")]
    access_token_client: Arc<str>,
    refresh_token: String,
    access_token: String,
    api_key: String,
}

impl CredentialObject {
    pub(super) fn new(world: &World, shown: Shown) -> Self {
        Self {
            id: Some(shown.id.to_string()),
            access_token_client: world.client_text(&shown),
            created_time: written_time(shown.created_micros),
            status: Some(shown.status),
            refresh_token: shown.issue.refresh_token(),
            access_token: shown.issue.access_token(),
            api_key: shown.issue.login.api_key(),
        }
    }

    /// The same credential shown otherwise than it is.
    pub(super) fn flawed(mut self, flaw: UserFlaw) -> Self {
        match flaw {
            UserFlaw::WithoutStatus => self.status = None,
            UserFlaw::WithoutId => self.id = None,
            _ => {}
        }
        self
    }
}

/// A user, with the credential it holds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserObject {
    #[serde(serialize_with = "displayed")]
    id: LeafUserId,
    name: String,
    email: String,
    phone: Option<&'static str>,
    address: Option<&'static str>,
    external_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stara_credentials: Option<EmbeddedCredential>,
}

/// What stands in a user where its credential belongs.
#[derive(Serialize)]
#[serde(untagged)]
enum EmbeddedCredential {
    Whole(CredentialObject),
    Empty {},
    Null,
}

impl UserObject {
    pub(super) fn new(id: LeafUserId, credential: Option<CredentialObject>) -> Self {
        Self {
            id,
            name: name(id),
            email: email(id),
            phone: None,
            address: None,
            external_id: external_id(id),
            stara_credentials: Some(credential.map_or(EmbeddedCredential::Null, EmbeddedCredential::Whole)),
        }
    }

    /// The same user shown otherwise than it is.
    pub(super) fn flawed(mut self, flaw: UserFlaw) -> Self {
        self.stara_credentials = match (flaw, self.stara_credentials) {
            (UserFlaw::NullCredential, _) => Some(EmbeddedCredential::Null),
            (UserFlaw::EmptyCredential, _) => Some(EmbeddedCredential::Empty {}),
            (UserFlaw::MissingCredential, _) => None,
            (_, Some(EmbeddedCredential::Whole(credential))) => {
                Some(EmbeddedCredential::Whole(credential.flawed(flaw)))
            }
            (_, other) => other,
        };
        self
    }
}

/// The account that asks for a bearer token.
#[derive(Deserialize)]
pub(super) struct AccountLogin<'a> {
    #[serde(borrow)]
    pub(super) username: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) password: Cow<'a, str>,
}

/// A bearer token.
#[derive(Serialize)]
pub(super) struct BearerObject {
    pub(super) id_token: String,
}

/// The request for a magic link.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewMagicLink<'a> {
    #[serde(borrow)]
    pub(super) provider: Cow<'a, str>,
    /// Seconds.
    pub(super) expires_in: u64,
}

/// A page where the grower signs in by themselves.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MagicLinkObject {
    #[serde(serialize_with = "displayed")]
    pub(super) id: LeafUserId,
    pub(super) link: String,
    pub(super) expires_at: String,
    #[serde(serialize_with = "displayed")]
    pub(super) leaf_user_id: LeafUserId,
    pub(super) max_usage: u32,
    pub(super) usage_count: u32,
}

/// The name that the sandbox gives a user.
pub(super) fn name(id: LeafUserId) -> String {
    let mut id = id.to_string();
    id.truncate(8);
    format!("Grower {id}")
}

/// The address that the sandbox gives a user.
pub(super) fn email(id: LeafUserId) -> String {
    format!("{id}@sandbox.invalid")
}

/// The external id that the sandbox gives a user.
pub(super) fn external_id(id: LeafUserId) -> String {
    format!("external-{id}")
}

/// A time as Leaf writes it: `yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'`.
pub(super) fn written_time(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| String::new(), |at| format!("{at:.6}"))
}

fn displayed<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_six_digits_and_a_z() {
        assert_eq!(written_time(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(written_time(1_795_269_800_125_000), "2026-11-21T14:03:20.125000Z");
    }

    #[test]
    fn an_attach_needs_all_four_fields_as_strings_that_are_not_empty() {
        let whole = r#"{"apiKey":"a","accessToken":"b","accessTokenClient":"c","refreshToken":"d"}"#;
        assert!(NewCredential::read(whole.as_bytes()).is_some());
        for (old, new) in
            [(r#""apiKey":"a","#, ""), (r#""b""#, r#""""#), (r#""c""#, "1"), (r#""d""#, "null"), ("}", "")]
        {
            let spoiled = whole.replace(old, new);
            assert!(NewCredential::read(spoiled.as_bytes()).is_none(), "{spoiled}");
        }
    }
}
