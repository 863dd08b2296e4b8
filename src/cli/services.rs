//! From flags, environment and files to the two services, the same for every verb that talks to them.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::exit_code::ExitCode;
use super::failure::Failure;
use super::roots;
use crate::http::{ExtraRoots, Rate};
use crate::model::{Secret, Shard};
use crate::onboarding::rehearsal::{rehearsal_account, rehearsal_secret};
use crate::pipeline::Services;
use crate::settings::{Environment, RateFlags, SettingsError, TargetFlags, is_sendable, resolve_services};

/// The most of a token's file that is read, in bytes. A token has a few kilobytes at most.
const LARGEST_TOKEN_FILE: u64 = 64 * 1024;

/// Everything that decides where the services are, but for the URLs of a rehearsal.
pub(super) struct ServiceSettings<'a> {
    target: TargetFlags,
    rates: &'a RateFlags,
    shard: Option<Shard>,
    pub(super) environment: Environment,
    extra_roots: ExtraRoots,
    is_rehearsal: bool,
}

impl<'a> ServiceSettings<'a> {
    /// Reads what the flags name.
    ///
    /// # Errors
    ///
    /// When a file that they name can't be used.
    pub(super) fn read(
        target: &TargetFlags,
        rates: &'a RateFlags,
        shard: Option<Shard>,
        is_rehearsal: bool,
    ) -> Result<Self, Failure> {
        let mut target = target.clone();
        let environment = if is_rehearsal {
            target.leaf_token_file = None;
            // Until the ports are known: the real hosts would ask for certificates that a rehearsal has no use for.
            for url in [&mut target.stara_url, &mut target.leaf_url] {
                "http://localhost".clone_into(url);
            }
            // The real token is no business of a rehearsal.
            Environment {
                leaf_token: Some(rehearsal_secret()),
                leaf_account: Some(rehearsal_account()),
                ..Environment::default()
            }
        } else {
            Environment::read(|name| std::env::var_os(name))
        };
        if let Some(path) = &target.leaf_token_file {
            read_token_file(path)?;
        }
        let extra_roots = target.ca_cert.as_deref().map_or_else(|| Ok(ExtraRoots::default()), roots::read)?;
        Ok(Self { target, rates, shard, environment, extra_roots, is_rehearsal })
    }

    /// Lets a rehearsal speak to the services at these URLs.
    pub(super) fn rehearse_at(&mut self, stara: &str, leaf: &str) {
        stara.clone_into(&mut self.target.stara_url);
        leaf.clone_into(&mut self.target.leaf_url);
    }

    /// The services.
    ///
    /// # Errors
    ///
    /// When a host can't be spoken to, or there is no token for Leaf.
    pub(super) fn services(&self) -> Result<Services, Failure> {
        let default_rate = if self.is_rehearsal { Rate::Unlimited } else { Rate::AUTO };
        let mut services = resolve_services(
            &self.target,
            self.rates,
            self.shard,
            &self.environment,
            &self.extra_roots,
            default_rate,
        )
        .map_err(|error| as_held(error, &self.target))?;
        if self.is_rehearsal {
            "in the sandbox".clone_into(&mut services.account);
        }
        Ok(services)
    }
}

/// The failure, which tells of a URL as the variable's that holds it: nobody sees that one on the command line.
pub(super) fn as_held(error: SettingsError, target: &TargetFlags) -> Failure {
    let variable_of = |flag: &str| {
        let (variable, value) = match flag {
            "--stara-url" => ("STARA_URL", &target.stara_url),
            "--leaf-url" => ("LEAF_URL", &target.leaf_url),
            _ => return None,
        };
        let is_it = std::env::var_os(variable).is_some_and(|set| set.as_os_str() == value.as_str());
        is_it.then_some(variable)
    };
    let (error, variable) = match error {
        SettingsError::BadUrl { flag } => {
            let variable = variable_of(flag);
            (SettingsError::BadUrl { flag: variable.unwrap_or(flag) }, variable)
        }
        SettingsError::Client { flag, source } => {
            let variable = variable_of(flag);
            (SettingsError::Client { flag: variable.unwrap_or(flag), source }, variable)
        }
        error => (error, None),
    };
    let failure = Failure::from(error);
    match variable {
        Some(variable) => {
            failure.hinting_further(&format!("it comes from the environment: correct or unset {variable}"))
        }
        None => failure,
    }
}

/// The token in a file. One that can't be read now is a mistake of the configuration, and no word of Leaf's.
///
/// # Errors
///
/// When it can't be read, or holds no token.
pub(super) fn read_token_file(path: &Path) -> Result<Secret, Failure> {
    let named = format!("there is no token for Leaf in {}", path.display());
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST_TOKEN_FILE).read_to_string(&mut text));
    let error = match read.map(|_| text) {
        Ok(text) if text.trim().is_empty() => anyhow::anyhow!("{named}: it is empty"),
        Ok(text) if !is_sendable(&Secret::new(text.trim().to_owned())) => {
            anyhow::anyhow!("{named}: it holds more than one line, or characters that no token has")
        }
        Ok(text) => return Ok(Secret::new(text.trim().to_owned())),
        Err(source) => anyhow::Error::new(source).context(named),
    };
    Err(Failure::new(
        ExitCode::Usage,
        error,
        "nothing was sent; name a file that holds the token with --leaf-token-file",
    ))
}
