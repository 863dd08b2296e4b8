//! Bodies of good answers, spoiled.

use hyper::body::Bytes;
use serde_json::Value;

/// Every string becomes a number, every number a string, and every object within the outer one a list.
pub(super) fn with_wrong_types(body: &[u8]) -> Option<Bytes> {
    fn spoil(value: Value, is_outermost: bool) -> Value {
        match value {
            Value::String(_) => Value::from(42),
            Value::Number(_) | Value::Bool(_) => Value::from("a string"),
            Value::Null => Value::Null,
            Value::Array(items) => items.into_iter().map(|item| spoil(item, true)).collect(),
            Value::Object(fields) if is_outermost => {
                let spoiled = fields.into_iter().map(|(name, field)| (name, spoil(field, false)));
                Value::Object(spoiled.collect())
            }
            Value::Object(_) => Value::Array(Vec::new()),
        }
    }
    let spoiled = spoil(serde_json::from_slice(body).ok()?, true);
    serde_json::to_vec(&spoiled).ok().map(Bytes::from)
}

/// So many lists within each other.
pub(super) fn deep(depth: usize) -> Bytes {
    ["[".repeat(depth), "]".repeat(depth)].concat().into()
}

/// The last field of the outer object holds so many lists within each other; what is no object becomes deep itself.
pub(super) fn with_deep_field(body: &[u8], depth: usize) -> Bytes {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => {
            let last = object.len().saturating_sub(1);
            let field = |(place, (name, value)): (usize, (&String, &Value))| {
                let value = if place == last { deep(depth) } else { value.to_string().into() };
                [format!("{}:", Value::from(name.as_str())).as_bytes(), &value].concat()
            };
            let fields: Vec<Vec<u8>> = object.iter().enumerate().map(field).collect();
            [b"{".as_slice(), &fields.join(&b','), b"}"].concat().into()
        }
        _ => deep(depth),
    }
}

/// Every string that is a value begins with a byte that no UTF-8 holds.
pub(super) fn with_invalid_utf8(body: &[u8]) -> Bytes {
    let mut spoiled = Vec::with_capacity(body.len() + 16);
    for (at, byte) in body.iter().enumerate() {
        spoiled.push(*byte);
        if *byte == b'"' && at > 0 && body[at - 1] == b':' {
            spoiled.push(0xff);
        }
    }
    spoiled.into()
}

/// Every field of the outer object is `null`.
pub(super) fn with_null_fields(body: &[u8]) -> Option<Bytes> {
    let Value::Object(object) = serde_json::from_slice(body).ok()? else { return None };
    let nulls: serde_json::Map<String, Value> =
        object.into_iter().map(|(name, _)| (name, Value::Null)).collect();
    serde_json::to_vec(&nulls).ok().map(Bytes::from)
}

/// Every field of the outer object stands there twice.
pub(super) fn with_duplicate_keys(body: &[u8]) -> Bytes {
    match (body.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}")), body) {
        (Some(fields), _) => [b"{".as_slice(), fields, b",", fields, b"}"].concat().into(),
        (None, body) => Bytes::copy_from_slice(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_types_keep_the_names_and_spoil_every_value() {
        let spoiled = with_wrong_types(br#"{"id":"a","count":1,"inner":{"b":"c"},"nothing":null}"#).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&spoiled).unwrap(),
            serde_json::json!({"id": 42, "count": "a string", "inner": [], "nothing": null})
        );
    }

    #[test]
    fn every_other_way_of_spoiling_does_what_it_says() {
        let body = br#"{"id":"a","status":"OK"}"#;
        assert_eq!(&deep(3)[..], b"[[[]]]");
        assert_eq!(&with_deep_field(body, 2)[..], br#"{"id":"a","status":[[]]}"#);
        assert_eq!(&with_deep_field(b"7", 2)[..], b"[[]]");
        assert_eq!(&with_invalid_utf8(body)[..], b"{\"id\":\"\xffa\",\"status\":\"\xffOK\"}");
        assert_eq!(&with_null_fields(body).unwrap()[..], br#"{"id":null,"status":null}"#);
        assert_eq!(&with_duplicate_keys(b"{\"a\":1}")[..], b"{\"a\":1,\"a\":1}");
    }
}
