//! A run under way, on a thread of its own, whatever its caller runs on.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::conduct::conduct;
use super::error::{Error, ErrorKind};
use super::finished::Finished;
use super::onboard::Onboarding;
use super::stop::StopHandle;
use super::teller::Teller;
use crate::pipeline::lane_runtime;

/// What a run comes to.
type Answer = Result<Finished, Error>;

/// A run under way. It is a future, on whichever executor, and [`wait`](Self::wait) does without one.
///
/// Dropping it ends the run at once, as [`StopHandle::stop_now`] does.
///
/// ```
/// use stara_onboard::{Manifest, Onboarding, Services};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let folder = tempfile::tempdir()?;
/// # let ledger = folder.path().join("ledger.db");
/// let file = "leafUserId,login,password\n\
///             2e416788-f5ec-42ed-8108-847512e1bc76,elaine@produtor.example,trator-9990\n";
/// let manifest = Manifest::from_bytes("growers.csv", file.as_bytes().to_vec());
/// let finished = Onboarding::new(manifest, Services::sandbox(), ledger).run(|_| {}).await?;
/// assert_eq!(finished.exit_code(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "dropping it ends the run"]
pub struct Run {
    stop: StopHandle,
    answer: oneshot::Receiver<Answer>,
    /// `None` where none could be started, and once it was waited for.
    thread: Option<JoinHandle<()>>,
}

impl Run {
    pub(super) fn begin(onboarding: Onboarding, stop: StopHandle, teller: Arc<Teller>) -> Self {
        let (sender, answer) = oneshot::channel();
        let thread = std::thread::Builder::new().name("onboarding".to_owned()).spawn(move || {
            let answered = match lane_runtime() {
                Ok(runtime) => runtime.block_on(conduct(onboarding, &teller)),
                Err(source) => {
                    Err(Error::new(ErrorKind::Internal, "the runtime can't be started").caused_by(source))
                }
            };
            // Nobody waits for it where the run was dropped.
            _ = sender.send(answered);
        });
        Self { stop, answer, thread: thread.ok() }
    }

    /// Waits on this thread for the run's end. A thread of an executor should await it instead.
    ///
    /// # Errors
    ///
    /// When there is no result: see [`ErrorKind`].
    pub fn wait(mut self) -> Result<Finished, Error> {
        // A thread that panicked has sent nothing.
        _ = self.thread.take().map(JoinHandle::join);
        self.answer.try_recv().unwrap_or_else(|_| Err(ended_unexpectedly()))
    }
}

impl Future for Run {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        Pin::new(&mut self.answer)
            .poll(context)
            .map(|answer| answer.unwrap_or_else(|_| Err(ended_unexpectedly())))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // A run that has ended can't be stopped any more.
        self.stop.stop_now();
    }
}

fn ended_unexpectedly() -> Error {
    Error::new(ErrorKind::Internal, "the thread of the onboarding couldn't be started, or ended unexpectedly")
}
