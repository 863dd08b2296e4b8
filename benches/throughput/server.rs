//! Stara and Leaf at one address, as light as can be: the four calls of a row, in the dialect `json`.
//!
//! It serves until its standard input ends, and then prints what it saw. Every answer takes the asked-for latency, by a timer.

use std::convert::Infallible;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

use crate::arguments::Serve;
use crate::certificate;
use crate::world::World;

/// Leaf's token that it takes.
pub(crate) const TOKEN: &str = "bench";

const BEARER: &str = "Bearer bench";

/// Before and after the user in the path of the calls to Leaf.
const CREDENTIALS: (&str, &str) = ("/services/usermanagement/api/users/", "/stara-credentials");

/// Serves until standard input ends; prints the port first, and what it saw last.
#[tokio::main]
pub(crate) async fn serve(asked: &Serve) {
    let world = Arc::new(World::new());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    println!("{}", listener.local_addr().expect("its address").port());
    let latency = Duration::from_millis(asked.latency);
    let acceptor = asked.certificate.as_deref().map(acceptor);
    let serving = tokio::spawn(accept(listener, acceptor, Arc::clone(&world), latency));
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    ended.await.expect("the reading thread ends").expect("standard input can be read");
    serving.abort();
    println!("{}", serde_json::to_string(&world.counts()).expect("counts are JSON"));
}

fn acceptor(directory: &Path) -> TlsAcceptor {
    TlsAcceptor::from(Arc::new(certificate::server_configuration(directory)))
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, world: Arc<World>, latency: Duration) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Else an answer may wait for the client's acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let (world, acceptor) = (Arc::clone(&world), acceptor.clone());
        tokio::spawn(async move {
            match acceptor {
                None => answer_all(stream, world, latency).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        answer_all(stream, world, latency).await;
                    }
                }
            }
        });
    }
}

async fn answer_all(stream: impl AsyncRead + AsyncWrite + Unpin, world: Arc<World>, latency: Duration) {
    let service = service_fn(|request| {
        let world = Arc::clone(&world);
        async move {
            let answer = answer(&world, request).await;
            if !latency.is_zero() {
                tokio::time::sleep(latency).await;
            }
            Ok::<_, Infallible>(answer)
        }
    });
    // A client that goes away is no matter of ours: what is missing then shows in the counts.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(world: &World, request: Request<Incoming>) -> Response<Full<Bytes>> {
    world.count_call();
    let answered = match request.uri().path() {
        "/autenticacao" => authenticate(request).await,
        "/token" => token(request).await,
        _ => credentials(world, request).await,
    };
    let (status, body) = answered.unwrap_or_else(|| {
        world.count_bad_call();
        (StatusCode::BAD_REQUEST, "{}".to_owned())
    });
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[derive(Deserialize)]
struct Login<'a> {
    login: &'a str,
    password: &'a str,
}

async fn authenticate(request: Request<Incoming>) -> Option<(StatusCode, String)> {
    let body = body_of_post(request).await?;
    let Login { login, password } = serde_json::from_slice(&body).ok()?;
    (!password.is_empty()).then(|| (StatusCode::OK, format!(r#"{{"apiKey":"key-{login}"}}"#)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AskedForTokens<'a> {
    api_key: &'a str,
}

async fn token(request: Request<Incoming>) -> Option<(StatusCode, String)> {
    let body = body_of_post(request).await?;
    let AskedForTokens { api_key } = serde_json::from_slice(&body).ok()?;
    let tokens = format!(
        r#"{{"accessToken":"access-{api_key}","accessTokenClient":"client","refreshToken":"refresh-{api_key}"}}"#
    );
    Some((StatusCode::OK, tokens))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attach<'a> {
    api_key: &'a str,
    access_token: &'a str,
    access_token_client: &'a str,
    refresh_token: &'a str,
}

impl Attach<'_> {
    /// Whether it passes on what the two calls before it answered.
    fn is_right(&self) -> bool {
        self.access_token.strip_prefix("access-") == Some(self.api_key)
            && self.refresh_token.strip_prefix("refresh-") == Some(self.api_key)
            && self.access_token_client == "client"
    }
}

async fn credentials(world: &World, request: Request<Incoming>) -> Option<(StatusCode, String)> {
    let (before, after) = CREDENTIALS;
    let user = request.uri().path().strip_prefix(before)?.strip_suffix(after)?;
    let user = Uuid::try_parse(user).ok()?;
    if request.headers().get(AUTHORIZATION)? != BEARER {
        return None;
    }
    if request.method() == Method::GET {
        let found = world.api_key(user);
        return Some(found.map_or_else(
            || (StatusCode::NOT_FOUND, r#"{"status":404}"#.to_owned()),
            |api_key| (StatusCode::OK, credential(user, &api_key)),
        ));
    }
    let body = body_of_post(request).await?;
    let attach: Attach<'_> = serde_json::from_slice(&body).ok()?;
    let is_taken = attach.is_right() && world.attach(user, attach.api_key);
    is_taken.then(|| (StatusCode::CREATED, credential(user, attach.api_key)))
}

/// A user has one credential at most, so it may go by the user's id.
fn credential(user: Uuid, api_key: &str) -> String {
    format!(
        r#"{{"id":"{user}","status":"OK","createdTime":"2026-03-01T10:00:00.000000Z","accessTokenClient":"client","refreshToken":"refresh-{api_key}","accessToken":"access-{api_key}","apiKey":"{api_key}"}}"#
    )
}

async fn body_of_post(request: Request<Incoming>) -> Option<Bytes> {
    if request.method() != Method::POST {
        return None;
    }
    Some(request.into_body().collect().await.ok()?.to_bytes())
}
