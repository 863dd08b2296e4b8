//! What Leaf holds: read from its list of users where that takes fewer calls, else user by user.
//!
//! What was seen is kept beside the ledger, never in memory. A list proves what it shows and nothing else: pages may shift
//! while they are read, so that a user who isn't on any of them may exist all the same; and a read that failed proves
//! nothing at all.

use futures::stream::{StreamExt as _, iter};

use super::event::Event;
use super::hosts::{Hosts, LookError, Whom};
use crate::api::{CallErrorKind, LARGEST_PAGE, UserLook, UserPage};
use crate::checkpoint::{Ledger, LedgerError, Unseen};
use crate::model::{LeafUserId, Sight};

/// How many pages of the list are under way at a time. A page may have 8 MiB.
const PAGES_AT_ONCE: usize = 4;

/// The most pages that are read, whatever the host says it has: ten million users.
const MOST_PAGES: u64 = 100_000;

/// How many users are read from the ledger at a time.
const USERS_AT_ONCE: usize = 512;

/// Whether Leaf's list of users is read before single users are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListUse {
    /// It isn't.
    Never,
    /// It is.
    Always,
    /// It is where that takes fewer calls than a look at each user.
    #[default]
    WhereCheaper,
}

impl ListUse {
    /// Whether it is worth to begin with the list, for so many subjects and where Leaf is known to have at least so many
    /// users.
    #[must_use]
    pub const fn begins(self, subjects: u64, users_at_leaf: u64) -> bool {
        match self {
            Self::Never => false,
            Self::Always => subjects > 0,
            Self::WhereCheaper => subjects > pages_of(users_at_leaf) && subjects > 1,
        }
    }

    /// Whether it is worth to go on with a list of so many pages.
    pub(super) const fn goes_on(self, subjects: u64, pages: u64) -> bool {
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::WhereCheaper => pages <= subjects,
        }
    }
}

/// How many pages so many users have.
const fn pages_of(users: u64) -> u64 {
    users.div_ceil(LARGEST_PAGE)
}

/// How Leaf's list was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListReading {
    /// Pages asked for.
    pub pages: u64,
    /// How many there are, where Leaf told.
    pub of: Option<u64>,
    /// Those of them that gave nothing.
    pub failed: u64,
}

/// Sees as many of the ledger's subjects as Leaf's list shows.
pub(super) async fn read_list(
    hosts: &Hosts,
    ledger: &Ledger,
    list_use: ListUse,
    subjects: u64,
) -> Result<ListReading, LedgerError> {
    let reading = ListReading::default();
    if subjects == 0 {
        return Ok(reading);
    }
    if !list_use.begins(subjects, ledger.users_at_leaf()?) {
        hosts.observer.observe(&Event::LookChosen { list: false, pages: None, users: subjects });
        return Ok(reading);
    }
    let mut list = List { hosts, ledger, reading };
    let Some(first) = list.take(0).await? else {
        hosts.observer.observe(&Event::LookChosen { list: false, pages: None, users: subjects });
        return Ok(list.reading);
    };
    let Some(total) = first.total else {
        hosts.observer.observe(&Event::LookChosen { list: true, pages: None, users: subjects });
        list.take_until_the_last(first, |pages| list_use.goes_on(subjects, pages)).await?;
        return Ok(list.reading);
    };
    // A host may give smaller pages than it is asked for.
    let size = if first.entries > 0 { first.entries as u64 } else { LARGEST_PAGE };
    let pages = if total > size { total.div_ceil(size) } else { 1 };
    let is_list = list_use.goes_on(subjects, pages);
    list.reading.of = Some(pages);
    hosts.observer.observe(&Event::LookChosen { list: is_list, pages: Some(pages), users: subjects });
    if is_list {
        list.take_all(&first, pages.min(MOST_PAGES)).await?;
    }
    Ok(list.reading)
}

/// The list while it is being read.
struct List<'a> {
    hosts: &'a Hosts,
    ledger: &'a Ledger,
    reading: ListReading,
}

