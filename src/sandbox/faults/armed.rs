//! The faults in force, and how they decide about a call.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use tokio::time::Instant;

use crate::model::{LeafUserId, Service};

use super::super::call::CallKind;
use super::super::credential::Hidden;
use super::super::issued::{LoginKey, spread, spread_key};
use super::super::sharded::Key;
use super::super::turn::Turn;
use super::quota::Bucket;
use super::{Fault, PageFlaw, Trouble, UserFlaw, When};

/// What a fault is asked about: a call, and whose it is.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox) struct Asked {
    pub(in crate::sandbox) service: Service,
    pub(in crate::sandbox) call: CallKind,
    pub(in crate::sandbox) user: Option<LeafUserId>,
    pub(in crate::sandbox) login: Option<LoginKey>,
    /// The number of the page of the list that it asks for.
    pub(in crate::sandbox) page: Option<u64>,
    /// How often Stara has refused the login so far.
    pub(in crate::sandbox) refusals: u32,
}

impl Asked {
    /// A call to Leaf about one user.
    pub(in crate::sandbox) const fn about(user: LeafUserId, call: CallKind, login: Option<LoginKey>) -> Self {
        Self { service: Service::Leaf, call, user: Some(user), login, page: None, refusals: 0 }
    }

    /// An attach that takes effect.
    pub(in crate::sandbox) const fn attach(user: LeafUserId, login: LoginKey) -> Self {
        Self::about(user, CallKind::CreateCredential, Some(login))
    }

    /// A call for a page of the list of users.
    pub(in crate::sandbox) const fn list(page: u64) -> Self {
        let (service, call) = (Service::Leaf, CallKind::ListUsers);
        Self { service, call, user: None, login: None, page: Some(page), refusals: 0 }
    }

    /// The same call, as far as it is about this user.
    pub(in crate::sandbox) const fn showing(self, user: LeafUserId) -> Self {
        Self { user: Some(user), ..self }
    }

    fn row(&self) -> Key {
        let user = self.user.map(|user| *user.as_bytes());
        user.or(self.login.map(|login| login.0)).unwrap_or_default()
    }
}

/// The faults in force.
pub(in crate::sandbox) struct ArmedFaults {
    seed: u64,
    any: AtomicBool,
    faults: RwLock<Vec<Armed>>,
}

struct Armed {
    fault: Fault,
    login: Option<LoginKey>,
    /// Tells this fault's dice from those of the others.
    place: u64,
    befallen: AtomicU64,
    state: Mutex<State>,
}

struct State {
    calls: u64,
    calls_by_row: HashMap<Key, u32>,
    bucket: Bucket,
}

impl ArmedFaults {
    pub(in crate::sandbox) fn new(seed: u64) -> Self {
        Self { seed, any: AtomicBool::new(false), faults: RwLock::default() }
    }

    /// Whether there is any: without one a call needn't be looked into.
    pub(in crate::sandbox) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    pub(in crate::sandbox) fn add(&self, fault: Fault, login: Option<LoginKey>) {
        let mut faults = self.faults.write().unwrap_or_else(PoisonError::into_inner);
        let place = faults.len() as u64;
        faults.push(Armed {
            fault,
            login,
            place,
            befallen: AtomicU64::new(0),
            state: Mutex::new(State { calls: 0, calls_by_row: HashMap::new(), bucket: Bucket::new() }),
        });
        self.any.store(true, Ordering::Release);
    }

