//! What the flags and the environment come to for the two services.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;

use super::environment::Environment;
use super::flags::{
    DEFAULT_MAX_CHANGES, Precheck, RateFlags, RowFlags, RowLimitFlags, SelectionFlags, TargetFlags,
};
use crate::http::{ClientError, ClientOptions, ExtraRoots, HttpClient, Rate, RetryPolicy};
use crate::manifest::ClientColumn;
use crate::model::{Dialect, Secret, Service, Shard};
use crate::pipeline::{
    DetachOptions, FailureLimit, Host, JourneyRules, ListUse, OnExisting, RunOptions, Services, TokenSource,
};

/// Stara's telemetry platform.
pub const DEFAULT_STARA_URL: &str = "https://v2apitelemetria.telemetriastara.com.br";

/// Leaf's API.
pub const DEFAULT_LEAF_URL: &str = "https://api.withleaf.io";

/// How old an attach or a deletion with a lost reply must be before it counts as not having happened, where nobody says.
pub const DEFAULT_SETTLE: Duration = Duration::from_secs(120);

/// How old the last attach must be before a later run may attach again what needed review.
const REVIEW_AFTER: Duration = Duration::from_secs(15 * 60);

/// What keeps the settings from making sense. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A URL isn't one.
    #[error("{flag} is no http or https URL")]
    BadUrl {
        /// The flag, or the variable that holds it.
        flag: &'static str,
    },
    /// A host can't be spoken to.
    #[error("{flag}: {source}")]
    Client {
        /// The flag, or the variable that holds its value.
        flag: &'static str,
        /// Why.
        source: ClientError,
    },
    /// There is no token for Leaf.
    #[error("there is no token for Leaf")]
    NoLeafToken,
    /// Leaf's token holds characters that no header may hold.
    #[error("the token in {origin} holds a line break or another character that no token has")]
    BadLeafToken {
        /// Where it came from.
        origin: &'static str,
    },
    /// Two flags that contradict each other.
    #[error("--precheck off doesn't look at Leaf first, so --on-existing replace has nothing to replace")]
    ReplaceWithoutLook,
    /// A limit for all shards together that leaves one of them nothing, whose rows would wait for ever.
    #[error("{flag} {whole} leaves none to shard {last}: name at least {}", last.count())]
    TooFewToDivide {
        /// The flag.
        flag: &'static str,
        /// What it allows to all of them.
        whole: u64,
        /// The last shard, which gets the least.
        last: Shard,
    },
}

/// What the flags and the environment come to for the two services; `default_rate` is that of a host whose rate nobody
/// gave. What the flags allow is divided among all shards, where this is one of them.
///
/// # Errors
///
/// When a host can't be spoken to, or there is no token for Leaf.
pub fn resolve_services(
    target: &TargetFlags,
    rates: &RateFlags,
    shard: Option<Shard>,
    environment: &Environment,
    extra_roots: &ExtraRoots,
    default_rate: Rate,
) -> Result<Services, SettingsError> {
    let (token, account) = resolve_token(target, environment)?;
    let concurrency = share_of(shard, rates.concurrency.into()).max(1);
    let concurrency = usize::try_from(concurrency).unwrap_or(usize::MAX);
    let stara = resolve_client(Service::Stara, target, concurrency, extra_roots)?;
    let (flag, leaf) = address_of(Service::Leaf, target)?;
    let leaf = stara.to_another(&leaf).map_err(|source| SettingsError::Client { flag, source })?;
    let host = |http, rate: Option<Rate>| Host { http, rate: rate.unwrap_or(default_rate) };
    Ok(Services {
        stara: host(stara, rates.stara_rate),
        leaf: host(leaf, rates.leaf_rate),
        dialect: target.stara_dialect,
        token,
        account,
        concurrency,
        shard,
        longest_hold: rates.max_hold,
        relearn: rates.relearn,
    })
}

/// A shard's share of a number that is meant for all of them together.
fn share_of(shard: Option<Shard>, whole: u64) -> u64 {
    shard.map_or(whole, |shard| shard.share_of(whole))
}

/// The most credentials that are replaced or taken away, and how many rows may fail, of a shard or of all.
///
/// Where nobody asked for less, a shard of however many may replace one.
fn shares(shard: Option<Shard>, limits: &RowLimitFlags) -> Result<(u32, FailureLimit), SettingsError> {
    let most_changes = if limits.max_changes == DEFAULT_MAX_CHANGES {
        share_of(shard, limits.max_changes.into()).max(1)
    } else {
        divided("--max-changes", shard, limits.max_changes.into())?
    };
    let failure_limit = match limits.max_failures {
        FailureLimit::Rows(rows) => FailureLimit::Rows(divided("--max-failures", shard, rows)?),
        part @ FailureLimit::Percent(_) => part,
    };
    Ok((u32::try_from(most_changes).unwrap_or(limits.max_changes), failure_limit))
}

/// A shard's share of a limit, which is none only where all of them have none. Every shard refuses a limit that doesn't do
/// for all of them, so that none begins alone.
fn divided(flag: &'static str, shard: Option<Shard>, whole: u64) -> Result<u64, SettingsError> {
    let last = shard.and_then(|shard| Shard::new(shard.count() - 1, shard.count()).ok());
    match last.filter(|last| whole > 0 && last.share_of(whole) == 0) {
        Some(last) => Err(SettingsError::TooFewToDivide { flag, whole, last }),
        None => Ok(share_of(shard, whole)),
    }
}

