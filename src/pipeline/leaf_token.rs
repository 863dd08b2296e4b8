//! Leaf's token: got once, renewed once a generation however many rows hear that it is no longer good.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

use crate::api::LeafAccount;
use crate::model::Secret;

/// Where Leaf's token comes from.
#[derive(Debug, Clone)]
pub enum TokenSource {
    /// `LEAF_TOKEN`, and perhaps an account to renew it with.
    Given(Secret, Option<LeafAccount>),
    /// `--leaf-token-file`, read again when the token is refused.
    File(PathBuf),
    /// `LEAF_USERNAME` and `LEAF_PASSWORD`.
    Account(LeafAccount),
}

impl TokenSource {
    /// Whether the first token is got with a login, which is a call of its own.
    #[must_use]
    pub const fn begins_with_login(&self) -> bool {
        matches!(self, Self::Account(_))
    }
}

/// Why there is no good token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenError {
    /// Leaf refuses what we have, and there is no other.
    Refused(String),
    /// Leaf couldn't be asked.
    Unavailable(String),
}

/// A token and which one it is.
#[derive(Debug)]
pub(super) struct CurrentToken {
    pub(super) token: Secret,
    pub(super) generation: u64,
    /// Whether Leaf has ever accepted it.
    proven: AtomicBool,
}

impl CurrentToken {
    /// Takes note that Leaf accepted it.
    pub(super) fn prove(&self) {
        if !self.proven.load(Ordering::Relaxed) {
            self.proven.store(true, Ordering::Relaxed);
        }
    }
}

/// The token all rows share.
#[derive(Debug)]
pub(super) struct LeafToken {
    source: TokenSource,
    current: RwLock<Option<Arc<CurrentToken>>>,
    /// Held by whoever gets a token; remembers why none can be had, so that the rows behind it don't ask again.
    renewal: Mutex<Option<TokenError>>,
}

impl LeafToken {
    pub(super) fn new(source: TokenSource) -> Self {
        Self { source, current: RwLock::default(), renewal: Mutex::default() }
    }

    fn peek(&self) -> Option<Arc<CurrentToken>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The current token; the first one is got by whoever comes first, with `log_in` where it takes an account.
    pub(super) async fn current<F>(
        &self,
        log_in: impl Fn(LeafAccount) -> F,
    ) -> Result<Arc<CurrentToken>, TokenError>
    where
        F: Future<Output = Result<Secret, TokenError>>,
    {
        if let Some(current) = self.peek() {
            return Ok(current);
        }
        let mut renewal = self.renewal.lock().await;
        if let Some(current) = self.peek() {
            return Ok(current);
        }
        if let Some(error) = renewal.clone() {
            return Err(error);
        }
        let token = match &self.source {
            TokenSource::Given(token, _) => Ok(token.clone()),
            TokenSource::File(path) => read_token(path),
            TokenSource::Account(account) => log_in(account.clone()).await,
        };
        let token = token.inspect_err(|error| *renewal = Some(error.clone()))?;
        Ok(self.put(token, 0))
    }

    /// Gets another token after Leaf refused this one, and tells whether it did: when another row has done so already, there
    /// is nothing to do. A token that was refused on its first use is not renewed.
    pub(super) async fn renew<F>(
        &self,
        refused: &CurrentToken,
        log_in: impl Fn(LeafAccount) -> F,
    ) -> Result<bool, TokenError>
    where
        F: Future<Output = Result<Secret, TokenError>>,
    {
        let mut renewal = self.renewal.lock().await;
        if self.peek().is_some_and(|current| current.generation != refused.generation) {
            return Ok(false);
        }
        if let Some(error) = renewal.clone() {
            return Err(error);
        }
        let token = self.another(refused, log_in).await;
        let token = token.inspect_err(|error| {
            // A file may be mended at any time, and reading it costs nobody anything.
            if !matches!(self.source, TokenSource::File(_)) {
                *renewal = Some(error.clone());
            }
        })?;
        self.put(token, refused.generation + 1);
        Ok(true)
    }

