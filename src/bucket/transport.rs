//! Sends the requests that the library signs, through our own client: no redirect is followed, nothing is sent in clear
//! over a network, and of a failure nothing but its status and code goes on.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderMap;
use http_body_util::{BodyExt as _, Limited};
use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use object_store::client::{HttpRequestBody, HttpResponseBody, HttpService};
use reqwest::{Client, Url};

use super::heard::{Heard, code_in, note, region_in};
use super::{Access, BucketError};
use crate::http::{innermost, is_this_machine};

/// The most of an answer that is taken in, in bytes. The largest range asked for has 1 MiB.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

/// The most of an error's body that is searched for its code.
const LARGEST_ERROR: usize = 64 * 1024;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the giver of a machine's credentials may take to be connected to: it is next door or not at all.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(1);

/// How long nothing at all may come.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How long one request may take in all: a part of 8 MiB over a slow line.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Where AWS gives credentials over plain http, and nobody else listens: EC2, ECS, and EKS, the first and the last by IPv6,
/// too.
///
/// Source: AWS SDKs and Tools reference guide, "IMDS credential provider" and "Container credential provider".
const GIVERS: [&str; 5] =
    ["169.254.169.254", "fd00:ec2::254", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"];

/// The clients of one store.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    /// To the store, and to whoever is asked over TLS.
    store: Client,
    /// To those next door who give credentials: never through a proxy.
    next_door: Client,
    allow_insecure_http: bool,
}

/// What is said of a failure to the library, which may log it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct TransportError(&'static str);

impl Transport {
    /// Sets up the clients; nothing is connected yet.
    pub(super) fn new(access: &Access) -> Result<Self, BucketError> {
        let setup = |_| {
            BucketError::Setup(
                "the HTTP client couldn't be set up (are the system's CA certificates installed?)".to_owned(),
            )
        };
        let builder = || {
            Client::builder()
                .user_agent(concat!("stara-onboard/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .http1_only()
                .tcp_nodelay(true)
                .read_timeout(READ_TIMEOUT)
                .timeout(TIMEOUT)
        };
        let is_here = access.endpoint.as_ref().is_some_and(is_this_machine);
        let is_plain_here = is_here && access.endpoint.as_ref().is_some_and(|url| url.scheme() == "http");
        let store = builder().connect_timeout(CONNECT_TIMEOUT);
        let store = if is_here { store.no_proxy() } else { store };
        // Where TLS is never spoken, a machine without any certificates is no hindrance.
        let store = if is_plain_here {
            store.tls_certs_only([])
        } else {
            store.tls_certs_merge(access.extra_roots.certificates())
        };
        let next_door = builder().connect_timeout(CREDENTIALS_TIMEOUT).no_proxy().tls_certs_only([]);
        Ok(Self {
            store: store.build().map_err(setup)?,
            next_door: next_door.build().map_err(setup)?,
            allow_insecure_http: access.allow_insecure_http,
        })
    }

    /// Whom to send to, and whether it is about credentials.
    fn client_for(&self, url: &Url) -> Option<(&Client, bool)> {
        match url.scheme() {
            "http" if is_giver(url) => Some((&self.next_door, true)),
            "http" if is_this_machine(url) || self.allow_insecure_http => Some((&self.store, false)),
            "https" => Some((&self.store, url.host_str().is_some_and(|host| host.starts_with("sts.")))),
            _ => None,
        }
    }
}

/// Whether somebody is asked who gives this machine its credentials.
fn is_giver(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<IpAddr>().ok();
    GIVERS.iter().any(|giver| address.is_some() && giver.parse().ok() == address)
}

impl HttpConnector for Transport {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Transport {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|_| unfit("it has no address"))?;
        let method = parts.method.clone();
        let (client, is_about_credentials) = self.client_for(&url).ok_or_else(|| {
            let trouble = Some("only https is spoken, except to this machine".to_owned());
            note(Heard { trouble, ..Heard::default() });
            unfit("it would go in clear")
        })?;
        let mut sent = reqwest::Request::new(parts.method, url);
        *sent.headers_mut() = parts.headers;
        *sent.body_mut() = Some(whole(body).await?.into());
        let answer = client.execute(sent).await.map_err(|error| {
            let (kind, trouble) = trouble_of(&error);
            note(Heard { trouble: Some(trouble), is_about_credentials, ..Heard::default() });
            HttpError::new(kind, TransportError("no answer came"))
        })?;
        let status = answer.status();
        tracing::debug!(%method, status = status.as_u16(), "object store");
        let (parts, body) = http::Response::<reqwest::Body>::from(answer).into_parts();
        if status.is_success() {
            note(Heard { is_about_credentials, ..Heard::default() });
            let body = Limited::new(body, LARGEST_ANSWER).map_err(|_| {
                HttpError::new(HttpErrorKind::Interrupted, TransportError("an answer was cut off"))
            });
            return Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body)));
        }
        // The body ends here: what the library were to make of it could quote it.
        let body = Limited::new(body, LARGEST_ERROR).collect().await.map(http_body_util::Collected::to_bytes);
        note(Heard {
            status: Some(status.as_u16()),
            code: body.ok().as_deref().and_then(code_in),
            region: region_of(&parts.headers),
            trouble: None,
            is_about_credentials,
        });
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::from(Vec::new())))
    }
}

