//! Magic links for users whose login was refused: one for each who has none that works for a while yet.
//!
//! To ask for a link is no matter of rows: whatever becomes of it, no outcome changes. A link whose answer was lost may be
//! asked for again, because a second one harms nobody.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{StreamExt as _, iter};

use super::event::{Event, Observe};
use super::hosts::{Hosts, LookError, Whom};
use super::services::Services;
use super::stop::{Stop, StopCause};
use crate::api::CallErrorKind;
use crate::checkpoint::{HostTotals, KeptLink, KeyStanding, Ledger, LedgerError, Rejected, RejectedUser};
use crate::http::Unreached;
use crate::model::UnixMillis;

/// How many users are read from the ledger at a time.
const USERS_AT_ONCE: usize = 512;

/// Of its life, so much must be left to a link that is used again: it is yet to be mailed, and to be read.
const LEAST_LEFT: f64 = 0.1;

/// After so many answers that gave none, and before any that did, nobody else is asked for: it isn't about the users.
const MOST_IN_VAIN: u32 = 20;

/// How magic links are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkRules {
    /// How long a new one works. Leaf takes 15 minutes to a year.
    pub lifetime: Duration,
    /// Whether one that works yet is replaced all the same.
    pub anew: bool,
}

/// What became of the magic links.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinksMade {
    /// Users who have one from before.
    pub kept: u64,
    /// Users for whom one was made.
    pub made: u64,
    /// Users for whom none was made that another try may bring, by the reason, a clause for people.
    pub missing: BTreeMap<&'static str, u64>,
    /// Users for whom none was made, nor will be by another try, by the reason.
    pub impossible: BTreeMap<&'static str, u64>,
}

impl LinksMade {
    /// Whether another try may bring links that are missing.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        !self.missing.is_empty()
    }

    fn miss(&mut self, why: WhyNot) {
        let reasons = if why.is_for_good { &mut self.impossible } else { &mut self.missing };
        *reasons.entry(why.clause).or_default() += 1;
    }
}

impl AddAssign for LinksMade {
    fn add_assign(&mut self, other: Self) {
        self.kept += other.kept;
        self.made += other.made;
        for (all, others) in [(&mut self.missing, other.missing), (&mut self.impossible, other.impossible)] {
            for (why, users) in others {
                *all.entry(why).or_default() += users;
            }
        }
    }
}

/// Why there is no link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct WhyNot {
    /// A clause for people.
    clause: &'static str,
    /// Whether another try would end the same way.
    is_for_good: bool,
}

impl WhyNot {
    const fn now(clause: &'static str) -> Self {
        Self { clause, is_for_good: false }
    }

    const fn ever(clause: &'static str) -> Self {
        Self { clause, is_for_good: true }
    }
}

/// How a verb made links that has asked the hosts nothing else meanwhile.
#[derive(Debug)]
pub struct LinksResult {
    /// What became of them.
    pub made: LinksMade,
    /// Why it stopped before its end; `None` when it came to it.
    pub stopped: Option<StopCause>,
    /// What each host was asked.
    pub hosts: BTreeMap<String, HostTotals>,
}

/// Makes the links that are missing, for a verb that asks the hosts nothing else meanwhile.
///
/// # Errors
///
/// When the ledger can't be read.
pub async fn make_links(
    services: Services,
    ledger: &Ledger,
    whose: Rejected,
    rules: LinkRules,
    stop: Stop,
    observer: Arc<dyn Observe>,
) -> Result<LinksResult, LedgerError> {
    let at_once = services.concurrency;
    let hosts = Hosts::new(services, ledger, stop.clone(), observer)?;
    let made = make(&hosts, ledger, whose, rules, at_once).await;
    for (service, per_second) in hosts.newly_learned() {
        if let Some(per_second) = per_second {
            ledger.keep_learned_rate(service, per_second)?;
        }
    }
    Ok(LinksResult { made, stopped: stop.cause(), hosts: hosts.totals.by_host() })
}

