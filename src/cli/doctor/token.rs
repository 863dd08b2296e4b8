//! Leaf's token: whether there is one, whether Leaf takes it, and until when.

use std::time::Duration;

use super::check::Check;
use super::expiry::{self, Renewal};
use super::permissions;
use crate::api::{CallError, CallErrorKind, LeafAccount, LeafApi, token_expiry};
use crate::cli::failure::Failure;
use crate::cli::services::read_token_file;
use crate::http::HttpClient;
use crate::model::{Secret, Service, UnixMillis};
use crate::pipeline::TokenSource;
use crate::settings::{Environment, TargetFlags, resolve_token};

const NAME: &str = "leaf-token";

/// Where the token comes from, and what is to be done about it.
pub(super) struct TokenAsked<'a> {
    pub(super) target: &'a TargetFlags,
    pub(super) environment: &'a Environment,
    /// Leaf, where it answers.
    pub(super) leaf: Option<&'a HttpClient>,
    /// About how long the run takes, where that is known.
    pub(super) expected: Option<Duration>,
}

impl TokenAsked<'_> {
    /// Looks at the token, with one call to Leaf, and one more where the token is got with an account.
    pub(super) async fn look(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        if let Some(path) = &self.target.leaf_token_file {
            checks.extend(permissions::of_secret("leaf-token-file", path, "Leaf's token"));
        }
        match self.source() {
            Ok((source, origin)) => {
                let (check, token) = self.ask(&source, &origin).await;
                checks.push(check.about(Service::Leaf));
                if let Some(token) = token {
                    let renewal = renewal_of(&source);
                    let now = UnixMillis::now();
                    checks.push(
                        expiry::judge(token_expiry(&token), now, renewal, self.expected).about(Service::Leaf),
                    );
                }
            }
            Err(failure) => {
                let check = Check::failed(NAME, failure);
                let advice = "set LEAF_TOKEN, or LEAF_USERNAME and LEAF_PASSWORD, or name a file with --leaf-token-file";
                checks.push(Check { advice: Some(advice.to_owned()), ..check }.about(Service::Leaf));
            }
        }
        checks
    }

    fn source(&self) -> Result<(TokenSource, String), Failure> {
        let (source, origin) = resolve_token(self.target, self.environment)?;
        if let TokenSource::File(path) = &source {
            read_token_file(path)?;
        }
        Ok((source, origin))
    }

    /// Shows Leaf the token; gives it back where it is still to be judged.
    async fn ask(&self, source: &TokenSource, origin: &str) -> (Check, Option<Secret>) {
        let given = match source {
            TokenSource::Given(token, _) => Some(token.clone()),
            // Read once already, so that it can be read again.
            TokenSource::File(path) => read_token_file(path).ok(),
            TokenSource::Account(_) => None,
        };
        let Some(leaf) = self.leaf else { return (Check::skipped(NAME, "Leaf doesn't answer"), given) };
        let leaf = LeafApi::new(leaf.clone());
        match (given, source) {
            (Some(token), source) => match (show(&leaf, &token).await, source) {
                (Ok(users), _) => (accepted(origin, users), Some(token)),
                (Err(error), TokenSource::Given(_, Some(account)))
                    if error.kind == CallErrorKind::Unauthorized =>
                {
                    let (check, fresh) = log_in(&leaf, account).await;
                    (second_best(check), fresh)
                }
                (Err(error), _) => (refused(origin, error), None),
            },
            (None, TokenSource::Account(account)) => log_in(&leaf, account).await,
            (None, _) => (Check::skipped(NAME, "the token's file can't be read any more"), None),
        }
    }
}

const fn renewal_of(source: &TokenSource) -> Renewal {
    match source {
        TokenSource::Given(_, Some(_)) | TokenSource::Account(_) => Renewal::Account,
        TokenSource::Given(_, None) => Renewal::Never,
        TokenSource::File(_) => Renewal::File,
    }
}

async fn show(leaf: &LeafApi, token: &Secret) -> Result<Option<u64>, CallError> {
    leaf.first_user(token).await.map(|page| page.total)
}

async fn log_in(leaf: &LeafApi, account: &LeafAccount) -> (Check, Option<Secret>) {
    let origin = format!("as {}", account.username);
    let token = match leaf.authenticate(account).await {
        Ok(token) => token,
        Err(error) if error.kind == CallErrorKind::Unauthorized => {
            let found = format!("Leaf refuses the login {origin} (401)");
            return (Check::problem(NAME, found, "check LEAF_USERNAME and LEAF_PASSWORD"), None);
        }
        Err(error) => return (refused(&origin, error), None),
    };
    match show(leaf, &token).await {
        Ok(users) => (accepted(&origin, users), Some(token)),
        Err(error) => (refused(&origin, error), None),
    }
}

fn accepted(origin: &str, users: Option<u64>) -> Check {
    let users = match users {
        Some(1) => "; the account has 1 user".to_owned(),
        Some(users) => format!("; the account has {users} users"),
        None => String::new(),
    };
    match users.as_str() {
        "; the account has 0 users" => Check::warning(
            NAME,
            format!("Leaf takes the call {origin}{users}"),
            "is it the account of the growers' users?",
        ),
        _ => Check::ok(NAME, format!("Leaf takes the call {origin}{users}")),
    }
}

/// The check of a token from the account, where the given one was refused.
fn second_best(check: Check) -> Check {
    use super::check::Standing;
    if check.standing != Standing::Ok {
        return check;
    }
    let found = format!("Leaf refuses LEAF_TOKEN (401), but {}", check.found);
    Check::warning(NAME, found, "leave LEAF_TOKEN out, or set one that is good")
}

/// What it means when Leaf's answer isn't a list.
fn refused(origin: &str, error: CallError) -> Check {
    let status = error.status.map_or_else(String::new, |status| format!(" ({status})"));
    let problem =
        |what: &str, advice: &str| Check::problem(NAME, format!("{what}{status}, asked {origin}"), advice);
    match error.kind {
        CallErrorKind::Unauthorized => problem(
            "Leaf refuses the token",
            "it is expired, revoked or of another environment: get another one, or set LEAF_USERNAME and LEAF_PASSWORD",
        ),
        CallErrorKind::Forbidden => Check::warning(
            NAME,
            format!("Leaf takes the token, but doesn't let it list users{status}, asked {origin}"),
            "see with plan whether it may see the growers' users; --precheck row does without the list",
        ),
        CallErrorKind::Redirected => {
            problem("Leaf's answer leads elsewhere", "check --leaf-url: redirects are never followed")
        }
        CallErrorKind::NotFound | CallErrorKind::Refused | CallErrorKind::Unexpected => {
            problem("what answers isn't Leaf's API", "check --leaf-url")
        }
        CallErrorKind::Throttled => Check::warning(
            NAME,
            format!("Leaf wants a pause before it answers{status}"),
            "somebody uses the account's quota: wait, or lower --leaf-rate",
        ),
        _ => problem("Leaf can't be asked", "it is down, or doesn't answer in time: try again later"),
    }
}
