//! Reads answers: JSON whatever the content type says, in bounds, and never echoed.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

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

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a credentials object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut id, mut status) = (None, None);
        while let Some(name) = map.next_key::<FieldName>()? {
            let field = match name {
                FieldName::Id => &mut id,
                FieldName::Status => &mut status,
                FieldName::Other => {
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

/// The name of a field, as far as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum FieldName {
    Id,
    Status,
    #[serde(other)]
    Other,
}

/// A text, or `None` for a value of any other type.
struct TextOrElse(Option<String>);

impl<'de> Deserialize<'de> for TextOrElse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor).map(Self)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Option<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Some(text))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
        // Looked into like the field itself, so that the parser's limit of depth holds within it.
        while values.next_element::<TextOrElse>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        while fields.next_entry::<IgnoredAny, TextOrElse>()?.is_some() {}
        Ok(None)
    }
}