/// Makes the links that are missing, so many users at a time. A ledger that can't be used stops everything.
pub(super) async fn make(
    hosts: &Hosts,
    ledger: &Ledger,
    whose: Rejected,
    rules: LinkRules,
    at_once: usize,
) -> LinksMade {
    let mut making = Making {
        hosts,
        ledger,
        whose,
        rules,
        at_once,
        made: LinksMade::default(),
        in_vain: InVain::default(),
    };
    if let Err(error) = making.make_all().await {
        tracing::error!(%error, "the ledger can't be used for magic links");
        hosts.drain(StopCause::LedgerUnwritable { reason: error.to_string() });
    }
    making.made
}

/// The links while they are being made.
struct Making<'a> {
    hosts: &'a Hosts,
    ledger: &'a Ledger,
    whose: Rejected,
    rules: LinkRules,
    at_once: usize,
    made: LinksMade,
    in_vain: InVain,
}

/// Answers that gave no link, for as long as it isn't known that Leaf gives any.
#[derive(Debug, Default)]
struct InVain {
    answers: Cell<u32>,
    /// Whether another try might have brought some of them.
    may_pass: Cell<bool>,
    is_ended: Cell<bool>,
}

impl InVain {
    fn note(&self, why: WhyNot) {
        self.answers.set(self.answers.get() + 1);
        self.may_pass.set(self.may_pass.get() || !why.is_for_good);
    }

    /// Leaf gives links to some, so that it is about each user.
    fn end(&self) {
        self.is_ended.set(true);
    }

    /// Why nobody else is to be asked for, if nobody is.
    fn verdict(&self) -> Option<WhyNot> {
        let is_hopeless = !self.is_ended.get() && self.answers.get() >= MOST_IN_VAIN;
        is_hopeless.then_some(WhyNot { clause: HOPELESS, is_for_good: !self.may_pass.get() })
    }
}

impl Making<'_> {
    async fn make_all(&mut self) -> Result<(), LedgerError> {
        let now = UnixMillis::now();
        let users = self.count_missing(now)?;
        if users > 0 && !self.hosts.stop.is_draining() && self.ledger.key_standing() == KeyStanding::Own {
            self.hosts.observer.observe(&Event::LinksBegun { users });
        }
        let mut after = Some(0);
        while let Some(place) = after {
            let page = self.ledger.rejected(self.whose, place, USERS_AT_ONCE)?;
            let (kept, missing): (Vec<_>, Vec<_>) =
                page.users.into_iter().partition(|user| self.is_kept(user, now));
            self.made.kept += kept.len() as u64;
            self.make_some(missing).await?;
            after = page.next;
        }
        Ok(())
    }

    fn count_missing(&self, now: UnixMillis) -> Result<u64, LedgerError> {
        let (mut missing, mut after) = (0, Some(0));
        while let Some(place) = after {
            let page = self.ledger.rejected(self.whose, place, USERS_AT_ONCE)?;
            let needy = page.users.iter().filter(|user| !self.is_kept(user, now)).count();
            if needy < page.users.len() {
                self.in_vain.end();
            }
            missing += needy as u64;
            after = page.next;
        }
        Ok(missing)
    }

    /// Whether a user's link is used again.
    fn is_kept(&self, user: &RejectedUser, now: UnixMillis) -> bool {
        !self.rules.anew && user.link.as_ref().is_some_and(|kept| is_good_enough(kept, now))
    }

    async fn make_some(&mut self, users: Vec<RejectedUser>) -> Result<(), LedgerError> {
        if users.is_empty() {
            return Ok(());
        }
        if self.ledger.key_standing() == KeyStanding::Lost {
            for _ in &users {
                self.made.miss(KEY_LOST);
            }
            return Ok(());
        }
        let (hosts, lifetime, in_vain) = (self.hosts, self.rules.lifetime, &self.in_vain);
        let ask = |user: RejectedUser| async move {
            let id = user.leaf_user_id;
            if hosts.stop.is_draining() {
                return (user, Err(STOPPED));
            }
            if let Some(why) = in_vain.verdict() {
                return (user, Err(why));
            }
            let answer = tokio::select! {
                biased;
                () = hosts.stop.aborting() => Err(LookError::Stopped),
                answer = hosts.look(Whom::User(id), async |leaf, token| {
                    leaf.magic_link(token, id, lifetime).await
                }) => answer,
            };
            (user, answer.map_err(why_not))
        };
        let run = match self.whose {
            Rejected::InRun(run) => Some(run),
            Rejected::Audited => None,
        };
        let mut answers = iter(users).map(ask).buffer_unordered(self.at_once);
        while let Some((user, answer)) = answers.next().await {
            match answer {
                Ok(link) => {
                    self.ledger.keep_link(user.user, user.leaf_user_id, &link, run)?;
                    self.made.made += 1;
                    in_vain.end();
                }
                Err(why) => {
                    tracing::info!(user = %user.leaf_user_id, why = why.clause, "no magic link");
                    in_vain.note(why);
                    self.made.miss(why);
                }
            }
        }
        Ok(())
    }
}

