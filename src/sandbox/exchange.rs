//! One request and its answer: what befalls it, what it does, and how the answer is delivered.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Request, Response};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::model::Service;

use super::arrived::{Arrived, NotArrived};
use super::connection::WireSwitch;
use super::faults::{Asked, Trouble};
use super::options::SandboxOptions;
use super::record::{Place, Record};
use super::reply::Reply;
use super::reply_body::ReplyBody;
use super::world::World;
use super::{leaf, stara};

/// One of the two simulated hosts.
pub(super) struct Host {
    pub(super) service: Service,
    pub(super) world: Arc<World>,
    pub(super) options: Arc<SandboxOptions>,
    pub(super) record: Arc<Record>,
    pub(super) url: String,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
    pub(super) runtime: Handle,
}

/// Answers one request; an error closes the connection before the status.
pub(super) async fn answer(
    host: Arc<Host>,
    switch: WireSwitch,
    request: Request<Incoming>,
) -> io::Result<Response<ReplyBody>> {
    let arrived = match Arrived::read(host.service, request).await {
        Ok(arrived) => arrived,
        Err(NotArrived::TooLong) => return Ok(Reply::problem(413, "The body is too long.").into_response()),
        Err(NotArrived::ClientGone) => return Err(cut()),
    };
    let (place, trouble) = host.receive(&arrived);
    let Some(trouble) = trouble else {
        let reply = host.carry_out(place, &arrived)?;
        return host.deliver(place, reply).await;
    };
    match trouble {
        Trouble::Answer(answer) => {
            host.note_refusal(&arrived, answer.status);
            host.deliver(place, Reply::of_trouble(answer)).await
        }
        Trouble::Lockout { .. } => {
            let reply = stara::locked();
            host.note_refusal(&arrived, reply.status);
            host.deliver(place, reply).await
        }
        Trouble::AnswerAfterEffect(answer) => {
            host.carry_out(place, &arrived)?;
            host.deliver(place, Reply::of_trouble(answer)).await
        }
        Trouble::ReplyLost => {
            host.carry_out(place, &arrived)?;
            Err(cut())
        }
        Trouble::CutBeforeEffect => Err(cut()),
        Trouble::ResetBeforeEffect => {
            switch.reset();
            Err(cut())
        }
        Trouble::Hang => pending().await,
        Trouble::HangAfterEffect => {
            host.carry_out(place, &arrived)?;
            pending().await
        }
        Trouble::LateEffect(after) => {
            let _once_the_client_is_gone = LateEffect::new(host, place, arrived, after);
            pending().await
        }
        Trouble::CutThenLateEffect(after) => {
            drop(LateEffect::new(host, place, arrived, after));
            Err(cut())
        }
        Trouble::LateAnswer(after) => {
            let reply = host.carry_out(place, &arrived)?;
            tokio::time::sleep(after).await;
            host.deliver(place, reply).await
        }
        Trouble::Altered(alteration) => {
            let reply = host.carry_out(place, &arrived)?;
            host.wait_latency().await;
            let response = reply.into_altered_response(alteration, &switch);
            host.record.note_status(place, response.status().as_u16());
            Ok(response)
        }
        Trouble::Redirect(to) => host.deliver(place, Reply::redirect(&to)).await,
        Trouble::TokenRevoked => {
            host.world.bearers.revoke(arrived.bearer());
            let reply = Reply::problem(401, "The bearer token was revoked.");
            host.deliver(place, reply).await
        }
        // They were decided elsewhere: a quota as its refusal, what goes along with a call where it is carried out.
        Trouble::Quota(_)
        | Trouble::Lag { .. }
        | Trouble::Page(_)
        | Trouble::User(_)
        | Trouble::Turned(_) => {
            let reply = host.carry_out(place, &arrived)?;
            host.deliver(place, reply).await
        }
    }
}

impl Host {
    /// Records the call and asks what befalls it. A call is looked into only when somebody wants to know.
    fn receive(&self, arrived: &Arrived) -> (Place, Option<Trouble>) {
        let has_faults = self.world.faults.any();
        let login = (has_faults || self.record.is_on())
            .then(|| match self.service {
                Service::Stara => stara::login(&self.world, arrived),
                Service::Leaf => leaf::login(arrived),
            })
            .flatten();
        let place = self.record.receive(self.service, arrived, login.as_ref());
        let trouble = has_faults
            .then(|| {
                self.world.faults.decide(&Asked {
                    service: self.service,
                    call: arrived.call,
                    user: arrived.user,
                    login: login.as_ref().map(|login| login.key),
                    page: arrived.page().map(|page| page.number),
                    refusals: login.map_or(0, |login| self.world.logins().refusals(login.key)),
                })
            })
            .flatten();
        if let Some(trouble) = &trouble {
            self.record.note_fault(place, trouble.as_str());
            self.world.tell_of_change();
        }
        (place, trouble)
    }

    /// Notes that Stara refused a login by this status, which a fault chose.
    fn note_refusal(&self, arrived: &Arrived, status: u16) {
        if self.service == Service::Stara {
            stara::note_refusal(&self.world, arrived, status);
        }
    }

    /// Does what the call asks for. An error means that the answer is lost by a magic word.
    fn carry_out(&self, place: Place, arrived: &Arrived) -> io::Result<Reply> {
        let reply = match self.service {
            Service::Stara => stara::carry_out(&self.world, &self.options, arrived),
            Service::Leaf => leaf::carry_out(&self.world, &self.options, &self.url, arrived),
        };
        for fault in &reply.befallen {
            self.record.note_fault(place, fault);
        }
        if reply.effect {
            self.record.note_effect(place);
        }
        if reply.effect || !reply.befallen.is_empty() {
            // Again, for whoever waits for the record and not for the world.
            self.world.tell_of_change();
        }
        if reply.is_lost { Err(cut()) } else { Ok(reply) }
    }

    async fn deliver(&self, place: Place, reply: Reply) -> io::Result<Response<ReplyBody>> {
        self.wait_latency().await;
        self.record.note_status(place, reply.status);
        Ok(reply.into_response())
    }

    async fn wait_latency(&self) {
        if !self.options.latency.is_zero() {
            tokio::time::sleep(self.options.latency).await;
        }
    }
}

fn cut() -> io::Error {
    io::Error::other("the sandbox cuts this connection")
}

/// A call whose effect comes some time after this is dropped: hyper drops it when the client has given up.
struct LateEffect {
    host: Arc<Host>,
    place: Place,
    arrived: Option<Arrived>,
    after: Duration,
}

impl LateEffect {
    fn new(host: Arc<Host>, place: Place, arrived: Arrived, after: Duration) -> Self {
        Self { host, place, arrived: Some(arrived), after }
    }
}

impl Drop for LateEffect {
    fn drop(&mut self) {
        let Some(arrived) = self.arrived.take() else {
            return;
        };
        let (host, place, after) = (Arc::clone(&self.host), self.place, self.after);
        let effect = async move {
            tokio::select! {
                () = host.stop.cancelled() => {}
                () = tokio::time::sleep(after) => {
                    // Nobody is left to hear the answer.
                    let _unheard = host.carry_out(place, &arrived);
                }
            }
        };
        self.host.tasks.spawn_on(effect, &self.host.runtime);
    }
}
