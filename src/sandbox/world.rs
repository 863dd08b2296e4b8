//! The one world that both simulated services share: who exists, who may enter, and what is attached to whom.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Notify;

use crate::model::{CredentialId, LeafUserId, Login, Secret, UnixMillis};

use super::bearers::Bearers;
use super::credential::{Attached, Hidden, Shown};
use super::faults::{ArmedFaults, Asked, Fault};
use super::issued::{LoginKey, TokenIssue};
use super::links::Links;
use super::logins::{Logins, ValidTokens};
use super::magic::MagicWord;
use super::options::SecondAttach;
use super::users::{AttachResult, Standing, Users};

/// The users, logins and credentials that the simulated Stara and Leaf know, and the faults that befall them.
///
/// It outlives the servers: started again with the same world, they remember everything.
pub struct World {
    open: bool,
    pub(super) users: Users,
    order: RwLock<Vec<LeafUserId>>,
    logins: Logins,
    pub(super) bearers: Bearers,
    links: Links,
    pub(super) faults: ArmedFaults,
    effects: AtomicU64,
    changed: Notify,
}

impl World {
    /// A world that knows everybody: any UUID is a user of Leaf, and Stara accepts any login with any password but those
    /// magic words that say otherwise. A grower who is added to it is treated as its magic word says, too.
    #[must_use]
    pub fn open() -> Self {
        Self::with_seed(true, 0)
    }

    /// A world that knows only who was added.
    #[must_use]
    pub fn closed() -> Self {
        Self::with_seed(false, 0)
    }

