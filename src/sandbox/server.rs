//! The running servers: two loopback ports, their connections, and their end.

use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::model::Service;

use super::connection::serve;
use super::exchange::Host;
use super::options::SandboxOptions;
use super::record::{Record, SeenCall};
use super::world::World;

/// How long accepting pauses when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The simulated Stara and Leaf, serving until they are stopped or dropped.
#[must_use = "the services stop when this is dropped"]
pub struct Sandbox {
    stara_url: String,
    leaf_url: String,
    world: Arc<World>,
    record: Arc<Record>,
    tasks: TaskTracker,
    stop: DropGuard,
}

impl Sandbox {
    /// Starts both services on the current Tokio runtime. They accept connections before this returns.
    ///
    /// # Errors
    ///
    /// When a port can't be listened on; the message names it.
    pub async fn start(options: SandboxOptions, world: Arc<World>) -> io::Result<Self> {
        let (stara, stara_url) = listen(Service::Stara, options.stara_port).await?;
        let (leaf, leaf_url) = listen(Service::Leaf, options.leaf_port).await?;
        let record = Arc::new(Record::new(options.record, options.record_to.clone()));
        let options = Arc::new(options);
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        for (service, listener, url) in
            [(Service::Stara, stara, &stara_url), (Service::Leaf, leaf, &leaf_url)]
        {
            let host = Arc::new(Host {
                service,
                world: Arc::clone(&world),
                options: Arc::clone(&options),
                record: Arc::clone(&record),
                url: url.clone(),
                tasks: tasks.clone(),
                stop: stop.clone(),
                runtime: Handle::current(),
            });
            tasks.spawn(accept(listener, host));
        }
        Ok(Self { stara_url, leaf_url, world, record, tasks, stop: stop.drop_guard() })
    }

    /// The simulated Stara's URL, `http://127.0.0.1:port`.
    #[must_use]
    pub fn stara_url(&self) -> &str {
        &self.stara_url
    }

    /// The simulated Leaf's URL, `http://127.0.0.1:port`.
    #[must_use]
    pub fn leaf_url(&self) -> &str {
        &self.leaf_url
    }

    /// The world that both services share.
    #[must_use]
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Every call received so far, in the order of receipt; empty unless [`SandboxOptions::record`] is set.
    #[must_use]
    pub fn seen(&self) -> Vec<SeenCall> {
        self.record.seen()
    }

    /// Why the file of [`SandboxOptions::record_to`] could no longer be written, if it couldn't.
    #[must_use]
    pub fn record_failure(&self) -> Option<io::Error> {
        self.record.failure()
    }

    /// Stops both services: every connection is cut, effects still to come are dropped, and the ports are free.
    pub async fn stop(self) {
        let Self { tasks, stop, .. } = self;
        drop(stop);
        tasks.close();
        tasks.wait().await;
    }
}

async fn listen(service: Service, port: u16) -> io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
        let message = format!("the simulated {service} can't listen on 127.0.0.1:{port}: {error}");
        io::Error::new(error.kind(), message)
    })?;
    let url = format!("http://{}", listener.local_addr()?);
    Ok((listener, url))
}

async fn accept(listener: TcpListener, host: Arc<Host>) {
    loop {
        let accepted = tokio::select! {
            () = host.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Without it an answer in two writes waits for the client's acknowledgement, 40 ms on Linux.
        let _unsupported = stream.set_nodelay(true);
        let connection = serve(stream, Arc::clone(&host));
        let stop = host.stop.clone();
        host.tasks.spawn(until_stopped(stop, connection));
    }
}

async fn until_stopped(stop: CancellationToken, connection: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = connection => {}
    }
}
