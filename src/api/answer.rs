//! Reads answers: JSON whatever the content type says, in bounds, and never echoed.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::error::{CallError, CallErrorKind};
use crate::http::{BodyError, Reply, StatusClass};
use crate::model::{Credential, Secret};

/// The longest refusal of a login that is believed to be one, in bytes. Error pages are longer.
const LONGEST_REFUSAL: usize = 4 * 1024;

/// A secret text in an answer.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct SecretText(String);

impl SecretText {
    /// The secret, unless it is empty.
    pub(super) fn into_secret(self) -> Option<Secret> {
        (!self.0.is_empty()).then(|| Secret::new(self.0))
    }
}

/// The body of a 2xx answer as JSON of this shape.
pub(super) fn read<T: DeserializeOwned>(reply: &Reply) -> Result<T, CallError> {
    if StatusClass::of(reply.status) != StatusClass::Success {
        return Err(CallError::of_status(reply));
    }
    if reply.body.as_ref().is_err_and(|error| *error == BodyError::CutOff) {
        return Err(CallError::of_reply(CallErrorKind::CutOff, reply));
    }
    parse(reply).ok_or_else(|| CallError::of_reply(CallErrorKind::Unexpected, reply))
}

/// The body as JSON of this shape, whatever the status; `None` when it isn't.
pub(super) fn parse<T: DeserializeOwned>(reply: &Reply) -> Option<T> {
    serde_json::from_slice(reply.body.as_deref().ok()?).ok()
}

/// Whether the body could be an API's refusal: whole, short, and no web page.
pub(super) fn is_short_refusal(reply: &Reply) -> bool {
    reply.body.as_ref().is_ok_and(|body| {
        let begin = body.iter().find(|byte| !byte.is_ascii_whitespace());
        body.len() <= LONGEST_REFUSAL && begin != Some(&b'<')
    })
}

/// What an answer shows of a credential: an object, from which only id and status are taken.
///
/// Fields of another type than documented count as absent, so that a null status doesn't hide a credential.
pub(super) struct CredentialAnswer(pub(super) Credential);

impl<'de> Deserialize<'de> for CredentialAnswer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(CredentialVisitor).map(Self)
    }
}

struct CredentialVisitor;

impl<'de> Visitor<'de> for CredentialVisitor {
    type Value = Credential;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a credentials object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut id, mut status) = (None, None);
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let field = match name.as_ref() {
                "id" => &mut id,
                "status" => &mut status,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if field.is_some() {
                return Err(serde::de::Error::custom("the same field twice"));
            }
            *field = Some(map.next_value::<TextOrElse>()?);
        }
        let text = |field: Option<TextOrElse>| field.and_then(|field| field.0);
        Ok(Credential::new(text(id).as_deref(), text(status).as_deref()))
    }
}

/// A text, or `None` for a value of any other type.
struct TextOrElse(Option<String>);

impl<'de> Deserialize<'de> for TextOrElse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Both variants are plain data, so nothing of a secret is kept by the attempt that fails.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Value {
            Text(String),
            Else(IgnoredAny),
        }
        Ok(Self(match Value::deserialize(deserializer)? {
            Value::Text(text) => Some(text),
            Value::Else(_) => None,
        }))
    }
}