/// The connection pool to one of the services, of at most so many unused connections.
///
/// # Errors
///
/// When the host can't be spoken to.
pub fn resolve_client(
    service: Service,
    target: &TargetFlags,
    idle_connections: usize,
    extra_roots: &ExtraRoots,
) -> Result<HttpClient, SettingsError> {
    let (flag, base_url) = address_of(service, target)?;
    let options = ClientOptions {
        base_url,
        timeout: target.timeout,
        idle_connections,
        allow_insecure_http: target.allow_insecure_http,
        extra_roots: extra_roots.clone(),
    };
    HttpClient::new(&options).map_err(|source| SettingsError::Client { flag, source })
}

/// Where a service is, and the flag that says so.
fn address_of(service: Service, target: &TargetFlags) -> Result<(&'static str, Url), SettingsError> {
    let (flag, url) = match service {
        Service::Stara => ("--stara-url", &target.stara_url),
        Service::Leaf => ("--leaf-url", &target.leaf_url),
    };
    // What stands before a port is a scheme to a URL: `leaf.example:443`.
    let parsed = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    parsed.map(|url| (flag, url)).ok_or(SettingsError::BadUrl { flag })
}

/// What the flags and the environment come to for a run.
///
/// # Errors
///
/// When they make no sense together.
pub fn resolve_run(
    services: Services,
    rows: &RowFlags,
    selection: &SelectionFlags,
    environment: &Environment,
) -> Result<RunOptions, SettingsError> {
    if rows.precheck == Precheck::Off && rows.on_existing == OnExisting::Replace {
        return Err(SettingsError::ReplaceWithoutLook);
    }
    let looking = Looking {
        precheck: rows.precheck != Precheck::Off,
        on_existing: rows.on_existing,
        list_use: rows.precheck.list_use(),
    };
    Ok(RunOptions {
        retry_rejected: selection.retry_rejected,
        share_logins: rows.share_logins,
        ..run_options(services, looking, &rows.limits, environment)?
    })
}

/// What the flags and the environment come to for a repair: each row is looked at, and only what is ours and unhealthy is
/// replaced.
///
/// # Errors
///
/// When a limit can't be divided among all shards.
pub fn resolve_repair(
    services: Services,
    limits: &RowLimitFlags,
    environment: &Environment,
) -> Result<RunOptions, SettingsError> {
    let looking = Looking { precheck: true, on_existing: OnExisting::Repair, list_use: ListUse::Never };
    run_options(services, looking, limits, environment)
}

/// How Leaf is looked at, and what becomes of what is found.
#[derive(Clone, Copy)]
struct Looking {
    precheck: bool,
    on_existing: OnExisting,
    list_use: ListUse,
}

fn run_options(
    services: Services,
    looking: Looking,
    limits: &RowLimitFlags,
    environment: &Environment,
) -> Result<RunOptions, SettingsError> {
    let (most_changes, failure_limit) = shares(services.shard, limits)?;
    Ok(RunOptions {
        services,
        default_client: environment.access_token_client.clone(),
        rules: rules(limits, looking.precheck, looking.on_existing),
        list_use: looking.list_use,
        most_changes,
        failure_limit,
        retry_rejected: false,
        share_logins: false,
        links: None,
    })
}

/// What the flags come to for a run that takes credentials away, for good or until their rows change.
///
/// # Errors
///
/// When a limit can't be divided among all shards.
pub fn resolve_detach(
    services: Services,
    limits: &RowLimitFlags,
    include_foreign: bool,
    is_for_good: bool,
) -> Result<DetachOptions, SettingsError> {
    let (most_changes, failure_limit) = shares(services.shard, limits)?;
    Ok(DetachOptions {
        services,
        rules: rules(limits, true, OnExisting::Keep),
        include_foreign,
        is_for_good,
        most_changes,
        failure_limit,
    })
}

fn rules(limits: &RowLimitFlags, precheck: bool, on_existing: OnExisting) -> JourneyRules {
    JourneyRules {
        precheck,
        on_existing,
        verify_wait: limits.verify_wait,
        settle: limits.settle.unwrap_or(DEFAULT_SETTLE),
        review_after: REVIEW_AFTER,
        row_deadline: limits.row_deadline,
        stara: RetryPolicy::with_attempts(3),
        leaf: RetryPolicy::with_attempts(4),
    }
}

/// Whether every row of the manifest must have an accessTokenClient of its own.
#[must_use]
pub fn client_column(run: &RunOptions) -> ClientColumn {
    match (run.services.dialect, &run.default_client) {
        (Dialect::Form, None) => ClientColumn::Required,
        _ => ClientColumn::Optional,
    }
}

/// Whether a header can hold the token.
#[must_use]
pub fn is_sendable(token: &Secret) -> bool {
    HeaderValue::from_str(token.expose_secret()).is_ok()
}

/// Where Leaf's token comes from, and that in words for people.
///
/// # Errors
///
/// When there is none, or one that can't be one.
pub fn resolve_token(
    target: &TargetFlags,
    environment: &Environment,
) -> Result<(TokenSource, String), SettingsError> {
    let account = environment.leaf_account.clone();
    if let Some(path) = &target.leaf_token_file {
        return Ok((TokenSource::File(path.clone()), format!("with the token in {}", path.display())));
    }
    match (environment.leaf_token.clone(), account) {
        (Some(token), _) if !is_sendable(&token) => Err(SettingsError::BadLeafToken { origin: "LEAF_TOKEN" }),
        (Some(token), account) => Ok((TokenSource::Given(token, account), "with LEAF_TOKEN".to_owned())),
        (None, Some(account)) => {
            let who = format!("as {}", account.username);
            Ok((TokenSource::Account(account), who))
        }
        (None, None) => Err(SettingsError::NoLeafToken),
    }
}
