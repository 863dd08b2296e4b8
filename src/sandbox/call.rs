//! Which call a request is, by its method and path.

use hyper::Method;

use crate::model::{LeafUserId, Service};

/// The calls that the two services know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallKind {
    /// Stara: `POST /autenticacao`, login and password for an apiKey.
    Authenticate,
    /// Stara: `POST /token`, an apiKey for tokens.
    Token,
    /// Leaf: `POST /api/authenticate`, the account for a bearer token.
    LeafLogin,
    /// Leaf: `GET …/users/{id}`.
    GetUser,
    /// Leaf: `GET …/users`.
    ListUsers,
    /// Leaf: `GET …/users/{id}/stara-credentials`.
    GetCredential,
    /// Leaf: `POST …/users/{id}/stara-credentials`, the attach.
    CreateCredential,
    /// Leaf: `DELETE …/users/{id}/stara-credentials`.
    DeleteCredential,
    /// Leaf: `GET …/users/{id}/stara-credentials/events`.
    GetEvents,
    /// Leaf: `POST …/magic-link/users/{id}/authentication`.
    MagicLink,
    /// Anything else; it is answered 404.
    Other,
}

impl CallKind {
    /// Every call that the services know, by the name under which faults are told of it.
    const NAMED: [(&'static str, Service, Self); 10] = [
        ("authenticate", Service::Stara, Self::Authenticate),
        ("token", Service::Stara, Self::Token),
        ("log-in", Service::Leaf, Self::LeafLogin),
        ("user", Service::Leaf, Self::GetUser),
        ("users", Service::Leaf, Self::ListUsers),
        ("look", Service::Leaf, Self::GetCredential),
        ("attach", Service::Leaf, Self::CreateCredential),
        ("remove", Service::Leaf, Self::DeleteCredential),
        ("events", Service::Leaf, Self::GetEvents),
        ("magic-link", Service::Leaf, Self::MagicLink),
    ];

    /// Every call that the services know.
    pub(super) fn known() -> impl Iterator<Item = Self> {
        Self::NAMED.iter().map(|(.., kind)| *kind)
    }

    /// Whether it is about a user of Leaf, or several.
    pub(super) const fn is_about_users(self) -> bool {
        !matches!(self, Self::Authenticate | Self::Token | Self::LeafLogin | Self::Other)
    }

    /// The call's name: `authenticate`, `attach`, `look`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMED.iter().find(|(_, _, kind)| *kind == self).map_or("other", |(name, ..)| name)
    }

    /// The call of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(known, ..)| *known == name).map(|(.., kind)| *kind)
    }
}

/// A choice of calls, by service or one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// Every call to either service.
    All,
    /// Every call to one service.
    Of(Service),
    /// Every call of one kind.
    One(CallKind),
}

impl Calls {
    /// The calls of this name: `all`, a service, or a call with or without its service, as in `stara.token`. Stara's
    /// `authenticate` is also found under the name that Stara gives it, and `users` also as `list`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let of = |service: Service| service.as_str().to_ascii_lowercase();
        if name == "all" {
            return Some(Self::All);
        }
        if let Some(service) = Service::ALL.into_iter().find(|service| of(*service) == name) {
            return Some(Self::Of(service));
        }
        let (service, name) = match name.split_once('.') {
            Some((service, name)) => (Some(service), name),
            None => (None, name),
        };
        let name = match name {
            "autenticacao" => "authenticate",
            "list" => "users",
            other => other,
        };
        let mut named = CallKind::NAMED.iter().filter(|(known, ..)| *known == name);
        let (_, _, kind) = named.find(|(_, own, _)| service.is_none_or(|service| of(*own) == service))?;
        Some(Self::One(*kind))
    }

    pub(super) fn include(self, service: Service, kind: CallKind) -> bool {
        match self {
            Self::All => true,
            Self::Of(only) => only == service,
            Self::One(only) => only == kind,
        }
    }
}

const LEAF_USERS: &str = "/services/usermanagement/api/users";
const LEAF_MAGIC_LINKS: &str = "/services/widgets/api/magic-link/users/";

/// The call of a request, and the Leaf user that its path names.
pub(super) fn route(service: Service, method: &Method, path: &str) -> (CallKind, Option<LeafUserId>) {
    match service {
        Service::Stara => (stara(method, path), None),
        Service::Leaf => leaf(method, path).unwrap_or((CallKind::Other, None)),
    }
}

