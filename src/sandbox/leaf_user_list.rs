//! The simulated Leaf's users, one alone or page by page.

use hyper::header::{HeaderName, HeaderValue, LINK};

use crate::model::LeafUserId;

use super::arrived::Arrived;
use super::faults::{Asked, PageFlaw, UserFlaw};
use super::issued::spread_key;
use super::leaf_objects::{CredentialObject, UserObject, email, external_id, name};
use super::list_page::ListPage;
use super::reply::Reply;
use super::turn::Turn;
use super::users::Standing;
use super::world::World;

const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// Answers `GET …/users/{id}` for a known user.
pub(super) fn show_user(world: &World, id: LeafUserId, asked: &Asked) -> Reply {
    let flaws = world.faults.user_flaws(asked);
    let user = flaws.iter().fold(object(world, id), |user, &flaw| user.flawed(flaw));
    Reply::json(200, &user).befallen_by(flaws.into_iter().map(UserFlaw::as_str))
}

/// Answers `GET …/users`: a page of users, with the whole count and links to other pages.
pub(super) fn list_users(world: &World, own_url: &str, page: ListPage, arrived: &Arrived) -> Reply {
    let asked = Asked::list(page.number);
    let flaws = world.faults.page_flaws(&asked);
    let in_front: Vec<_> = flaws.iter().flat_map(|&flaw| users_in_front(flaw)).collect();
    let shown = flaws.iter().fold(page, |page, &flaw| instead_of(page, flaw));
    let (true_total, ids) = select(world, &in_front, shown, &Filters::new(arrived));
    let mut befallen: Vec<_> = flaws.iter().map(|flaw| flaw.as_str()).collect();
    let users: Vec<_> = ids.into_iter().flat_map(|id| show(world, id, &asked, &mut befallen)).collect();

    let told = flaws.iter().rev().find_map(|flaw| match flaw {
        PageFlaw::FalseTotal(total) => Some(*total),
        _ => None,
    });
    let total = told.unwrap_or(true_total);
    let mut reply = Reply::json(200, &users).befallen_by(befallen);
    if !flaws.contains(&PageFlaw::WithoutTotal) {
        reply = reply.header(TOTAL_COUNT, HeaderValue::from(total));
    }
    match HeaderValue::from_str(&links(own_url, ListPage { size: shown.size, ..page }, total)) {
        Ok(links) => reply.header(LINK, links),
        Err(_) => reply,
    }
}

fn object(world: &World, id: LeafUserId) -> UserObject {
    let credential = world.look(id).map(|shown| CredentialObject::new(world, shown));
    UserObject::new(id, credential)
}

/// A user as the list shows it: once, unless faults say otherwise.
fn show(world: &World, id: LeafUserId, list: &Asked, befallen: &mut Vec<&'static str>) -> Vec<UserObject> {
    if !world.faults.any() {
        return vec![object(world, id)];
    }
    let asked = list.showing(id);
    let turns = world.let_turn(id, &asked);
    befallen.extend(turns.iter().map(|turn| turn.as_str()));
    if turns.contains(&Turn::UnknownUser) && world.standing(id) == Standing::Unknown {
        return Vec::new();
    }
    let mut shown = Vec::new();
    let mut left = 1;
    while left > 0 {
        left -= 1;
        let flaws = world.faults.user_flaws(&asked);
        befallen.extend(flaws.iter().map(|flaw| flaw.as_str()));
        left += usize::from(shown.is_empty() && flaws.contains(&UserFlaw::Twice));
        shown.push(flaws.into_iter().fold(object(world, id), UserObject::flawed));
    }
    shown
}

/// How many users fit the filters, and those of them that stand on the page.
fn select(
    world: &World,
    in_front: &[LeafUserId],
    page: ListPage,
    filters: &Filters,
) -> (u64, Vec<LeafUserId>) {
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    let first = usize::try_from(page.number).unwrap_or(usize::MAX).saturating_mul(size);
    let (total, ids) = world.with_users(|users| {
        let all = in_front.iter().chain(users).copied();
        if filters.are_empty() {
            (in_front.len() + users.len(), all.skip(first).take(size).collect())
        } else {
            let fitting: Vec<_> = all.filter(|&id| filters.fit(id)).collect();
            (fitting.len(), fitting.into_iter().skip(first).take(size).collect())
        }
    });
    (total as u64, ids)
}

/// The page that is shown in the place of the one that was asked for.
fn instead_of(page: ListPage, flaw: PageFlaw) -> ListPage {
    match flaw {
        PageFlaw::AlwaysFirst => ListPage { number: 0, ..page },
        PageFlaw::SmallPages(size) => ListPage { size: page.size.min(size).max(1), ..page },
        PageFlaw::WithoutTotal | PageFlaw::FalseTotal(_) | PageFlaw::UsersInFront(_) => page,
    }
}

/// The users that a flaw puts in front of the list, always the same ones.
fn users_in_front(flaw: PageFlaw) -> Vec<LeafUserId> {
    let PageFlaw::UsersInFront(count) = flaw else { return Vec::new() };
    let id = |number: u32| {
        let random = spread_key(b"in front of all.", u64::from(number)).to_be_bytes();
        LeafUserId::from_bytes(uuid::Builder::from_random_bytes(random).into_uuid().into_bytes())
    };
    (0..count).map(id).collect()
}

/// The `Link` header of a page of users.
fn links(own_url: &str, page: ListPage, total: u64) -> String {
    let ListPage { number, size } = page;
    let link = |page: u64, relation: &str| {
        format!(r#"<{own_url}/services/usermanagement/api/users?page={page}&size={size}>; rel="{relation}""#)
    };
    let last = total.div_ceil(size).saturating_sub(1);
    let mut links = Vec::new();
    if number < last {
        links.push(link(number + 1, "next"));
    }
    links.push(link(last, "last"));
    links.push(link(0, "first"));
    links.join(",")
}

/// What a listed user must be equal to.
struct Filters {
    email: Option<String>,
    name: Option<String>,
    external_id: Option<String>,
}

impl Filters {
    fn new(arrived: &Arrived) -> Self {
        Self {
            email: arrived.query("email"),
            name: arrived.query("name"),
            external_id: arrived.query("externalId"),
        }
    }

    fn are_empty(&self) -> bool {
        self.email.is_none() && self.name.is_none() && self.external_id.is_none()
    }

    fn fit(&self, id: LeafUserId) -> bool {
        self.email.as_ref().is_none_or(|text| *text == email(id))
            && self.name.as_ref().is_none_or(|text| *text == name(id))
            && self.external_id.as_ref().is_none_or(|text| *text == external_id(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_of_users_has_no_next_one() {
        let links = |number, total| links("http://h", ListPage { number, size: 100 }, total);
        assert_eq!(
            links(0, 250),
            "<http://h/services/usermanagement/api/users?page=1&size=100>; rel=\"next\",\
             <http://h/services/usermanagement/api/users?page=2&size=100>; rel=\"last\",\
             <http://h/services/usermanagement/api/users?page=0&size=100>; rel=\"first\""
        );
        assert!(!links(2, 250).contains("next"));
        assert!(!links(0, 0).contains("next"));
    }
}
