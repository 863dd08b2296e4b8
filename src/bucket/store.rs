//! One bucket, on a thread of its own.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use object_store::aws::AmazonS3;
use object_store::{BackoffConfig, RetryConfig};
use tokio::runtime::{Builder, Runtime};

use super::heard::listen;
use super::transport::Transport;
use super::{Access, BucketError};

/// How often a request is sent again after a failure that may pass.
const MOST_RETRIES: usize = 5;

/// For how long after the first time.
const RETRY_TIMEOUT: Duration = Duration::from_secs(60);

/// One bucket of a store. Cheap to clone.
#[derive(Clone)]
pub struct Bucket {
    pub(super) store: Arc<AmazonS3>,
    worker: Arc<Worker>,
}

impl Bucket {
    /// Sets up everything to speak to a bucket; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When the settings make no sense together, or the HTTP client can't be set up.
    pub fn new(name: &str, access: &Access) -> Result<Self, BucketError> {
        let retry = RetryConfig {
            backoff: BackoffConfig { max_backoff: Duration::from_secs(5), ..BackoffConfig::default() },
            max_retries: MOST_RETRIES,
            retry_timeout: RETRY_TIMEOUT,
        };
        let builder = access.builder(name).with_retry(retry).with_http_connector(Transport::new(access)?);
        // What it says may quote a variable's value.
        let store = builder.build().map_err(|_| {
            BucketError::Setup("a variable AWS_… has a value that can't be understood".to_owned())
        })?;
        Ok(Self { store: Arc::new(store), worker: Arc::new(Worker::start()?) })
    }

    /// Begins a call; its answer comes through the channel as `told` makes of it.
    pub(super) fn begin<T: Send + 'static, U: Send + 'static>(
        &self,
        call: impl Future<Output = object_store::Result<T>> + Send + 'static,
        told: impl FnOnce(Result<T, BucketError>) -> U + Send + 'static,
    ) -> Receiver<U> {
        let (sender, receiver) = sync_channel(1);
        self.worker.spawn(async move {
            let (answer, heard) = listen(call).await;
            // Whoever asked may have gone.
            let _ = sender.send(told(answer.map_err(|error| BucketError::new(&error, heard))));
        });
        receiver
    }

    /// Makes a call, and waits for its answer.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        call: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> Result<T, BucketError> {
        received(self.begin(call, |answer| answer).recv())
    }
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Bucket")
    }
}

/// An answer, or that nobody is left to give one.
pub(super) fn received<T, E>(answer: Result<Result<T, BucketError>, E>) -> Result<T, BucketError> {
    answer.map_err(|_| BucketError::Unsound("never came: the call to it ended unexpectedly"))?
}

/// The thread on which a bucket is spoken to. Who waits for it may block, be it on another runtime.
struct Worker(Option<Runtime>);

impl Worker {
    fn start() -> Result<Self, BucketError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("object-store")
            .enable_io()
            .enable_time()
            .build()
            .map_err(|_| BucketError::Setup("no thread can be started for it".to_owned()))?;
        Ok(Self(Some(runtime)))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.0 {
            runtime.spawn(task);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Whoever drops it may be on a runtime, where nothing may be waited for.
            runtime.shutdown_background();
        }
    }
}
