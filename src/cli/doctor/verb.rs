//! Carries `doctor` out: looks at one thing after another, and tells.

use super::arguments::DoctorArguments;
use super::canary::{Canary, Tried};
use super::check::Check;
use super::checkup::{Checkup, Telling};
use super::expiry::expected;
use super::hosts::{Knocked, knock};
use super::manifest::{self, ManifestSeen};
use super::memory::Memory;
use super::token::TokenAsked;
use super::{clock, limits, state, storage};
use crate::checkpoint::{LearnedRate, Target};
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::run::runtime;
use crate::cli::services::as_held;
use crate::cli::{logging, roots, signals};
use crate::http::{ExtraRoots, HttpClient, Rate};
use crate::model::{Secret, Service};
use crate::pipeline::Services;
use crate::settings::{Environment, resolve_client, resolve_services};
use crate::ui::LogWriter;

/// Looks at everything that a run needs, and says with which code to exit.
pub(in crate::cli) fn doctor(arguments: &DoctorArguments) -> Result<ExitCode, Failure> {
    logging::start(&arguments.output, &LogWriter::default())?;
    let checkup = runtime()?.block_on(Doctor::new(arguments).look());
    checkup.conclude();
    Ok(checkup.exit_code())
}

/// What is looked at.
struct Doctor<'a> {
    arguments: &'a DoctorArguments,
    environment: Environment,
    extra_roots: Result<ExtraRoots, Check>,
}

impl<'a> Doctor<'a> {
    fn new(arguments: &'a DoctorArguments) -> Self {
        let extra_roots =
            arguments.target.ca_cert.as_deref().map_or_else(|| Ok(ExtraRoots::default()), roots::read);
        Self {
            arguments,
            environment: Environment::read(|name| std::env::var_os(name)),
            extra_roots: extra_roots.map_err(|failure| Check::failed("certificates", failure)),
        }
    }

    async fn look(&self) -> Checkup {
        let arguments = self.arguments;
        let (stara, leaf) = (self.client(Service::Stara), self.client(Service::Leaf));
        let target = stara.as_ref().ok().zip(leaf.as_ref().ok());
        let target = target.map(|(stara, leaf)| Target::new(&stara.origin(), &leaf.origin()));
        let path = arguments.state.path(false);
        let state = state::look(&path, target.as_ref(), arguments.state.shard());
        let (knocked_stara, knocked_leaf) =
            tokio::join!(reach(Service::Stara, &stara), reach(Service::Leaf, &leaf));
        let ahead = [&knocked_stara, &knocked_leaf].map(|knocked| knocked.as_ref().ok()?.ahead);
        let is_reached =
            |knocked: &Result<Knocked, Check>| knocked.as_ref().is_ok_and(|knocked| knocked.is_reached);
        let reached_stara = stara.as_ref().ok().filter(|_| is_reached(&knocked_stara));
        let reached_leaf = leaf.as_ref().ok().filter(|_| is_reached(&knocked_leaf));
        let mut checkup = Checkup::begin(self.telling());
        checkup.add([clock::judge(ahead)]);
        checkup.add(in_steps(knocked_stara, knocked_leaf));

        let client = self.environment.access_token_client.as_ref();
        let manifest = arguments.manifest.as_deref().map(|path| manifest::look(arguments, path, client));
        let rows = manifest.as_ref().and_then(|manifest| manifest.rows);
        let token = TokenAsked {
            target: &arguments.target,
            environment: &self.environment,
            leaf: reached_leaf,
            expected: rows.and_then(|rows| self.expected(rows, &state.learned)),
        };
        checkup.add(token.look().await);
        checkup.add(state.checks);
        checkup.add([storage::kind(&path), storage::room(&path, rows)]);
        checkup.add([limits::open_files(arguments.rates.concurrency)]);
        let hosts = stara.as_ref().ok().zip(leaf.as_ref().ok());
        checkup.add(hosts.map(|hosts| self.certificates(hosts.into())));
        if let Some(mut seen) = manifest {
            checkup.add(std::mem::take(&mut seen.checks));
            if let Some(line) = arguments.canary {
                let (check, tried) = self.try_canary(line, &seen, reached_stara, target.as_ref()).await;
                checkup.add([check.about(Service::Stara)]);
                checkup.canary = Some(tried);
            }
        }
        checkup
    }