    /// The same world with another seed, from which ids, secrets and the chances of faults follow. Everybody who was
    /// added is forgotten.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self::with_seed(self.open, seed)
    }

    fn with_seed(open: bool, seed: u64) -> Self {
        Self {
            open,
            users: Users::new(seed, open),
            order: RwLock::default(),
            logins: Logins::new(seed),
            bearers: Bearers::new(),
            links: Links::new(seed),
            faults: ArmedFaults::new(seed),
            effects: AtomicU64::new(0),
            changed: Notify::new(),
        }
    }

    /// Adds a grower: a user of Leaf, and a login that Stara accepts with this password. A [`MagicWord`] in the place
    /// of the password decides how this user and this login are treated.
    ///
    /// Several users may share a login, and a login may have several passwords.
    pub fn add_grower(&self, id: LeafUserId, login: &Login, password: &Secret) {
        let word = MagicWord::of_password(password.expose_secret());
        let issue = TokenIssue { login: self.logins.key(login.as_str()), serial: 0 };
        if matches!(word, Some(MagicWord::Healthy | MagicWord::Unhealthy)) {
            self.logins.note_older_tokens(issue.login);
        }
        let (standing, added) = self.users.change(id, |user| {
            match word {
                Some(MagicWord::UnknownUser) => user.standing = Standing::Unknown,
                Some(MagicWord::ForbiddenUser) => user.standing = Standing::Forbidden,
                Some(MagicWord::Refused) => user.refuses_attach = true,
                Some(MagicWord::LostReply) => user.loses_first_reply = true,
                Some(MagicWord::Healthy) if !user.has_credential() => user.hold_older(issue, "OK"),
                Some(MagicWord::Unhealthy) if !user.has_credential() => user.hold_older(issue, "invalid"),
                _ => user.turns = user.turns.or(word.and_then(MagicWord::turn)),
            }
            user.standing
        });
        if added && standing == Standing::Known {
            self.append(id);
        }
        if word != Some(MagicWord::WrongPassword) {
            self.logins.accept(login.as_str(), password.expose_secret());
        }
    }

    /// The newest credential that a user holds, whether or not a fault still hides it from Leaf's answers.
    #[must_use]
    pub fn credential(&self, id: LeafUserId) -> Option<Attached> {
        self.logged(id).and_then(|shown| self.attached(&shown))
    }

    /// Every credential that a user holds, the oldest first.
    #[must_use]
    pub fn credentials_of(&self, id: LeafUserId) -> Vec<Attached> {
        let credentials = self.users.credentials(id);
        credentials.iter().filter_map(|shown| self.attached(shown)).collect()
    }

    /// How many attaches to this user took effect, ever.
    #[must_use]
    pub fn attach_effects(&self, id: LeafUserId) -> u32 {
        self.users.attach_effects(id)
    }

    /// How many attaches took effect, ever, to any user.
    #[must_use]
    pub fn attach_effects_in_all(&self) -> u64 {
        self.effects.load(Ordering::Acquire)
    }

    /// How often this login authenticated successfully.
    #[must_use]
    pub fn authentications(&self, login: &Login) -> u32 {
        self.logins.authentications(self.logins.key(login.as_str()))
    }

    /// The largest number of refusals that one login got from Stara, whether or not it was the password.
    #[must_use]
    pub fn most_refusals(&self) -> u32 {
        self.logins.most_refusals()
    }

    /// The users in the order in which Leaf lists them: as they were added, or first attached to.
    #[must_use]
    pub fn users(&self) -> Vec<LeafUserId> {
        self.with_users(<[LeafUserId]>::to_vec)
    }

    /// The apiKey that Stara gives this login.
    #[must_use]
    pub fn api_key(&self, login: &Login) -> Secret {
        Secret::new(self.logins.key(login.as_str()).api_key())
    }

    /// Every apiKey and token issued to this login, ever: a test that looks for leaks looks for these.
    #[must_use]
    pub fn secrets_of_login(&self, login: &Login) -> Vec<String> {
        self.logins.secrets_of(self.logins.key(login.as_str()))
    }

    /// Every magic link given out for this user, the oldest first.
    #[must_use]
    pub fn links_of(&self, id: LeafUserId) -> Vec<String> {
        self.links.of(id)
    }

    /// Every apiKey, token and magic link issued to anybody, ever, those of Leaf too, and every accessTokenClient that was
    /// brought.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets = self.logins.all_secrets();
        secrets.extend(self.bearers.issued());
        secrets.extend(self.links.all());
        secrets
    }

    /// Refuses, from now on, every bearer token that Leaf has issued or seen. New ones are let in.
    pub fn revoke_leaf_tokens(&self) {
        self.bearers.revoke_all();
    }

    /// Adds a fault, at once. Of several that fit a call the first one added befalls it; quotas come before all others.
    pub fn inject(&self, fault: Fault) {
        let login = fault.login.as_ref().map(|login| self.logins.key(login.as_str()));
        self.faults.add(fault, login);
    }

    /// Removes every fault. Calls that hang already go on hanging.
    pub fn lift_faults(&self) {
        self.faults.clear();
    }

    /// How often the faults of this name befell a call, those that were lifted since not counted.
    #[must_use]
    pub fn faults_befallen(&self, name: &str) -> u64 {
        self.faults.befallen(name)
    }

    /// Waits until `condition` holds; it is asked again after each change to a credential, each effect of a
    /// call, and each call that a fault befell.
    pub async fn until(&self, condition: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if condition(self) {
                return;
            }
            changed.await;
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    pub(super) fn logins(&self) -> &Logins {
        &self.logins
    }

    pub(super) fn standing(&self, id: LeafUserId) -> Standing {
        self.users.standing(id)
    }

    /// Whether Leaf refuses to attach these tokens to this user, though they are valid.
    pub(super) fn refuses_attach(&self, id: LeafUserId, tokens: &ValidTokens) -> bool {
        tokens.word == Some(MagicWord::Refused)
            || self.users.read(id, |user| user.refuses_attach) == Some(true)
    }

    /// The credential that a GET sees.
    pub(super) fn look(&self, id: LeafUserId) -> Option<Shown> {
        let (shown, turn) = self.users.look(id)?;
        if let Some(turn) = turn {
            self.turn(id, turn);
        }
        Some(shown)
    }

    /// The credential whose log Leaf shows. Reading a log is no look.
    pub(super) fn logged(&self, id: LeafUserId) -> Option<Shown> {
        self.users.credentials(id).pop()
    }

    /// Attaches valid tokens; the second value tells whether the reply is to be lost.
    pub(super) fn attach(
        &self,
        id: LeafUserId,
        tokens: &ValidTokens,
        second: SecondAttach,
    ) -> (AttachResult, bool) {
        let hidden = self.lag(id, tokens.issue.login);
        let (result, added) = self.users.attach(id, tokens.issue, tokens.client, second, hidden);
        if added {
            self.append(id);
        }
        let AttachResult::Attached { is_first, .. } = result else {
            return (result, false);
        };
        self.effects.fetch_add(1, Ordering::AcqRel);
        self.changed.notify_waiters();
        let loses = tokens.word == Some(MagicWord::LostReply)
            || self.users.read(id, |user| user.loses_first_reply) == Some(true);
        (result, is_first && loses)
    }

    /// Gives out a magic link for this user.
    pub(super) fn issue_link(&self, id: LeafUserId) -> String {
        let link = self.links.issue(id);
        self.changed.notify_waiters();
        link
    }

    pub(super) fn detach(&self, id: LeafUserId) -> bool {
        let detached = self.users.detach(id);
        if detached {
            self.changed.notify_waiters();
        }
        detached
    }

    /// Reads the users in the order in which Leaf lists them.
    pub(super) fn with_users<T>(&self, read: impl FnOnce(&[LeafUserId]) -> T) -> T {
        read(&self.order.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a user off Leaf's list.
    pub(super) fn strike(&self, id: LeafUserId) {
        self.order.write().unwrap_or_else(PoisonError::into_inner).retain(|listed| *listed != id);
    }

    /// The text of a credential's accessTokenClient.
    pub(super) fn client_text(&self, shown: &Shown) -> Arc<str> {
        self.logins.client_text(shown.issue, shown.client)
    }

    pub(super) fn tell_of_change(&self) {
        self.changed.notify_waiters();
    }

    fn lag(&self, id: LeafUserId, login: LoginKey) -> Option<Hidden> {
        self.faults.any().then(|| self.faults.lag(&Asked::attach(id, login)))?
    }

    /// Puts a user behind all others in Leaf's list.
    pub(super) fn append(&self, id: LeafUserId) {
        self.order.write().unwrap_or_else(PoisonError::into_inner).push(id);
    }

    fn attached(&self, shown: &Shown) -> Option<Attached> {
        Some(Attached {
            id: CredentialId::new(&shown.id.to_string())?,
            status: shown.status.clone(),
            created: UnixMillis(shown.created_micros / 1_000),
            api_key: Secret::new(shown.issue.login.api_key()),
            access_token: Secret::new(shown.issue.access_token()),
            access_token_client: Secret::new(self.client_text(shown).as_ref().to_owned()),
            refresh_token: Secret::new(shown.issue.refresh_token()),
        })
    }
}
