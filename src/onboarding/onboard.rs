//! What is asked for.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::event::Event;
use super::manifest::Manifest;
use super::run::Run;
use super::services::Services;
use super::stop::StopHandle;
use super::teller::Teller;
use crate::model::LeafUserId;
use crate::settings::SelectionFlags;

/// An onboarding: which manifest, at which services, remembered in which ledger.
///
/// The ledger is a file that belongs to one pair of services and remembers every grower: what is done costs no call again, a login that
/// was refused isn't sent again, and a run that was stopped or killed is resumed by the same onboarding, without attaching anybody
/// twice. It is made where there is none, with a key beside it (`ledger.key`), and must lie on a local disk. One run at a time holds it.
///
/// ```
/// use stara_onboard::{Ending, Event, Manifest, Onboarding, Services};
///
/// # let folder = tempfile::tempdir()?;
/// # let ledger = folder.path().join("ledger.db");
/// let file = "leafUserId,login,password\n\
///             2e416788-f5ec-42ed-8108-847512e1bc76,elaine@produtor.example,trator-9990\n";
/// let manifest = Manifest::from_bytes("growers.csv", file.as_bytes().to_vec());
/// let run = Onboarding::new(manifest, Services::sandbox(), ledger).run(|event| {
///     if let Event::RowEnded { line, code, .. } = event {
///         println!("line {line}: {code}");
///     }
/// });
/// let finished = run.wait()?; // or run.await
/// assert_eq!(finished.ending(), Ending::Done);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is done before run is called"]
pub struct Onboarding {
    pub(super) manifest: Manifest,
    pub(super) services: Services,
    pub(super) ledger: PathBuf,
    pub(super) stop: StopHandle,
    pub(super) choices: Choices,
}

/// What may be chosen, and needn't.
#[derive(Debug, Default)]
pub(super) struct Choices {
    pub(super) limit: Option<u64>,
    pub(super) only: Vec<LeafUserId>,
    pub(super) retry_failed: bool,
    pub(super) retry_rejected: bool,
    pub(super) settle: Option<Duration>,
    pub(super) is_strict: bool,
}

impl Choices {
    /// Which rows are wanted, in the words of the flags.
    pub(super) fn selection(&self) -> SelectionFlags {
        SelectionFlags {
            limit: self.limit,
            only: self.only.clone(),
            retry_failed: self.retry_failed,
            retry_rejected: self.retry_rejected,
        }
    }
}

impl Onboarding {
    /// An onboarding of everybody in the manifest who isn't done yet. Nothing is read or sent before it is [run](Self::run).
    pub fn new(manifest: Manifest, services: Services, ledger: impl Into<PathBuf>) -> Self {
        let (stop, choices) = (StopHandle::new(), Choices::default());
        Self { manifest, services, ledger: ledger.into(), stop, choices }
    }

    /// Carries out at most so many rows.
    pub fn limit(mut self, rows: u64) -> Self {
        self.choices.limit = Some(rows);
        self
    }

    /// Carries out only these users' rows. All of them must be in the manifest.
    ///
    /// ```no_run
    /// # use stara_onboard::{Manifest, Onboarding, Services};
    /// # let manifest = Manifest::open("growers.csv")?;
    /// let one = "2e416788-f5ec-42ed-8108-847512e1bc76".parse()?;
    /// let finished = Onboarding::new(manifest, Services::sandbox(), "ledger.db").only([one]).run(|_| {}).wait()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn only(mut self, users: impl IntoIterator<Item = LeafUserId>) -> Self {
        self.choices.only.extend(users);
        self
    }

    /// Tries again what Leaf refused; never a refused login.
    pub fn retry_failed(mut self) -> Self {
        self.choices.retry_failed = true;
        self
    }

    /// Sends refused logins again, though the grower may be locked out by it.
    pub fn retry_rejected(mut self) -> Self {
        self.choices.retry_rejected = true;
        self
    }

    /// How old an attach with a lost reply must be before it counts as not having happened; two minutes unless it is given, and five
    /// seconds in a sandbox. Less than what a request may take to arrive attaches growers twice.
    pub fn settle(mut self, age: Duration) -> Self {
        self.choices.settle = Some(age);
        self
    }

    /// Refuses the manifest when any of its lines is no row. Else one in ten may be, and twenty at least.
    pub fn strict(mut self) -> Self {
        self.choices.is_strict = true;
        self
    }

    /// What stops the run, to be taken before it begins.
    #[must_use]
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Begins, on a thread of its own, and tells `listener` one event after another while it goes.
    ///
    /// `listener` is called on the threads that carry rows: it must return soon. It may stop the run. Should it panic, it is told
    /// nothing more, the run stops as by [`StopHandle::stop`], and ends with an error.
    pub fn run(self, listener: impl FnMut(Event) + Send + 'static) -> Run {
        let stop = self.stop.clone();
        let stopping = stop.clone();
        let teller = Arc::new(Teller::new(listener, move || stopping.stop()));
        stop.tell(&teller);
        Run::begin(self, stop, teller)
    }
}