    pub(in crate::sandbox) fn clear(&self) {
        self.any.store(false, Ordering::Release);
        self.faults.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(in crate::sandbox) fn befallen(&self, name: &str) -> u64 {
        let faults = self.faults.read().unwrap_or_else(PoisonError::into_inner);
        let of_name = faults.iter().filter(|armed| armed.fault.name == name);
        of_name.map(|armed| armed.befallen.load(Ordering::Acquire)).sum()
    }

    /// What befalls a call, if anything does. Quotas come first, for a host's gate stands before the host.
    pub(in crate::sandbox) fn decide(&self, asked: &Asked) -> Option<Trouble> {
        let faults = self.faults.read().unwrap_or_else(PoisonError::into_inner);
        let is_quota = |armed: &&Armed| matches!(armed.fault.trouble, Trouble::Quota(_));
        let mut quotas = faults.iter().filter(is_quota);
        if let Some(refusal) = quotas.find_map(|armed| armed.befall(asked, self.seed)) {
            return Some(refusal);
        }
        let mut others = faults.iter().filter(|armed| !is_quota(armed) && !armed.fault.trouble.goes_along());
        others.find_map(|armed| armed.befall(asked, self.seed))
    }

    /// What hides the credential that an attach creates, if anything does.
    pub(in crate::sandbox) fn lag(&self, attach: &Asked) -> Option<Hidden> {
        let lags = self.along(attach, |trouble| match *trouble {
            Trouble::Lag { looks, hidden_for } => Some(Hidden::new(looks, hidden_for)),
            _ => None,
        });
        lags.into_iter().next()
    }

    /// The flaws of a page of the list of users.
    pub(in crate::sandbox) fn page_flaws(&self, list: &Asked) -> Vec<PageFlaw> {
        self.along(list, |trouble| match *trouble {
            Trouble::Page(flaw) => Some(flaw),
            _ => None,
        })
    }

    /// The flaws of one showing of a user.
    pub(in crate::sandbox) fn user_flaws(&self, showing: &Asked) -> Vec<UserFlaw> {
        self.along(showing, |trouble| match *trouble {
            Trouble::User(flaw) => Some(flaw),
            _ => None,
        })
    }

    /// What happens to a user just before a call about it is carried out.
    pub(in crate::sandbox) fn turns(&self, asked: &Asked) -> Vec<Turn> {
        self.along(asked, |trouble| match *trouble {
            Trouble::Turned(turn) => Some(turn),
            _ => None,
        })
    }

    /// Everything of one kind that goes along with a call.
    fn along<T>(&self, asked: &Asked, of_kind: impl Fn(&Trouble) -> Option<T>) -> Vec<T> {
        if !self.any() {
            return Vec::new();
        }
        let faults = self.faults.read().unwrap_or_else(PoisonError::into_inner);
        let befallen = faults.iter().filter_map(|armed| {
            let found = of_kind(&armed.fault.trouble)?;
            armed.befall(asked, self.seed).map(|_| found)
        });
        befallen.collect()
    }
}

impl Armed {
    fn befall(&self, asked: &Asked, seed: u64) -> Option<Trouble> {
        let fault = &self.fault;
        let fits = fault.calls.include(asked.service, asked.call)
            && fault.user.is_none_or(|user| asked.user == Some(user))
            && self.login.is_none_or(|login| asked.login == Some(login))
            && fault.page.is_none_or(|page| asked.page == Some(page))
            && !(fault.trouble == Trouble::TokenRevoked && asked.call == CallKind::LeafLogin)
            && fault.trouble.is_due_after(asked.refusals);
        if !fits {
            return None;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.is_due(fault.when, asked, spread(seed ^ spread(self.place))) {
            return None;
        }
        let trouble = match &fault.trouble {
            Trouble::Quota(quota) => Trouble::Answer(state.bucket.take(quota, Instant::now())?),
            other => other.clone(),
        };
        self.befallen.fetch_add(1, Ordering::AcqRel);
        Some(trouble)
    }
}

impl State {
    /// Counts the call and tells whether the fault is due.
    fn is_due(&mut self, when: When, asked: &Asked, dice: u64) -> bool {
        self.calls += 1;
        match when {
            When::Always => true,
            When::Nth(nth) => self.calls == nth,
            When::EveryNth(nth) => self.calls.is_multiple_of(nth.max(1)),
            When::First(count) => self.calls <= count,
            When::After(count) => self.calls > count,
            When::FirstPerRow(count) => self.count_of_row(asked) <= count,
            When::Chance(probability) => {
                falls_below(probability, asked, dice ^ u64::from(self.count_of_row(asked)))
            }
            When::FirstChance(probability) => {
                self.count_of_row(asked) == 1 && falls_below(probability, asked, dice)
            }
            When::RowChance(probability) => falls_below(probability, asked, dice),
        }
    }

    fn count_of_row(&mut self, asked: &Asked) -> u32 {
        let count = self.calls_by_row.entry(asked.row()).or_default();
        *count = count.saturating_add(1);
        *count
    }
}

/// Whether these dice, thrown for this row, show less than a probability.
fn falls_below(probability: f64, asked: &Asked, dice: u64) -> bool {
    let thrown = spread_key(&asked.row(), dice);
    #[allow(clippy::cast_possible_truncation, reason = "32 random bits of 128")]
    let thrown = f64::from(thrown as u32) / (f64::from(u32::MAX) + 1.0);
    thrown < probability
}

#[cfg(test)]
mod tests {
    use super::super::super::call::Calls;
    use super::super::{Advice, Answer, Quota};
    use super::*;

    fn user(number: u8) -> LeafUserId {
        LeafUserId::from_bytes([number; 16])
    }

    fn look(number: u8) -> Asked {
        let (service, user) = (Service::Leaf, Some(user(number)));
        Asked { service, call: CallKind::GetUser, user, login: None, page: None, refusals: 0 }
    }

    fn armed(seed: u64, when: When) -> ArmedFaults {
        let faults = ArmedFaults::new(seed);
        faults.add(Fault::new(Calls::All, when, Trouble::ReplyLost), None);
        faults
    }