    const fn telling(&self) -> Telling {
        let arguments = self.arguments;
        if arguments.json { Telling::AsJson } else { Telling::Lines { is_quiet: arguments.output.quiet } }
    }

    fn client(&self, service: Service) -> Result<HttpClient, Check> {
        let roots = self.extra_roots.as_ref().map_err(Check::clone)?;
        resolve_client(service, &self.arguments.target, 1, roots).map_err(|error| {
            Check::failed("certificates", as_held(error, &self.arguments.target)).about(service)
        })
    }

    /// What vouches for the hosts, where both can be spoken to: without any certificate no client could be made for TLS.
    fn certificates(&self, hosts: [&HttpClient; 2]) -> Check {
        if !hosts.iter().any(|host| host.origin().starts_with("https:")) {
            return Check::skipped("certificates", "no host is spoken to over TLS");
        }
        match &self.arguments.target.ca_cert {
            // The system may have none then.
            Some(path) => Check::ok(
                "certificates",
                format!("those of {} are trusted beside the system's", path.display()),
            ),
            None => Check::ok("certificates", "the system's CA certificates are there"),
        }
    }

    /// About how long a run takes over so many rows.
    fn expected(&self, rows: u64, learned: &[LearnedRate]) -> Option<std::time::Duration> {
        let roots = self.extra_roots.as_ref().ok()?;
        // Whether there is a token doesn't matter here.
        let environment =
            Environment { leaf_token: Some(Secret::new("none".to_owned())), ..Environment::default() };
        let arguments = self.arguments;
        // Of all shards together: each of them has its part of the rows and of the quotas.
        let services: Services =
            resolve_services(&arguments.target, &arguments.rates, None, &environment, roots, Rate::AUTO)
                .ok()?;
        expected(rows, &services, learned)
    }

    async fn try_canary(
        &self,
        line: u64,
        seen: &ManifestSeen,
        stara: Option<&HttpClient>,
        target: Option<&Target>,
    ) -> (Check, Tried) {
        let not_sent = |check| (check, Tried::not_sent(line));
        if seen.rows.is_none() {
            return not_sent(Check::skipped("canary", "not sent: the manifest can't be read"));
        }
        let Some(row) = &seen.canary else {
            let advice = "name the line on which a row begins, the header's being 1";
            return not_sent(Check::problem(
                "canary",
                format!("line {line} of the manifest is no row"),
                advice,
            ));
        };
        if let Some(doubt) = &row.doubt {
            return not_sent(doubt.clone());
        }
        let Some((stara, target)) = stara.zip(target) else {
            return not_sent(Check::skipped("canary", "not sent: Stara isn't reached"));
        };
        let canary = Canary { of: row, stara, configured: self.arguments.target.stara_dialect };
        let mut signals = match signals::hold_back() {
            Ok(signals) => signals,
            Err(failure) => return not_sent(Check::failed("canary", failure)),
        };
        let state = &self.arguments.state;
        match Memory::admit(&state.path(false), target, state.shard(), row) {
            Ok(memory) => canary.send(&memory, &mut signals).await,
            Err(why) => not_sent(Check::skipped("canary", why)),
        }
    }
}

async fn reach(service: Service, client: &Result<HttpClient, Check>) -> Result<Knocked, Check> {
    match client {
        Ok(client) => Ok(knock(service, client).await),
        Err(check) => Err(check.clone()),
    }
}

/// The checks of both hosts, step by step.
fn in_steps(stara: Result<Knocked, Check>, leaf: Result<Knocked, Check>) -> Vec<Check> {
    match (stara, leaf) {
        (Ok(stara), Ok(leaf)) => {
            stara.checks.into_iter().zip(leaf.checks).flat_map(<[Check; 2]>::from).collect()
        }
        (Err(one), Err(other)) if one == other => vec![one],
        (stara, leaf) => [stara, leaf]
            .into_iter()
            .flat_map(|knocked| knocked.map_or_else(|check| vec![check], |knocked| knocked.checks.to_vec()))
            .collect(),
    }
}