/// A request's body in one piece. Every one that is sent here has one piece already.
async fn whole(body: HttpRequestBody) -> Result<bytes::Bytes, HttpError> {
    Ok(body.collect().await?.to_bytes())
}

fn unfit(what: &'static str) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, TransportError(what))
}

/// Where the bucket lies, where that is told.
///
/// Source: Amazon S3 API reference, `HeadBucket`, response header `x-amz-bucket-region`.
fn region_of(headers: &HeaderMap) -> Option<String> {
    region_in(headers.get("x-amz-bucket-region")?.to_str().ok()?)
}

/// What kind of failure it was, and what may be told of it.
fn trouble_of(error: &reqwest::Error) -> (HttpErrorKind, String) {
    if error.is_connect() {
        // It is about names, sockets and certificates only.
        (HttpErrorKind::Connect, innermost(error))
    } else if error.is_timeout() {
        (HttpErrorKind::Timeout, "it took too long".to_owned())
    } else {
        (HttpErrorKind::Interrupted, "the connection broke".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::ExtraRoots;

    fn transport(endpoint: &str, allow_insecure_http: bool) -> Transport {
        let variable = |name: &str| (name == "AWS_ENDPOINT_URL").then(|| endpoint.into());
        let access = Access::read(variable, allow_insecure_http, ExtraRoots::default()).unwrap();
        Transport::new(&access).unwrap()
    }

    #[test]
    fn nothing_goes_in_clear_but_to_this_machine_and_to_those_who_give_credentials() {
        let transport = transport("http://127.0.0.1:1", false);
        let is_sent =
            |url: &str| transport.client_for(&url.parse().unwrap()).map(|(_, credentials)| credentials);
        assert_eq!(is_sent("http://127.0.0.1:9000/growers/g.csv"), Some(false));
        assert_eq!(is_sent("http://169.254.169.254/latest/api/token"), Some(true));
        assert_eq!(is_sent("http://[fd00:ec2::23]/v1/credentials"), Some(true));
        assert_eq!(is_sent("https://sts.sa-east-1.amazonaws.com/"), Some(true));
        assert_eq!(is_sent("https://s3.sa-east-1.amazonaws.com/growers/g.csv"), Some(false));
        for url in
            ["http://s3.example/growers/g.csv", "http://169.254.169.254.example/", "http://169.254.169.25/"]
        {
            assert_eq!(is_sent(url), None, "{url}");
        }
    }
}