    /// Which of these calls are befallen.
    fn hits(faults: &ArmedFaults, rows: &[u8]) -> Vec<bool> {
        rows.iter().map(|&row| faults.decide(&look(row)).is_some()).collect()
    }

    #[test]
    fn a_fault_is_due_when_its_rule_says() {
        let rows = [1, 2, 1, 2, 1, 2];
        for (when, expected) in [
            (When::Always, [true; 6]),
            (When::Nth(3), [false, false, true, false, false, false]),
            (When::EveryNth(3), [false, false, true, false, false, true]),
            (When::First(2), [true, true, false, false, false, false]),
            (When::After(4), [false, false, false, false, true, true]),
            (When::FirstPerRow(2), [true, true, true, true, false, false]),
            (When::Chance(0.0), [false; 6]),
            (When::Chance(1.0), [true; 6]),
        ] {
            assert_eq!(hits(&armed(0, when), &rows), expected, "{when:?}");
        }
    }

    #[test]
    fn chance_hits_the_same_rows_in_any_order_and_others_with_another_seed() {
        let forwards: Vec<u8> = (0..=255).collect();
        let backwards: Vec<u8> = (0..=255).rev().collect();
        let when = When::Chance(0.25);
        let first = hits(&armed(7, when), &forwards);
        let mut second = hits(&armed(7, when), &backwards);
        second.reverse();
        assert_eq!(first, second);
        assert_ne!(first, hits(&armed(8, when), &forwards));
        let hit = first.iter().filter(|&&hit| hit).count();
        assert!((32..=96).contains(&hit), "{hit} of 256 at one in four");
    }

    #[test]
    fn a_chosen_row_is_hit_by_every_call_and_another_by_none() {
        let rows: Vec<u8> = (0..=255).collect();
        let faults = armed(7, When::RowChance(0.25));
        let first = hits(&faults, &rows);
        assert_eq!(hits(&faults, &rows), first);
        assert_eq!(hits(&armed(7, When::RowChance(0.25)), &rows), first);
        assert_ne!(hits(&armed(8, When::RowChance(0.25)), &rows), first);
        let hit = first.iter().filter(|&&hit| hit).count();
        assert!((32..=96).contains(&hit), "{hit} of 256 at one in four");
    }

    #[test]
    fn a_chance_of_the_first_call_hits_no_row_twice() {
        let rows: Vec<u8> = (0..=255).collect();
        let faults = armed(7, When::FirstChance(0.25));
        let hit = hits(&faults, &rows).iter().filter(|&&hit| hit).count();
        assert!((32..=96).contains(&hit), "{hit} of 256 at one in four");
        assert!(!hits(&faults, &rows).contains(&true));
    }

    #[test]
    fn a_login_is_locked_once_it_was_refused_so_often() {
        let faults = ArmedFaults::new(0);
        faults.add(Fault::stara_lockout(), None);
        let (service, call) = (Service::Stara, CallKind::Authenticate);
        let asked = |refusals| Asked { service, call, refusals, user: None, ..look(1) };
        assert_eq!(faults.decide(&asked(2)), None);
        assert_eq!(faults.decide(&asked(3)), Some(Trouble::Lockout { refusals: 3 }));
        assert_eq!(faults.decide(&Asked { call: CallKind::Token, ..asked(3) }), None);
    }

    #[test]
    fn two_faults_of_one_chance_do_not_hit_the_same_rows() {
        let rows: Vec<u8> = (0..=255).collect();
        let both = ArmedFaults::new(7);
        for _ in 0..2 {
            both.add(Fault::new(Calls::All, When::Chance(0.25), Trouble::ReplyLost), None);
        }
        let alone = hits(&armed(7, When::Chance(0.25)), &rows);
        assert_ne!(alone, hits(&both, &rows));
    }

    #[test]
    fn a_quota_comes_before_every_other_fault() {
        let faults = armed(0, When::Always);
        let quota = Quota { per_second: 0.001, burst: 1, status: 429, advice: Advice::None };
        faults.add(Fault::new(Calls::All, When::Always, Trouble::Quota(quota)), None);
        assert_eq!(faults.decide(&look(1)), Some(Trouble::ReplyLost));
        assert_eq!(faults.decide(&look(1)), Some(Trouble::Answer(Answer::new(429))));
        assert_eq!(faults.befallen("custom"), 2);
    }

    #[test]
    fn revoking_the_token_spares_the_call_that_issues_one() {
        let faults = ArmedFaults::new(0);
        faults.add(Fault::token_revoked().when(When::Always), None);
        let login = Asked { call: CallKind::LeafLogin, user: None, ..look(1) };
        assert_eq!(faults.decide(&login), None);
        assert_eq!(faults.decide(&look(1)), Some(Trouble::TokenRevoked));
    }
}
