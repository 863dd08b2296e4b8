//! Takes requests to the world and answers back, with all that can go wrong on the way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::future::{BoxFuture, pending};
use futures::{FutureExt as _, StreamExt as _, stream};
use http_body_util::StreamBody;
use hyper::body::Frame;
use reqwest::{Body, RequestBuilder, Response};
use serde_json::Value;
use tokio::time::sleep;

use super::arrived::{Arrived, Asked};
use super::oracle::Heard;
use super::trouble::{Meanwhile, Trouble};
use super::world::{Answer, CrashPoint, Sent, World};
use crate::http::simulated::Network;
use crate::http::{SendError, Unreached};
use crate::model::Service;

/// The world, shared by everything on one thread.
pub(super) type SharedWorld = Arc<Mutex<World>>;

pub(super) fn lock(world: &SharedWorld) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the hosts are. Nothing is ever sent there.
pub(super) fn origin(host: Service) -> &'static str {
    match host {
        Service::Stara => "http://127.0.0.1:1",
        Service::Leaf => "http://127.0.0.1:2",
    }
}

/// The way to one host.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) world: SharedWorld,
    pub(super) host: Service,
}

/// A request under way: however it ends, it is over then.
struct UnderWay {
    world: SharedWorld,
    number: u32,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        lock(&self.world).is_over(self.number);
    }
}

impl Network for Wire {
    fn send(&self, request: RequestBuilder) -> BoxFuture<'static, Result<Response, SendError>> {
        let (world, host) = (Arc::clone(&self.world), self.host);
        async move {
            let request = request.build().map_err(|_| SendError::NotSent(Unreached::Other))?;
            let arrived = Arrived::read(host, &request);
            let sent = lock(&world).leave(&arrived);
            let _under_way = UnderWay { world: Arc::clone(&world), number: sent.number };
            let result = travel(&world, &arrived, &sent).await;
            let heard = match &result {
                Ok((answer, _)) => Heard::Answer {
                    status: answer.status,
                    retry_after: answer.retry_after,
                    shows_nothing: answer.shows_nothing,
                },
                Err(SendError::NotSent(_)) => Heard::NotSent,
                Err(_) => Heard::Broken,
            };
            lock(&world).heard(&arrived, &sent, heard);
            crash_at(&world, &sent, CrashPoint::Answered);
            let (answer, how) = result?;
            if arrived.asked == Asked::LeafToken && how == Delivery::Whole {
                let token = answer.body["id_token"].as_str().map(str::to_owned);
                if let Some(token) = token {
                    lock(&world).oracle.on_bearer(token);
                }
            }
            if let (Asked::MagicLink { seconds }, 200..=299, Delivery::Whole, Some(user)) =
                (&arrived.asked, answer.status, how, arrived.user)
            {
                lock(&world).on_link(user, *seconds, &answer.body);
            }
            if let (Asked::Tokens { api_key }, 200, Delivery::Whole) = (&arrived.asked, answer.status, how) {
                let mut world = lock(&world);
                let login = world.stara.login_of(api_key);
                world.oracle.on_tokens(login);
            }
            Ok(response(&answer, how))
        }
        .boxed()
    }
}

/// How much of an answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    Whole,
    CutOff,
    Endless,
    WebPage,
}

async fn travel(
    world: &SharedWorld,
    arrived: &Arrived,
    sent: &Sent,
) -> Result<(Answer, Delivery), SendError> {
    if crash_at(world, sent, CrashPoint::Leaving) || sent.trouble == Trouble::LostBefore {
        return pending().await;
    }
    sleep(sent.there).await;
    let whole = |answer| Ok((answer, Delivery::Whole));
    let status = |status, retry_after| Ok((Answer::status(status, retry_after), Delivery::Whole));
    match sent.trouble {
        Trouble::Unreachable => return Err(SendError::NotSent(Unreached::Other)),
        Trouble::BrokenBefore | Trouble::Late(Meanwhile::Break) => return Err(SendError::Broken),
        Trouble::Late(Meanwhile::Nothing) => return pending().await,
        Trouble::Late(Meanwhile::ServerError) => return status(502, None),
        Trouble::Status { status: code, processed: false } => return status(code, None),
        Trouble::SlowDown { status: code, retry_after, processed: false } => {
            return status(code, retry_after);
        }
        Trouble::Redirect => return status(307, None),
        _ => {}
    }
    let mut answer = lock(world).process(arrived, sent.number);
    if crash_at(world, sent, CrashPoint::Processed) {
        return pending().await;
    }
    if sent.trouble == Trouble::Twice {
        answer = lock(world).process(arrived, sent.number);
    }
    sleep(sent.back).await;
    let is_success = (200..300).contains(&answer.status);
    match sent.trouble {
        Trouble::LostAfter | Trouble::Again => pending().await,
        Trouble::Gone => status(404, None),
        Trouble::BrokenAfter => Err(SendError::Broken),
        Trouble::Status { status: code, .. } => status(code, None),
        Trouble::SlowDown { status: code, retry_after, .. } => status(code, retry_after),
        Trouble::CutOff => Ok((Answer { shows_nothing: answer.status == 404, ..answer }, Delivery::CutOff)),
        Trouble::EndlessBody => {
            Ok((Answer { shows_nothing: answer.status == 404, ..answer }, Delivery::Endless))
        }
        Trouble::WebPage if is_success => {
            Ok((Answer { status: 200, shows_nothing: false, ..answer }, Delivery::WebPage))
        }
        _ => whole(answer),
    }
}

/// Whether the process dies at this moment.
fn crash_at(world: &SharedWorld, sent: &Sent, point: CrashPoint) -> bool {
    let is_now = sent.crash == Some(point);
    if is_now {
        lock(world).crashed.notify_one();
    }
    is_now
}

fn response(answer: &Answer, how: Delivery) -> Response {
    let text = match (&answer.body, how) {
        (_, Delivery::WebPage) => Bytes::from_static(b"<!doctype html><title>Bem-vindo</title>"),
        (Value::Null, _) => Bytes::new(),
        (body, _) => Bytes::from(body.to_string()),
    };
    let half = text.slice(..text.len() / 2);
    let first = stream::iter([Ok(Frame::data(half))]);
    let body = match how {
        Delivery::Whole | Delivery::WebPage => Body::from(text),
        Delivery::CutOff => {
            let cut = Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof));
            Body::wrap(StreamBody::new(first.chain(stream::iter([cut]))))
        }
        Delivery::Endless => Body::wrap(StreamBody::new(first.chain(stream::pending()))),
    };
    let mut builder = hyper::Response::builder().status(answer.status);
    if let Some(seconds) = answer.retry_after {
        builder = builder.header("retry-after", seconds);
    }
    if let Some(total) = answer.total {
        builder = builder.header("x-total-count", total);
    }
    if answer.status == 307 {
        builder = builder.header("location", "http://127.0.0.1:3/elsewhere");
    }
    builder.body(body).unwrap().into()
}