const KEY_LOST: WhyNot =
    WhyNot::now("the ledger's fingerprint key, under which links are kept, is missing or another one");

const STOPPED: WhyNot = WhyNot::now("it was stopped before");

const HOPELESS: &str = "the first ones were all asked for in vain";

/// Why there is none. What Leaf says of this user or this account, it says again.
const fn why_not(error: LookError) -> WhyNot {
    let LookError::Failed(kind) = error else { return STOPPED };
    match kind {
        CallErrorKind::NotFound => WhyNot::ever("Leaf doesn't know the user, or has no such call"),
        CallErrorKind::Forbidden => WhyNot::ever("Leaf doesn't let this account make one for the user"),
        CallErrorKind::Refused => WhyNot::ever("Leaf refused to make one"),
        CallErrorKind::Unreachable(Unreached::Untrusted) => WhyNot::now("Leaf's certificate isn't trusted"),
        CallErrorKind::Unreachable(_) => WhyNot::now("Leaf couldn't be reached"),
        CallErrorKind::NoAnswer => WhyNot::now("Leaf gave no answer in time"),
        CallErrorKind::CutOff => WhyNot::now("Leaf's answer didn't come to its end"),
        CallErrorKind::Throttled => WhyNot::now("Leaf throttled the call again and again"),
        CallErrorKind::ServerError => WhyNot::now("Leaf answered with a server error"),
        _ => WhyNot::now("Leaf answered in an unknown way"),
    }
}

/// Whether a link that was made earlier is used again: where the clock went back, it isn't.
fn is_good_enough(kept: &KeptLink, now: UnixMillis) -> bool {
    let life = kept.link.expires_at.elapsed_since(kept.made_at);
    let left = kept.link.expires_at.elapsed_since(now);
    now >= kept.made_at && life.zip(left).is_some_and(|(life, left)| left >= life.mul_f64(LEAST_LEFT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MagicLink, Secret};

    #[test]
    fn a_link_is_used_again_until_a_tenth_of_its_life_is_left() {
        let link =
            MagicLink { link: Secret::new("https://x.example".to_owned()), expires_at: UnixMillis(2_000) };
        let kept = KeptLink { link, made_at: UnixMillis(1_000) };
        for (now, expected) in [(1_000, true), (1_900, true), (1_901, false), (2_001, false), (999, false)] {
            assert_eq!(is_good_enough(&kept, UnixMillis(now)), expected, "{now}");
        }
    }

    #[test]
    fn a_link_that_was_dead_when_it_came_is_never_used_again() {
        let link =
            MagicLink { link: Secret::new("https://x.example".to_owned()), expires_at: UnixMillis(500) };
        let kept = KeptLink { link, made_at: UnixMillis(1_000) };
        assert!(!is_good_enough(&kept, UnixMillis(1_000)));
    }
}
