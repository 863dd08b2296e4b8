//! An answer before it is delivered: its status, its headers and the whole of its body.

use std::time::{Duration, SystemTime};

use hyper::body::Bytes;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde::Serialize;

use super::connection::WireSwitch;
use super::faults::{Alteration, Answer, Body, RetryAfter};
use super::reply_body::ReplyBody;
use super::{spoiled, wire};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

const PAGE: &str = "<!doctype html><html><head><title>Simulated page</title></head><body><h1>This is not JSON</h1></body></html>";

/// What a service answers.
pub(super) struct Reply {
    pub(super) status: u16,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    /// Whether the call changed what the services hold.
    pub(super) effect: bool,
    /// Whether the connection is to be closed instead of answering.
    pub(super) is_lost: bool,
    /// The faults that went along with the call, each once.
    pub(super) befallen: Vec<&'static str>,
}

/// The form in which Leaf is known to describe a refusal.
#[derive(Serialize)]
struct Problem<'a> {
    title: &'a str,
    status: u16,
    detail: &'a str,
}

impl Reply {
    pub(super) fn json(status: u16, value: &impl Serialize) -> Self {
        // Only a map with keys that are no strings can fail here, and there is none.
        let body = serde_json::to_vec(value).unwrap_or_default();
        Self::new(status, JSON, body.into())
    }

    pub(super) fn problem(status: u16, detail: &str) -> Self {
        let title = StatusCode::from_u16(status).ok().and_then(|code| code.canonical_reason());
        let title = title.unwrap_or("Unknown");
        Self::json(status, &Problem { title, status, detail })
    }

    pub(super) fn page(status: u16) -> Self {
        Self::new(status, HTML, Bytes::from_static(PAGE.as_bytes()))
    }

    pub(super) fn text(status: u16, text: &'static str) -> Self {
        Self::new(status, TEXT, Bytes::from_static(text.as_bytes()))
    }

    pub(super) fn empty(status: u16) -> Self {
        let body = Bytes::new();
        Self { status, headers: Vec::new(), body, effect: false, is_lost: false, befallen: Vec::new() }
    }

    pub(super) fn redirect(to: &str) -> Self {
        let mut reply = Self::empty(307);
        if let Ok(location) = HeaderValue::from_str(to) {
            reply = reply.header(LOCATION, location);
        }
        reply
    }

    /// The answer of a service in trouble.
    pub(super) fn of_trouble(answer: Answer) -> Self {
        let reply = match answer.body {
            Body::Problem => Self::problem(answer.status, "The sandbox was told to answer this."),
            Body::Html => Self::page(answer.status),
            Body::Text => Self::text(answer.status, "Serviço temporariamente indisponível"),
            Body::Empty => Self::empty(answer.status),
        };
        let Some(retry_after) = answer.retry_after else {
            return reply;
        };
        let value = match retry_after {
            RetryAfter::Seconds(seconds) => Ok(HeaderValue::from(seconds)),
            RetryAfter::DateIn(wait) => HeaderValue::from_str(&http_date_in(wait)),
        };
        match value {
            Ok(value) => reply.header(RETRY_AFTER, value),
            Err(_) => reply,
        }
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn with_effect(mut self, effect: bool) -> Self {
        self.effect = effect;
        self
    }

    pub(super) fn lost(mut self, is_lost: bool) -> Self {
        self.is_lost = is_lost;
        self
    }

    pub(super) fn befallen_by(mut self, faults: impl IntoIterator<Item = &'static str>) -> Self {
        for fault in faults {
            if !self.befallen.contains(&fault) {
                self.befallen.push(fault);
            }
        }
        self
    }

    pub(super) fn into_response(self) -> Response<ReplyBody> {
        let body = ReplyBody::whole(self.body);
        respond(self.status, self.headers, body)
    }

    /// The answer with a spoiled body.
    pub(super) fn into_altered_response(
        self,
        alteration: Alteration,
        switch: &WireSwitch,
    ) -> Response<ReplyBody> {
        let (status, headers, body) = (self.status, self.headers, self.body);
        match alteration {
            Alteration::Truncated => {
                let half = body.len() / 2;
                respond(status, headers, ReplyBody::whole(body.slice(..half)))
            }
            Alteration::Html => Self::page(status).into_response(),
            Alteration::Empty => Self::empty(200).into_response(),
            Alteration::WrongTypes => {
                let spoiled = spoiled::with_wrong_types(&body).unwrap_or(body);
                respond(status, headers, ReplyBody::whole(spoiled))
            }
            Alteration::Deep(depth) => respond(status, headers, ReplyBody::whole(spoiled::deep(depth))),
            Alteration::DeepField(depth) => {
                respond(status, headers, ReplyBody::whole(spoiled::with_deep_field(&body, depth)))
            }
            Alteration::InvalidUtf8 => {
                respond(status, headers, ReplyBody::whole(spoiled::with_invalid_utf8(&body)))
            }
            Alteration::Null => respond(status, headers, ReplyBody::whole(Bytes::from_static(b"null"))),
            Alteration::EmptyList => respond(status, headers, ReplyBody::whole(Bytes::from_static(b"[]"))),
            Alteration::NullFields => {
                let spoiled = spoiled::with_null_fields(&body).unwrap_or(body);
                respond(status, headers, ReplyBody::whole(spoiled))
            }
            Alteration::DuplicateKeys => {
                respond(status, headers, ReplyBody::whole(spoiled::with_duplicate_keys(&body)))
            }
            Alteration::Mislabelled => respond(status, vec![(CONTENT_TYPE, HTML)], ReplyBody::whole(body)),
            Alteration::CutInBody => respond(status, headers, ReplyBody::cut_in_the_middle(&body)),
            Alteration::Huge(length) => respond(status, headers, ReplyBody::huge(length)),
            Alteration::Slow(pause) => respond(status, headers, ReplyBody::slow(body, pause)),
            // What hyper writes makes way for these bytes, and its word that the connection closes is kept.
            Alteration::Wire(wire) => {
                switch.say(wire::write(wire, status, &body));
                Self::empty(status).header(CONNECTION, HeaderValue::from_static("close")).into_response()
            }
        }
    }

    fn new(status: u16, content_type: HeaderValue, body: Bytes) -> Self {
        Self { body, ..Self::empty(status) }.header(CONTENT_TYPE, content_type)
    }
}

fn respond(status: u16, headers: Vec<(HeaderName, HeaderValue)>, body: ReplyBody) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().extend(headers);
    response
}

/// An HTTP date has whole seconds only, so it is rounded up: coming back at that time is never too early.
fn http_date_in(wait: Duration) -> String {
    let at = SystemTime::now() + wait;
    let since_epoch = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let seconds = since_epoch.as_secs() + u64::from(since_epoch.subsec_nanos() > 0);
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_to_come_back_at_is_never_too_early() {
        let before = SystemTime::now();
        let date = httpdate::parse_http_date(&http_date_in(Duration::from_millis(1_500))).unwrap();
        assert!(date >= before + Duration::from_millis(1_500));
    }
}
