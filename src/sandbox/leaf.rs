//! The simulated Leaf: its token, its users, and their Stara credentials.

use crate::model::{LeafUserId, Secret, UnixMillis};

use super::arrived::Arrived;
use super::call::CallKind;
use super::faults::{Asked, UserFlaw};
use super::issued::LoginKey;
use super::leaf_events::log_of;
use super::leaf_objects::{
    AccountLogin, BearerObject, CredentialObject, MagicLinkObject, NewCredential, NewMagicLink, written_time,
};
use super::leaf_user_list::{list_users, show_user};
use super::options::{SandboxOptions, SecondAttach};
use super::record::CallLogin;
use super::reply::Reply;
use super::turn::Turn;
use super::users::{AttachResult, Standing};
use super::world::World;

/// A magic link lives from 900 seconds to a year.
const LINK_SECONDS: std::ops::RangeInclusive<u64> = 900..=31_536_000;

/// The login that a call is about.
pub(super) fn login(arrived: &Arrived) -> Option<CallLogin> {
    if arrived.call != CallKind::CreateCredential {
        return None;
    }
    let body = NewCredential::read(&arrived.body)?;
    Some(CallLogin { key: LoginKey::of_api_key(&body.api_key)?, text: None })
}

/// Carries out a call. `own_url` is the host's own, for the links it answers.
pub(super) fn carry_out(world: &World, options: &SandboxOptions, own_url: &str, arrived: &Arrived) -> Reply {
    if arrived.call == CallKind::LeafLogin {
        return log_in(world, options, &arrived.body);
    }
    let only = options.leaf_token.as_ref().map(Secret::expose_secret);
    if !world.bearers.admit(arrived.bearer(), only, options.token_lifetime_requests) {
        return Reply::problem(401, "The bearer token is missing, malformed or expired.");
    }
    if let Some(page) = arrived.page() {
        return list_users(world, own_url, page, arrived);
    }
    match arrived.user {
        Some(user) => {
            let login = world.faults.any().then(|| login(arrived)).flatten();
            let asked = Asked::about(user, arrived.call, login.map(|login| login.key));
            let turns = world.let_turn(user, &asked);
            let reply = match world.standing(user) {
                Standing::Known => about_user(world, options, &asked, user, &arrived.body),
                Standing::Unknown => Reply::problem(404, "There is no such user."),
                Standing::Forbidden => Reply::problem(403, "The user belongs to another account."),
            };
            reply.befallen_by(turns.into_iter().map(Turn::as_str))
        }
        None => Reply::problem(404, "There is nothing here."),
    }
}

fn about_user(
    world: &World,
    options: &SandboxOptions,
    asked: &Asked,
    user: LeafUserId,
    body: &[u8],
) -> Reply {
    match asked.call {
        CallKind::GetUser => show_user(world, user, asked),
        CallKind::GetCredential => match world.look(user) {
            Some(shown) => {
                let flaws = world.faults.user_flaws(asked);
                let credential = CredentialObject::new(world, shown);
                let shown = flaws.iter().fold(credential, |credential, &flaw| credential.flawed(flaw));
                Reply::json(200, &shown).befallen_by(flaws.into_iter().map(UserFlaw::as_str))
            }
            None => no_credentials(),
        },
        CallKind::GetEvents => match world.logged(user) {
            Some(shown) => Reply::json(200, &log_of(world, &shown)),
            None => no_credentials(),
        },
        CallKind::CreateCredential => attach(world, options, user, body),
        CallKind::DeleteCredential if world.detach(user) => Reply::empty(204).with_effect(true),
        CallKind::DeleteCredential => no_credentials(),
        CallKind::MagicLink => magic_link(world, user, body),
        _ => Reply::problem(404, "There is nothing here."),
    }
}

fn no_credentials() -> Reply {
    Reply::problem(404, "The user has no Stara credentials.")
}

fn attach(world: &World, options: &SandboxOptions, user: LeafUserId, body: &[u8]) -> Reply {
    let Some(body) = NewCredential::read(body) else {
        return Reply::problem(400, "apiKey, accessToken, accessTokenClient and refreshToken are required.");
    };
    let tokens = world.logins().validate(
        &body.api_key,
        &body.access_token,
        &body.refresh_token,
        &body.access_token_client,
        options.tokens_voided_by_next,
    );
    let Some(tokens) = tokens else {
        return Reply::problem(400, "The credentials are not valid.");
    };
    if world.refuses_attach(user, &tokens) {
        return Reply::problem(400, "The credentials were refused.");
    }
    let (result, is_lost) = world.attach(user, &tokens, options.on_second_attach);
    match result {
        AttachResult::Attached { shown, .. } => {
            Reply::json(201, &CredentialObject::new(world, shown)).with_effect(true).lost(is_lost)
        }
        AttachResult::Exists if options.on_second_attach == SecondAttach::BadRequest400 => {
            Reply::problem(400, "The request could not be processed.")
        }
        AttachResult::Exists => Reply::problem(409, "The user has Stara credentials already."),
    }
}

fn log_in(world: &World, options: &SandboxOptions, body: &[u8]) -> Reply {
    let Ok(login) = serde_json::from_slice::<AccountLogin<'_>>(body) else {
        return Reply::problem(400, "username and password are required.");
    };
    let is_let_in = options.leaf_account.as_ref().is_none_or(|account| {
        login.username == account.username && login.password == account.password.expose_secret()
    });
    if !is_let_in {
        return Reply::problem(401, "The account or its password is wrong.");
    }
    let bearer = BearerObject { id_token: world.bearers.issue() };
    Reply::json(200, &bearer).with_effect(true)
}

fn magic_link(world: &World, user: LeafUserId, body: &[u8]) -> Reply {
    let wanted = serde_json::from_slice::<NewMagicLink<'_>>(body).ok();
    let Some(wanted) =
        wanted.filter(|link| link.provider == "Stara" && LINK_SECONDS.contains(&link.expires_in))
    else {
        return Reply::problem(400, "provider must be Stara, and expiresIn 900 seconds to a year.");
    };
    let lifetime_millis = i64::try_from(wanted.expires_in).unwrap_or(i64::MAX) * 1_000;
    let link = MagicLinkObject {
        id: user,
        link: world.issue_link(user),
        expires_at: written_time((UnixMillis::now().0 + lifetime_millis) * 1_000),
        leaf_user_id: user,
        max_usage: 1,
        usage_count: 0,
    };
    Reply::json(200, &link).with_effect(true)
}
