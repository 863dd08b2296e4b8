//! The simulated Leaf's list of users, page by page.

use hyper::header::{HeaderName, HeaderValue, LINK};

use crate::model::LeafUserId;

use super::arrived::Arrived;
use super::leaf_objects::{CredentialObject, UserObject, email, external_id, name};
use super::list_page::ListPage;
use super::reply::Reply;
use super::world::World;

const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// Answers `GET …/users`: a page of users, with the whole count and links to other pages.
pub(super) fn list_users(world: &World, own_url: &str, page: ListPage, arrived: &Arrived) -> Reply {
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    let first = usize::try_from(page.number).unwrap_or(usize::MAX).saturating_mul(size);
    let filters = Filters::new(arrived);
    let (total, ids): (usize, Vec<LeafUserId>) = world.with_users(|users| match &filters {
        None => (users.len(), users.iter().skip(first).take(size).copied().collect()),
        Some(filters) => {
            let fitting: Vec<_> = users.iter().copied().filter(|&id| filters.fit(id)).collect();
            (fitting.len(), fitting.into_iter().skip(first).take(size).collect())
        }
    });
    let users: Vec<_> = ids
        .into_iter()
        .map(|id| {
            let credential = world.look(id).map(|shown| CredentialObject::new(world, shown));
            UserObject::new(id, credential)
        })
        .collect();
    let reply = Reply::json(200, &users).header(TOTAL_COUNT, HeaderValue::from(total));
    match HeaderValue::from_str(&links(own_url, page, total as u64)) {
        Ok(links) => reply.header(LINK, links),
        Err(_) => reply,
    }
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
    fn new(arrived: &Arrived) -> Option<Self> {
        let filters = Self {
            email: arrived.query("email"),
            name: arrived.query("name"),
            external_id: arrived.query("externalId"),
        };
        (filters.email.is_some() || filters.name.is_some() || filters.external_id.is_some())
            .then_some(filters)
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
