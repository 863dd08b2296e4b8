//! Until when a token is good, where it says so itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::model::{Secret, UnixMillis};

#[derive(Deserialize)]
struct Claims {
    exp: Option<f64>,
}

/// The claim `exp` of a JSON Web Token, which nothing vouches for: its signature isn't looked at. `None` where the text is
/// no such token, or has no such claim.
///
/// Source: RFC 7519, sections 3 and 4.1.4; RFC 7515, section 7.1.
#[must_use]
pub fn token_expiry(token: &Secret) -> Option<UnixMillis> {
    let mut parts = token.expose_secret().split('.');
    let (_header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let claims = Zeroizing::new(URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?);
    let seconds = serde_json::from_slice::<Claims>(&claims).ok()?.exp?;
    // Seconds since 1970, perhaps with a fraction. What no calendar has is no instant.
    (0.0..1e11).contains(&seconds).then(|| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the range fits, and less than a millisecond is left out"
        )]
        let millis = (seconds * 1_000.0) as i64;
        UnixMillis(millis)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expiry_of(claims: &str) -> Option<UnixMillis> {
        let token = format!("eyJhbGciOiJub25lIn0.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims));
        token_expiry(&Secret::new(token))
    }

    #[test]
    fn the_expiry_of_a_web_token_is_read_in_seconds_since_1970() {
        assert_eq!(expiry_of(r#"{"sub":"ops","exp":1795269800}"#), Some(UnixMillis(1_795_269_800_000)));
        assert_eq!(expiry_of(r#"{"exp":1795269800.5}"#), Some(UnixMillis(1_795_269_800_500)));
    }

    #[test]
    fn what_says_nothing_of_its_end_has_none() {
        for claims in
            ["{}", r#"{"exp":null}"#, r#"{"exp":"soon"}"#, r#"{"exp":-1}"#, r#"{"exp":1e300}"#, "[]", ""]
        {
            assert_eq!(expiry_of(claims), None, "{claims}");
        }
        for token in ["", "opaque", "a.b", "a.!!!.c", "a.b.c.d", "..", "é.é.é"] {
            assert_eq!(token_expiry(&Secret::new(token.to_owned())), None, "{token}");
        }
    }
}
