//! The logins that the simulated Stara knows, and the tokens it issued to each.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::issued::{LoginKey, TokenIssue, pair_key};
use super::magic::MagicWord;
use super::sharded::Sharded;

/// An accessTokenClient: the one issued with the tokens, or the nth that partners brought, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClientToken(u32);

impl ClientToken {
    pub(super) const ISSUED: Self = Self(0);
}

/// What is known of one login, small because a million of them are kept.
struct LoginState {
    authentications: u32,
    refusals: u32,
    token_issues: u32,
    client: ClientToken,
    word: Option<MagicWord>,
    has_older_tokens: bool,
}

/// Every login, with the pairs of login and password that are accepted.
pub(super) struct Logins {
    seed: u64,
    states: Sharded<LoginState>,
    accepted_pairs: Sharded<()>,
    brought_clients: RwLock<BroughtClients>,
}

/// The accessTokenClients that partners brought, each once: there is one for all growers or one for each.
#[derive(Default)]
struct BroughtClients {
    texts: Vec<Arc<str>>,
    places: HashMap<Arc<str>, ClientToken>,
}

/// The tokens of an attach, found to be valid.
pub(super) struct ValidTokens {
    pub(super) issue: TokenIssue,
    pub(super) client: ClientToken,
    /// The magic word with which the login authenticated last.
    pub(super) word: Option<MagicWord>,
}

impl Logins {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            states: Sharded::new(),
            accepted_pairs: Sharded::new(),
            brought_clients: RwLock::default(),
        }
    }

    pub(super) fn key(&self, login: &str) -> LoginKey {
        LoginKey::of(self.seed, login)
    }

    /// Accepts this password for this login from now on, beside others it may have.
    pub(super) fn accept(&self, login: &str, password: &str) {
        let key = pair_key(self.seed, login, password);
        self.accepted_pairs.shard(&key).insert(key, ());
    }

    pub(super) fn accepts(&self, login: &str, password: &str) -> bool {
        let key = pair_key(self.seed, login, password);
        self.accepted_pairs.shard(&key).contains_key(&key)
    }

    /// Notes that a login authenticated.
    pub(super) fn authenticated(&self, key: LoginKey, word: Option<MagicWord>) {
        self.with_state(key, |state| {
            state.authentications = state.authentications.saturating_add(1);
            state.word = word;
        });
    }

    pub(super) fn authentications(&self, key: LoginKey) -> u32 {
        let states = self.states.shard(&key.0);
        states.get(&key.0).map_or(0, |state| state.authentications)
    }

    /// Notes that a login was refused.
    pub(super) fn refused(&self, key: LoginKey) {
        self.with_state(key, |state| state.refusals = state.refusals.saturating_add(1));
    }

    pub(super) fn refusals(&self, key: LoginKey) -> u32 {
        self.states.shard(&key.0).get(&key.0).map_or(0, |state| state.refusals)
    }

    /// The largest number of refusals that one login got.
    pub(super) fn most_refusals(&self) -> u32 {
        let mut most = 0;
        self.states.for_each(|_, state| most = most.max(state.refusals));
        most
    }

    /// Issues the next tokens to a login that has authenticated; `None` when it hasn't.
    pub(super) fn issue_tokens(&self, key: LoginKey, brought: Option<&str>) -> Option<TokenIssue> {
        let client = brought.map_or(ClientToken::ISSUED, |text| self.keep_client(text));
        let mut states = self.states.shard(&key.0);
        let state = states.get_mut(&key.0).filter(|state| state.authentications > 0)?;
        state.token_issues = state.token_issues.saturating_add(1);
        state.client = client;
        Some(TokenIssue { login: key, serial: state.token_issues })
    }

    /// The four texts of an attach as tokens, when they belong together and are still good.
    pub(super) fn validate(
        &self,
        api_key: &str,
        access_token: &str,
        refresh_token: &str,
        access_token_client: &str,
        only_the_last: bool,
    ) -> Option<ValidTokens> {
        let issue = TokenIssue::of_access_token(access_token)?;
        if LoginKey::of_api_key(api_key) != Some(issue.login)
            || TokenIssue::of_refresh_token(refresh_token) != Some(issue)
        {
            return None;
        }
        let (issued, last_client, word) = {
            let states = self.states.shard(&issue.login.0);
            let state = states.get(&issue.login.0)?;
            (state.token_issues, state.client, state.word)
        };
        let oldest = if only_the_last { issued.max(1) } else { 1 };
        if !(oldest..=issued).contains(&issue.serial) {
            return None;
        }
        let issued_here = TokenIssue::of_access_token_client(access_token_client) == Some(issue);
        let client = if issued_here && (last_client == ClientToken::ISSUED || !only_the_last) {
            ClientToken::ISSUED
        } else if last_client != ClientToken::ISSUED && *self.brought(last_client) == *access_token_client {
            last_client
        } else {
            return None;
        };
        Some(ValidTokens { issue, client, word })
    }

    /// Notes that a login has tokens from before the run.
    pub(super) fn note_older_tokens(&self, key: LoginKey) {
        self.with_state(key, |state| state.has_older_tokens = true);
    }

    /// The text of the accessTokenClient that went with these tokens.
    pub(super) fn client_text(&self, issue: TokenIssue, client: ClientToken) -> Arc<str> {
        if client == ClientToken::ISSUED { issue.access_token_client().into() } else { self.brought(client) }
    }

    /// Every apiKey and token that a login was ever issued.
    pub(super) fn secrets_of(&self, key: LoginKey) -> Vec<String> {
        let mut secrets = Vec::new();
        if let Some(state) = self.states.shard(&key.0).get(&key.0) {
            state.secrets(key, &mut secrets);
        }
        secrets
    }

    /// Every apiKey and token ever issued to anybody, and every accessTokenClient that a partner brought.
    pub(super) fn all_secrets(&self) -> Vec<String> {
        let mut secrets = Vec::new();
        self.states.for_each(|key, state| state.secrets(LoginKey(*key), &mut secrets));
        let brought = self.brought_clients.read().unwrap_or_else(PoisonError::into_inner);
        secrets.extend(brought.texts.iter().map(ToString::to_string));
        secrets
    }

    fn with_state(&self, key: LoginKey, change: impl FnOnce(&mut LoginState)) {
        let mut states = self.states.shard(&key.0);
        change(states.entry(key.0).or_insert(LoginState {
            authentications: 0,
            refusals: 0,
            token_issues: 0,
            client: ClientToken::ISSUED,
            word: None,
            has_older_tokens: false,
        }));
    }

    fn keep_client(&self, text: &str) -> ClientToken {
        let read = self.brought_clients.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(&place) = read.places.get(text) {
            return place;
        }
        drop(read);
        let mut clients = self.brought_clients.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(&place) = clients.places.get(text) {
            return place;
        }
        let text: Arc<str> = text.into();
        clients.texts.push(Arc::clone(&text));
        let place = ClientToken(u32::try_from(clients.texts.len()).unwrap_or(u32::MAX));
        clients.places.insert(text, place);
        place
    }

    fn brought(&self, client: ClientToken) -> Arc<str> {
        let clients = self.brought_clients.read().unwrap_or_else(PoisonError::into_inner);
        let index = (client.0 as usize).wrapping_sub(1);
        clients.texts.get(index).cloned().unwrap_or_else(|| "".into())
    }
}