impl List<'_> {
    /// Takes in a page; `None` when it gave nothing.
    async fn take(&mut self, page: u64) -> Result<Option<UserPage>, LedgerError> {
        let taken = fetch(self.hosts, page).await;
        self.note(taken)
    }

    fn note(&mut self, taken: Result<UserPage, LookError>) -> Result<Option<UserPage>, LedgerError> {
        self.reading.pages += 1;
        let Ok(page) = taken else {
            self.reading.failed += 1;
            return Ok(None);
        };
        let listed: Vec<(LeafUserId, Option<Sight>)> =
            page.users.iter().map(|(id, look)| (*id, of_list(look))).collect();
        self.ledger.note_listed(&listed)?;
        let pages = self.reading.pages;
        self.hosts.observer.observe(&Event::ListRead { pages });
        Ok(Some(page))
    }

    /// Takes in all pages behind the first of a list that has so many.
    async fn take_all(&mut self, first: &UserPage, pages: u64) -> Result<(), LedgerError> {
        let hosts = self.hosts;
        let mut rest = iter(1..pages).map(|page| fetch(hosts, page)).buffer_unordered(PAGES_AT_ONCE);
        while let Some(taken) = rest.next().await {
            let page = self.note(taken)?;
            // Behind the end of the list, or of a host that gives the same page whatever it is asked for.
            let is_nothing_new = page.is_some_and(|page| page.entries == 0 || page == *first);
            if is_nothing_new || hosts.stop.is_draining() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes in page after page of a list that doesn't tell how many it has, until one is the last, or the list has cost
    /// as much as it may.
    async fn take_until_the_last(
        &mut self,
        first: UserPage,
        goes_on: impl Fn(u64) -> bool,
    ) -> Result<(), LedgerError> {
        let mut last = first;
        while last.entries > 0 && (last.has_next || last.entries as u64 >= LARGEST_PAGE) {
            let next = self.reading.pages;
            if !goes_on(next + 1) || next >= MOST_PAGES || self.hosts.stop.is_draining() {
                return Ok(());
            }
            match self.take(next).await? {
                // A host that gives the same page whatever it is asked for would do so for ever.
                Some(page) if page != last => last = page,
                _ => return Ok(()),
            }
        }
        Ok(())
    }
}

async fn fetch(hosts: &Hosts, page: u64) -> Result<UserPage, LookError> {
    hosts.look(Whom::Everybody, async |leaf, token| leaf.users(token, page).await).await
}

/// What an entry of the list shows; `None` where it leaves something open.
fn of_list(look: &UserLook) -> Option<Sight> {
    match look {
        UserLook::NoCredential => Some(Sight::NoCredential),
        UserLook::Credential(credential) => Some(Sight::Credential(credential.clone())),
        UserLook::Incomplete => None,
    }
}

/// How looks at single users went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Looking {
    /// Users looked at.
    pub users: u64,
    /// Those of them of whom nothing was seen.
    pub failed: u64,
}

/// Looks at every subject of whom nothing certain is known, as many at a time as rows may be under way.
pub(super) async fn look_at_unseen(
    hosts: &Hosts,
    ledger: &Ledger,
    at_once: usize,
) -> Result<Looking, LedgerError> {
    let mut looking = Looking::default();
    let mut after = None;
    loop {
        let users = ledger.unseen(after, USERS_AT_ONCE)?;
        let Some(last) = users.last() else { return Ok(looking) };
        after = Some(last.user);
        let look = |unseen: Unseen| async move {
            // Whoever hasn't been asked for by then is left to the next time.
            let is_over = hosts.stop.is_draining();
            let seen = if is_over {
                Err(LookError::Stopped)
            } else {
                look_closely(hosts, unseen.leaf_user_id).await
            };
            (unseen.user, seen)
        };
        let mut looks = iter(users).map(look).buffer_unordered(at_once);
        while let Some((user, seen)) = looks.next().await {
            looking.users += 1;
            match seen {
                Ok((sight, looks)) => ledger.note_look(user, &sight, looks)?,
                Err(LookError::Stopped) => return Ok(looking),
                Err(LookError::Failed(_)) => looking.failed += 1,
            }
            hosts.observer.observe(&Event::UserSeen);
        }
        if hosts.stop.is_draining() {
            return Ok(looking);
        }
    }
}

/// What a look at one user shows, and how many calls it took: one, and one more where its answer leaves something open.
pub(super) async fn look_closely(hosts: &Hosts, id: LeafUserId) -> Result<(Sight, u32), LookError> {
    let mut looks = 1;
    let whom = Whom::User(id);
    let look = hosts.look(whom, async |leaf, token| leaf.user(token, id).await).await;
    let found = match look {
        Ok(UserLook::NoCredential) => None,
        Ok(UserLook::Credential(credential)) => Some(credential),
        Ok(UserLook::Incomplete) => {
            looks += 1;
            match hosts
                .look(whom, async |leaf, token| leaf.credential(token, &leaf.credential_place(id)).await)
                .await
            {
                Ok(found) => found,
                Err(LookError::Failed(CallErrorKind::Forbidden)) => return Ok((Sight::Forbidden, looks)),
                Err(error) => return Err(error),
            }
        }
        Err(LookError::Failed(CallErrorKind::NotFound)) => return Ok((Sight::UnknownUser, looks)),
        Err(LookError::Failed(CallErrorKind::Forbidden)) => return Ok((Sight::Forbidden, looks)),
        Err(error) => return Err(error),
    };
    Ok((found.map_or(Sight::NoCredential, Sight::Credential), looks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_where_it_takes_fewer_calls_than_looks() {
        let cheaper = ListUse::WhereCheaper;
        assert!(cheaper.begins(10_000, 0));
        assert!(cheaper.goes_on(10_000, 100));
        assert!(!cheaper.goes_on(50, 100));
        // What is known to be at Leaf already tells that the list is longer than the looks.
        assert!(!cheaper.begins(50, 9_950));
        for few in [0, 1] {
            assert!(!cheaper.begins(few, 0), "{few}");
        }
        assert!(ListUse::Always.begins(1, 1_000_000));
        assert!(!ListUse::Always.begins(0, 0));
        assert!(!ListUse::Never.begins(1_000, 0));
    }
}