    /// Another token than the refused one.
    async fn another<F>(
        &self,
        refused: &CurrentToken,
        log_in: impl Fn(LeafAccount) -> F,
    ) -> Result<Secret, TokenError>
    where
        F: Future<Output = Result<Secret, TokenError>>,
    {
        let is_fresh = !refused.proven.load(Ordering::Relaxed);
        match &self.source {
            // A given token may have been dead for days; what comes from the account is fresh.
            TokenSource::Given(_, Some(account)) if !is_fresh || refused.generation == 0 => {
                log_in(account.clone()).await
            }
            TokenSource::Account(account) if !is_fresh => log_in(account.clone()).await,
            TokenSource::Given(_, Some(_)) | TokenSource::Account(_) => {
                Err(TokenError::Refused("a fresh token was refused on its first use".to_owned()))
            }
            TokenSource::Given(_, None) => {
                let reason = "LEAF_TOKEN is expired, revoked or of another account, and without LEAF_USERNAME and \
                              LEAF_PASSWORD no other can be had";
                Err(TokenError::Refused(reason.to_owned()))
            }
            TokenSource::File(path) => {
                let token = read_token(path)?;
                if token.expose_secret() == refused.token.expose_secret() {
                    let reason = format!("{} still holds the refused token", path.display());
                    return Err(TokenError::Refused(reason));
                }
                Ok(token)
            }
        }
    }

    fn put(&self, token: Secret, generation: u64) -> Arc<CurrentToken> {
        let current = Arc::new(CurrentToken { token, generation, proven: AtomicBool::new(false) });
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&current));
        current
    }
}

/// Reads a token file: its text without the white space around it.
fn read_token(path: &std::path::Path) -> Result<Secret, TokenError> {
    match std::fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => Ok(Secret::new(text.trim().to_owned())),
        Ok(_) => Err(TokenError::Refused(format!("{} is empty", path.display()))),
        Err(error) => Err(TokenError::Refused(format!("{} can't be read: {error}", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    fn account() -> LeafAccount {
        LeafAccount { username: "ops".to_owned(), password: Secret::new("pw".to_owned()) }
    }

    #[tokio::test]
    async fn many_rows_that_hear_of_a_refusal_renew_the_token_once() {
        let token = LeafToken::new(TokenSource::Account(account()));
        let logins = AtomicU32::new(0);
        let log_in = |_| async {
            logins.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(Secret::new("t".to_owned()))
        };
        let first = token.current(log_in).await.unwrap();
        first.prove();
        let renewals = futures::future::join_all((0..50).map(|_| token.renew(&first, log_in))).await;
        assert_eq!(renewals.iter().filter(|renewed| **renewed == Ok(true)).count(), 1);
        assert!(renewals.iter().all(Result::is_ok));
        assert_eq!(logins.load(Ordering::Relaxed), 2);
        assert_eq!(token.current(log_in).await.unwrap().generation, 1);
    }

    #[tokio::test]
    async fn a_refused_account_is_tried_once_however_many_rows_wait() {
        let token = LeafToken::new(TokenSource::Account(account()));
        let logins = AtomicU32::new(0);
        let log_in = |_| async {
            logins.fetch_add(1, Ordering::Relaxed);
            Err(TokenError::Refused("wrong password".to_owned()))
        };
        let rows = futures::future::join_all((0..50).map(|_| token.current(log_in))).await;
        assert!(rows.iter().all(Result::is_err));
        assert_eq!(logins.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_fresh_token_that_is_refused_ends_it() {
        let token = LeafToken::new(TokenSource::Account(account()));
        let log_in = |_| async { Ok(Secret::new("t".to_owned())) };
        let first = token.current(log_in).await.unwrap();
        assert!(matches!(token.renew(&first, log_in).await, Err(TokenError::Refused(_))));
    }

    #[tokio::test]
    async fn a_token_file_is_read_again_and_must_have_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        std::fs::write(&path, "one\n").unwrap();
        let token = LeafToken::new(TokenSource::File(path.clone()));
        let log_in = |_| async { Err(TokenError::Unavailable("never asked".to_owned())) };
        let first = token.current(log_in).await.unwrap();
        assert_eq!(first.token.expose_secret(), "one");
        assert!(matches!(token.renew(&first, log_in).await, Err(TokenError::Refused(_))));
        std::fs::write(&path, "two").unwrap();
        token.renew(&first, log_in).await.unwrap();
        assert_eq!(token.current(log_in).await.unwrap().token.expose_secret(), "two");
    }
}