impl LoginState {
    fn secrets(&self, login: LoginKey, into: &mut Vec<String>) {
        into.push(login.api_key());
        let oldest = u32::from(!self.has_older_tokens);
        for serial in oldest..=self.token_issues {
            let issue = TokenIssue { login, serial };
            into.extend([issue.access_token(), issue.refresh_token(), issue.access_token_client()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid(logins: &Logins, issue: TokenIssue, client: &str, only_the_last: bool) -> bool {
        logins
            .validate(
                &issue.login.api_key(),
                &issue.access_token(),
                &issue.refresh_token(),
                client,
                only_the_last,
            )
            .is_some()
    }

    #[test]
    fn a_login_that_never_authenticated_gets_no_tokens() {
        let logins = Logins::new(0);
        let key = logins.key("ana");
        assert_eq!(logins.issue_tokens(key, None), None);
        logins.authenticated(key, None);
        assert_eq!(logins.issue_tokens(key, None).unwrap().serial, 1);
    }

    #[test]
    fn the_next_tokens_void_the_last_ones_unless_told_otherwise() {
        let logins = Logins::new(0);
        let key = logins.key("ana");
        logins.authenticated(key, None);
        let first = logins.issue_tokens(key, None).unwrap();
        assert!(valid(&logins, first, &first.access_token_client(), true));
        let second = logins.issue_tokens(key, None).unwrap();
        assert!(!valid(&logins, first, &first.access_token_client(), true));
        assert!(valid(&logins, first, &first.access_token_client(), false));
        assert!(valid(&logins, second, &second.access_token_client(), true));
        assert!(!valid(&logins, second, &first.access_token_client(), true));
    }

    #[test]
    fn a_brought_client_token_goes_with_the_tokens_it_was_brought_for() {
        let logins = Logins::new(0);
        let key = logins.key("ana");
        logins.authenticated(key, None);
        let issue = logins.issue_tokens(key, Some("partner")).unwrap();
        assert!(valid(&logins, issue, "partner", true));
        assert!(!valid(&logins, issue, "another", true));
        assert!(!valid(&logins, issue, &issue.access_token_client(), true));
        assert!(logins.all_secrets().contains(&"partner".to_owned()));
    }

    #[test]
    fn tokens_of_two_logins_cannot_be_mixed() {
        let logins = Logins::new(0);
        let [ana, bia] = ["ana", "bia"].map(|login| {
            let key = logins.key(login);
            logins.authenticated(key, None);
            logins.issue_tokens(key, None).unwrap()
        });
        let mixed = logins.validate(
            &ana.login.api_key(),
            &ana.access_token(),
            &bia.refresh_token(),
            &ana.access_token_client(),
            true,
        );
        assert!(mixed.is_none());
    }

    #[test]
    fn a_login_may_have_several_passwords() {
        let logins = Logins::new(0);
        logins.accept("ana", "one");
        logins.accept("ana", "two");
        assert!(logins.accepts("ana", "one") && logins.accepts("ana", "two"));
        assert!(!logins.accepts("ana", "three") && !logins.accepts("bia", "one"));
    }
}
