//! Where growers are onboarded, and how those services may be asked.

use std::path::{Path, PathBuf};

use super::error::{Error, ErrorKind};
use super::rehearsal::{rehearsal_account, rehearsal_secret};
use crate::api::LeafAccount;
use crate::http::{ExtraRoots, Rate};
use crate::model::{Dialect, Secret};
use crate::pipeline;
use crate::sandbox::Profile;
use crate::settings::{
    DEFAULT_LEAF_URL, DEFAULT_STARA_URL, Environment, RateFlags, TargetFlags, defaults, resolve_services,
};

/// The two services, and how fast they may be asked: the real ones, others of the same kind, or simulated ones inside this process.
///
/// ```
/// use stara_onboard::{LeafToken, Secret, Services};
///
/// let token = LeafToken::given(Secret::new("eyJhbGciOi…".to_owned()));
/// let services = Services::production(token).stara_rate("10/s".parse()?).leaf_rate("300/min".parse()?);
/// # Ok::<(), stara_onboard::ParseRateError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Services {
    place: Place,
    stara_rate: Option<Rate>,
    leaf_rate: Option<Rate>,
    concurrency: Option<u32>,
    /// What every row's accessTokenClient is, in the dialect `form`.
    form_client: Option<Secret>,
}

#[derive(Debug, Clone)]
enum Place {
    /// Simulated services of some kind.
    Sandbox(Profile),
    /// Real ones.
    Hosts { stara: String, leaf: String, token: LeafToken },
}

/// How Leaf knows us. `Debug` shows no secret.
///
/// ```
/// use stara_onboard::{LeafToken, Secret};
///
/// let password = Secret::new("from a vault".to_owned());
/// let token = LeafToken::of_account("ops@example.com", password);
/// assert!(!format!("{token:?}").contains("vault"));
/// ```
#[derive(Debug, Clone)]
pub struct LeafToken(TokenOrigin);

#[derive(Debug, Clone)]
enum TokenOrigin {
    Given(Secret),
    File(PathBuf),
    Account(LeafAccount),
}

impl LeafToken {
    /// A token that is there already. It isn't renewed: when Leaf refuses it the run stops, and the next one resumes.
    #[must_use]
    pub const fn given(token: Secret) -> Self {
        Self(TokenOrigin::Given(token))
    }

    /// A token in a file that somebody else keeps fresh. It is read again when Leaf refuses the one that was in it.
    #[must_use]
    pub fn in_file(path: impl Into<PathBuf>) -> Self {
        Self(TokenOrigin::File(path.into()))
    }

    /// An account, with which tokens are got from Leaf and renewed.
    #[must_use]
    pub fn of_account(username: impl Into<String>, password: Secret) -> Self {
        Self(TokenOrigin::Account(LeafAccount { username: username.into(), password }))
    }
}

impl Services {
    /// Stara's telemetry platform and Leaf's API, where real growers are. Both rates are found by themselves unless they are given.
    #[must_use]
    pub fn production(token: LeafToken) -> Self {
        Self::at(DEFAULT_STARA_URL, DEFAULT_LEAF_URL, token)
    }

    /// Services at other URLs, as `https://host`. Plain `http` is taken on this machine only.
    #[must_use]
    pub fn at(stara_url: impl Into<String>, leaf_url: impl Into<String>, token: LeafToken) -> Self {
        Self::new(Place::Hosts { stara: stara_url.into(), leaf: leaf_url.into(), token })
    }

    /// Simulated services inside this process, on loopback ports of their own, which know the manifest's growers and are all well. They
    /// live as long as the run.
    #[must_use]
    pub fn sandbox() -> Self {
        Self::new(Place::Sandbox(Profile::Clean))
    }

    /// Simulated services of a kind that `docs/REHEARSAL.md` names: `flaky`, `storm`, `lockout`, `slow`, `lost-replies` or
    /// `token-expiry`.
    ///
    /// # Errors
    ///
    /// When there is no such kind.
    ///
    /// ```
    /// use stara_onboard::Services;
    ///
    /// assert!(Services::sandbox_of_kind("lockout").is_ok());
    /// assert!(Services::sandbox_of_kind("sunshine").is_err());
    /// ```
    pub fn sandbox_of_kind(kind: &str) -> Result<Self, Error> {
        match kind.parse() {
            Ok(profile) => Ok(Self::new(Place::Sandbox(profile))),
            Err(error) => Err(Error::new(ErrorKind::Settings, format!("{kind:?} {error}"))),
        }
    }