fn stara(method: &Method, path: &str) -> CallKind {
    match path {
        "/autenticacao" if method == Method::POST => CallKind::Authenticate,
        "/token" if method == Method::POST => CallKind::Token,
        _ => CallKind::Other,
    }
}

fn leaf(method: &Method, path: &str) -> Option<(CallKind, Option<LeafUserId>)> {
    if path == "/api/authenticate" {
        return (method == Method::POST).then_some((CallKind::LeafLogin, None));
    }
    if let Some(rest) = path.strip_prefix(LEAF_MAGIC_LINKS) {
        let (id, tail) = rest.split_once('/')?;
        return (method == Method::POST && tail == "authentication")
            .then_some((CallKind::MagicLink, Some(id.parse().ok()?)));
    }
    let rest = path.strip_prefix(LEAF_USERS)?;
    if rest.is_empty() {
        return (method == Method::GET).then_some((CallKind::ListUsers, None));
    }
    let rest = rest.strip_prefix('/')?;
    let (id, tail) = rest.split_once('/').unwrap_or((rest, ""));
    let kind = match tail {
        "" if method == Method::GET => CallKind::GetUser,
        "stara-credentials" if method == Method::GET => CallKind::GetCredential,
        "stara-credentials" if method == Method::POST => CallKind::CreateCredential,
        "stara-credentials" if method == Method::DELETE => CallKind::DeleteCredential,
        "stara-credentials/events" if method == Method::GET => CallKind::GetEvents,
        _ => return None,
    };
    Some((kind, Some(id.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0a1b2c3d-0000-4000-8000-00000000abcd";

    #[test]
    fn every_documented_call_is_recognised() {
        let id: LeafUserId = ID.parse().unwrap();
        let users = format!("{LEAF_USERS}/{ID}");
        for (service, method, path, expected) in [
            (Service::Stara, Method::POST, "/autenticacao".to_owned(), (CallKind::Authenticate, None)),
            (Service::Stara, Method::POST, "/token".to_owned(), (CallKind::Token, None)),
            (Service::Leaf, Method::POST, "/api/authenticate".to_owned(), (CallKind::LeafLogin, None)),
            (Service::Leaf, Method::GET, LEAF_USERS.to_owned(), (CallKind::ListUsers, None)),
            (Service::Leaf, Method::GET, users.clone(), (CallKind::GetUser, Some(id))),
            (
                Service::Leaf,
                Method::GET,
                format!("{users}/stara-credentials"),
                (CallKind::GetCredential, Some(id)),
            ),
            (
                Service::Leaf,
                Method::POST,
                format!("{users}/stara-credentials"),
                (CallKind::CreateCredential, Some(id)),
            ),
            (
                Service::Leaf,
                Method::DELETE,
                format!("{users}/stara-credentials"),
                (CallKind::DeleteCredential, Some(id)),
            ),
            (
                Service::Leaf,
                Method::GET,
                format!("{users}/stara-credentials/events"),
                (CallKind::GetEvents, Some(id)),
            ),
            (
                Service::Leaf,
                Method::POST,
                format!("{LEAF_MAGIC_LINKS}{ID}/authentication"),
                (CallKind::MagicLink, Some(id)),
            ),
        ] {
            assert_eq!(route(service, &method, &path), expected, "{method} {path}");
        }
    }

    #[test]
    fn what_is_undocumented_is_another_call() {
        for (service, method, path) in [
            (Service::Stara, Method::GET, "/token".to_owned()),
            (Service::Stara, Method::POST, "/api/authenticate".to_owned()),
            (Service::Leaf, Method::POST, "/autenticacao".to_owned()),
            (Service::Leaf, Method::GET, format!("{LEAF_USERS}/not-a-uuid")),
            (Service::Leaf, Method::GET, format!("{LEAF_USERS}s")),
            (Service::Leaf, Method::PUT, format!("{LEAF_USERS}/{ID}/stara-credentials")),
            (Service::Leaf, Method::GET, format!("{LEAF_USERS}/{ID}/stara-credentials/")),
        ] {
            assert_eq!(route(service, &method, &path), (CallKind::Other, None), "{method} {path}");
        }
    }
}
