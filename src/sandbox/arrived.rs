//! A request that has arrived whole.

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Request, Uri};

use crate::model::{Dialect, LeafUserId, Service};

use super::call::{CallKind, route};
use super::list_page::ListPage;

/// The longest body that is read, in bytes; four tokens and their names are far shorter.
const LONGEST_BODY: usize = 64 * 1024;

/// A request with its whole body.
pub(super) struct Arrived {
    pub(super) call: CallKind,
    /// The Leaf user that the path names.
    pub(super) user: Option<LeafUserId>,
    pub(super) body: Bytes,
    uri: Uri,
    content_type: Option<HeaderValue>,
    authorization: Option<HeaderValue>,
}

/// Why a request didn't arrive.
pub(super) enum NotArrived {
    /// Its body is too long.
    TooLong,
    /// The client went away before the end.
    ClientGone,
}

impl Arrived {
    pub(super) async fn read(service: Service, request: Request<Incoming>) -> Result<Self, NotArrived> {
        let (mut head, body) = request.into_parts();
        let (call, user) = route(service, &head.method, head.uri.path());
        let body = if body.is_end_stream() {
            Bytes::new()
        } else {
            match Limited::new(body, LONGEST_BODY).collect().await {
                Ok(whole) => whole.to_bytes(),
                Err(error) if error.is::<LengthLimitError>() => return Err(NotArrived::TooLong),
                Err(_) => return Err(NotArrived::ClientGone),
            }
        };
        Ok(Self {
            call,
            user,
            body,
            uri: head.uri,
            content_type: head.headers.remove(CONTENT_TYPE),
            authorization: head.headers.remove(AUTHORIZATION),
        })
    }

    /// The dialect that the content type tells.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        let text = self.content_type.as_ref()?.to_str().ok()?;
        let media_type = text.split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case("application/json") {
            Some(Dialect::Json)
        } else if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Some(Dialect::Form)
        } else {
            None
        }
    }

    /// The bearer token; empty when there is none.
    pub(super) fn bearer(&self) -> &str {
        let text = self.authorization.as_ref().and_then(|value| value.to_str().ok());
        let (scheme, token) = text.and_then(|text| text.split_once(' ')).unwrap_or_default();
        if scheme.eq_ignore_ascii_case("bearer") { token.trim() } else { "" }
    }

    /// The page of the list of users that it asks for, if that is what it does.
    pub(super) fn page(&self) -> Option<ListPage> {
        (self.call == CallKind::ListUsers)
            .then(|| ListPage::of_parameters(self.query("page").as_deref(), self.query("size").as_deref()))
    }

    /// The value of a parameter of the query.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        let pairs = url::form_urlencoded::parse(self.uri.query()?.as_bytes());
        let mut of_name = pairs.filter(|(key, _)| key == name);
        of_name.next().map(|(_, value)| value.into_owned())
    }
}