    fn new(place: Place) -> Self {
        Self { place, stara_rate: None, leaf_rate: None, concurrency: None, form_client: None }
    }

    /// How fast Stara may be asked: your quota, from the start and never exceeded, or a way to find it.
    #[must_use]
    pub fn stara_rate(self, rate: Rate) -> Self {
        Self { stara_rate: Some(rate), ..self }
    }

    /// How fast Leaf may be asked.
    #[must_use]
    pub fn leaf_rate(self, rate: Rate) -> Self {
        Self { leaf_rate: Some(rate), ..self }
    }

    /// The most rows in flight at a time, 1 at least; 32 unless it is given.
    #[must_use]
    pub fn concurrency(self, rows: u32) -> Self {
        Self { concurrency: Some(rows.clamp(1, MOST_ROWS_IN_FLIGHT)), ..self }
    }

    /// Speaks to Stara in the dialect `form`, with this accessTokenClient for every row that has none of its own.
    #[must_use]
    pub fn form_dialect(self, access_token_client: Secret) -> Self {
        Self { form_client: Some(access_token_client), ..self }
    }

    /// Of which kind the services are, where they are simulated.
    pub(super) const fn profile(&self) -> Option<Profile> {
        match self.place {
            Place::Sandbox(profile) => Some(profile),
            Place::Hosts { .. } => None,
        }
    }

    /// What stands in for the environment, which isn't read.
    pub(super) fn secrets(&self) -> Environment {
        let mut secrets =
            Environment { access_token_client: self.form_client.clone(), ..Environment::default() };
        match &self.place {
            Place::Sandbox(_) => {
                secrets.leaf_token = Some(rehearsal_secret());
                secrets.leaf_account = Some(rehearsal_account());
            }
            Place::Hosts { token: LeafToken(TokenOrigin::Given(token)), .. } => {
                secrets.leaf_token = Some(token.clone());
            }
            Place::Hosts { token: LeafToken(TokenOrigin::Account(account)), .. } => {
                secrets.leaf_account = Some(account.clone());
            }
            Place::Hosts { token: LeafToken(TokenOrigin::File(_)), .. } => {}
        }
        secrets
    }

    /// The services as the pipeline has them; simulated ones are at the URLs of `sandbox`, once it is up.
    pub(super) fn resolve(&self, sandbox: Option<[&str; 2]>) -> Result<pipeline::Services, Error> {
        let mut target: TargetFlags = defaults().map_err(undeclared)?;
        let mut rates: RateFlags = defaults().map_err(undeclared)?;
        if self.form_client.is_some() {
            target.stara_dialect = Dialect::Form;
        }
        match &self.place {
            Place::Sandbox(_) => {
                let [stara, leaf] = sandbox.unwrap_or(["http://localhost"; 2]);
                (target.stara_url, target.leaf_url) = (stara.to_owned(), leaf.to_owned());
            }
            Place::Hosts { stara, leaf, token } => {
                (target.stara_url, target.leaf_url) = (stara.clone(), leaf.clone());
                if let LeafToken(TokenOrigin::File(path)) = token {
                    check_readable(path)?;
                    target.leaf_token_file = Some(path.clone());
                }
            }
        }
        (rates.stara_rate, rates.leaf_rate) = (self.stara_rate, self.leaf_rate);
        rates.concurrency = self.concurrency.unwrap_or(rates.concurrency);
        let default_rate = if self.profile().is_some() { Rate::Unlimited } else { Rate::AUTO };
        let roots = ExtraRoots::default();
        Ok(resolve_services(&target, &rates, None, &self.secrets(), &roots, default_rate)?)
    }
}

/// As many as the program lets be asked for.
const MOST_ROWS_IN_FLIGHT: u32 = 10_000;

/// A token's file that can't be read now is a mistake of the settings, and no word of Leaf's.
fn check_readable(path: &Path) -> Result<(), Error> {
    std::fs::File::open(path).map(drop).map_err(|source| {
        let what = format!("there is no token for Leaf in {}", path.display());
        Error::new(ErrorKind::Settings, what).caused_by(source)
    })
}

/// A flag without a default, which a test of `settings` excludes.
pub(super) fn undeclared(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Internal, format!("a setting has no default: {error}"))
}
