//! Stops a run from outside.

use std::sync::{Arc, OnceLock, Weak};

use super::teller::Teller;
use crate::pipeline::{self, Observe, Stop, StopCause};

/// Stops a run, from any thread, also from the function that it tells events. Cheap to clone.
///
/// ```
/// use stara_onboard::{ErrorKind, Manifest, Onboarding, Services};
///
/// # let folder = tempfile::tempdir()?;
/// # let ledger = folder.path().join("ledger.db");
/// let file = "leafUserId,login,password\n\
///             2e416788-f5ec-42ed-8108-847512e1bc76,elaine@produtor.example,trator-9990\n";
/// let manifest = Manifest::from_bytes("growers.csv", file.as_bytes().to_vec());
/// let onboarding = Onboarding::new(manifest, Services::sandbox(), ledger);
/// let stop = onboarding.stop_handle();
/// stop.stop();
/// let error = onboarding.run(|_| {}).wait().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Stopped);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct StopHandle {
    stop: Stop,
    /// Weak, because the teller stops the run in its turn.
    teller: Arc<OnceLock<Weak<Teller>>>,
}

impl StopHandle {
    pub(super) fn new() -> Self {
        Self { stop: Stop::default(), teller: Arc::default() }
    }

    /// Starts no new row. Rows under way are brought to their end, and the run ends with what was reached; the same onboarding
    /// resumes it.
    ///
    /// A row that waits until a lost reply can be judged may take minutes; whoever can't wait for it calls
    /// [`stop_now`](Self::stop_now).
    pub fn stop(&self) {
        match self.teller.get().and_then(Weak::upgrade) {
            Some(teller) => self.stop.drain(StopCause::Requested, &*teller),
            None => self.stop.drain(StopCause::Requested, &Nobody),
        }
    }

    /// Ends everything at once. The ledger stays true: what was under way is looked at first by the next run.
    pub fn stop_now(&self) {
        self.stop();
        self.stop.abort();
    }

    /// From here on `teller` is told of it.
    pub(super) fn tell(&self, teller: &Arc<Teller>) {
        // A run is begun once.
        _ = self.teller.set(Arc::downgrade(teller));
    }

    pub(super) fn inner(&self) -> &Stop {
        &self.stop
    }
}

impl std::fmt::Debug for StopHandle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("StopHandle")
            .field("is_stopping", &self.stop.is_draining())
            .finish_non_exhaustive()
    }
}

/// Who hears of a run that hasn't begun.
struct Nobody;

impl Observe for Nobody {
    fn observe(&self, _: &pipeline::Event) {}
}
