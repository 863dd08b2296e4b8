//! What was heard on the wire while one call was made: what may be told of its failure.

use std::cell::RefCell;

tokio::task_local! {
    static HEARD: RefCell<Heard>;
}

/// The last failure of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// The status, where one came.
    pub(super) status: Option<u16>,
    /// The code that S3 gives its errors.
    pub(super) code: Option<String>,
    /// The region in which the bucket lies, where the answer names one.
    pub(super) region: Option<String>,
    /// Why no status came.
    pub(super) trouble: Option<String>,
    /// Whether credentials were asked for.
    pub(super) is_about_credentials: bool,
}

/// The longest code and region that are believed, in letters. The known ones have at most 40.
const LONGEST_WORD: usize = 48;

/// Carries out a call, and tells what was heard meanwhile.
pub(super) async fn listen<T>(call: impl Future<Output = T>) -> (T, Heard) {
    HEARD
        .scope(RefCell::default(), async {
            let answer = call.await;
            (answer, HEARD.with(RefCell::take))
        })
        .await
}

/// Notes what was heard last.
pub(super) fn note(heard: Heard) {
    // Outside of a call nobody listens.
    let _ = HEARD.try_with(|last| last.replace(heard));
}

/// The code in an error's body. Nothing else of a body is ever kept.
///
/// Source: Amazon S3 API reference, "Error responses": `<Error><Code>NoSuchKey</Code>…`.
pub(super) fn code_in(body: &[u8]) -> Option<String> {
    let body = std::str::from_utf8(body).ok()?;
    let (_, rest) = body.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let is_word =
        !code.is_empty() && code.len() <= LONGEST_WORD && code.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_word.then(|| code.to_owned())
}

/// A region that an answer names, if it can be one.
pub(super) fn region_in(text: &str) -> Option<String> {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (!text.is_empty() && text.len() <= LONGEST_WORD && text.bytes().all(is_letter)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_body_only_a_code_is_kept() {
        let body = b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>AKIA123 may not</Message></Error>";
        assert_eq!(code_in(body).as_deref(), Some("AccessDenied"));
        for body in [
            &b""[..],
            b"<html>AccessDenied</html>",
            b"<Code></Code>",
            b"<Code>AKIA1234</Code>",
            b"<Code>Access\x1b[2JDenied</Code>",
            b"<Code>AccessDenied",
            b"\xff<Code>AccessDenied</Code>",
        ] {
            assert_eq!(code_in(body), None);
        }
        assert_eq!(code_in(format!("<Code>{}</Code>", "A".repeat(49)).as_bytes()), None);
        assert_eq!(region_in("sa-east-1").as_deref(), Some("sa-east-1"));
        assert_eq!(region_in("sa-east-1\u{7}"), None);
    }

    #[tokio::test]
    async fn each_call_hears_its_own() {
        let heard = |status| Heard { status: Some(status), ..Heard::default() };
        let call = |status| {
            listen(async move {
                note(heard(100));
                tokio::task::yield_now().await;
                note(heard(status));
            })
        };
        let (((), one), ((), other)) = tokio::join!(call(403), call(404));
        assert_eq!((one, other), (heard(403), heard(404)));
        note(heard(500));
        assert_eq!(listen(async {}).await.1, Heard::default());
    }
}
