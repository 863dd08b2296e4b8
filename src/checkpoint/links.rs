//! The magic links that were made, sealed, and the users whose login was refused, who may need one.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::error::LedgerError;
use super::ledger::{KeyStanding, Ledger};
use super::record::UserKey;
use super::results::{read_line, result_columns};
use super::seal;
use super::sights::read_sight;
use crate::model::{Health, LeafUserId, Login, MagicLink, OutcomeCode, Secret, Sight, UnixMillis};

/// Whose refused logins are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejected {
    /// Rows of this run, the latest, that ended so and weren't left out by `--limit` or `--only`.
    InRun(i64),
    /// Users that the audit under way is about, whose last outcome it is, unless the audit saw that they hold a healthy
    /// credential by now, or that a link would be of no use to them.
    Audited,
}

/// A user whose login was refused.
#[derive(Debug)]
pub struct RejectedUser {
    /// Where it stands among the others: of a run its line, of an audit its place in the ledger.
    pub place: i64,
    /// Its place in the ledger.
    pub user: UserKey,
    /// Its id.
    pub leaf_user_id: LeafUserId,
    /// The login.
    pub login: Option<Login>,
    /// The cells of `--keep-column`, where the latest manifest has a line of the user.
    pub kept: Vec<String>,
    /// The link that was made for it, where the ledger's key opens it.
    pub link: Option<KeptLink>,
}

/// A magic link that was made earlier.
#[derive(Debug, Clone)]
pub struct KeptLink {
    /// The link.
    pub link: MagicLink,
    /// When it was made.
    pub made_at: UnixMillis,
}

/// Some of the users whose login was refused.
#[derive(Debug)]
pub struct RejectedPage {
    /// The users.
    pub users: Vec<RejectedUser>,
    /// Behind which place to go on; `None` where there are no more.
    pub next: Option<i64>,
}

/// That a link was made, without the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkNote {
    /// When it was made.
    pub made_at: UnixMillis,
    /// Until when it works.
    pub expires_at: UnixMillis,
}

/// Takes a user's link away.
pub(super) const DROP_LINK: &str = "DELETE FROM links WHERE user = ?1";

const KEEP: &str = "
    INSERT INTO links (user, sealed, made_at, expires_at, run) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT DO UPDATE SET sealed = excluded.sealed, made_at = excluded.made_at,
                              expires_at = excluded.expires_at, run = excluded.run";

/// The columns that [`Ledger::read_link`] reads.
const LINK_COLUMNS: &str = "users.key AS link_user, links.sealed AS link_sealed, links.made_at AS link_made, links.expires_at AS link_expires";

/// Of users whose refusal isn't in doubt: where everybody was refused it is mostly the manifest or the service, and the growers
/// should get no letters before somebody was attached. A line's own login counts before the one that its user was decided by.
const NOT_IN_DOUBT: &str = "NOT EXISTS (
    SELECT 1 FROM refusals WHERE asked IS NOT NULL AND NOT is_settled
    AND at > (SELECT coalesce(max(finished_at), 0) FROM users WHERE outcome = 'attached') AND login_print = ";

const AUDITED: &str = "
    SELECT users.leaf_user_id, users.login,
           (SELECT kept FROM lines WHERE lines.user = users.key ORDER BY line LIMIT 1),
           sights.sight, sights.credential_id, sights.credential_status, ";

impl Ledger {
    /// Keeps a user's link, sealed, in the place of the one before it. Durable when this returns.
    ///
    /// # Errors
    ///
    /// When the ledger can't be written, or the system gives no random bytes.
    pub fn keep_link(
        &self,
        user: UserKey,
        id: LeafUserId,
        link: &MagicLink,
        run: Option<i64>,
    ) -> Result<(), LedgerError> {
        let sealed = seal::seal(self.key(), id, &link.link).ok_or(LedgerError::NoRandomness)?;
        let put = || {
            let mut put = self.connection.prepare_cached(KEEP)?;
            put.execute(params![user.0, sealed, UnixMillis::now().0, link.expires_at.0, run]).map(drop)
        };
        put().map_err(|source| self.failed(source))
    }

    /// Users whose login was refused, at most about `most`, from behind the place `after` on (0 at first).
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn rejected(&self, whose: Rejected, after: i64, most: usize) -> Result<RejectedPage, LedgerError> {
        let page = match whose {
            Rejected::InRun(run) => self.rejected_in(run, after, most),
            Rejected::Audited => self.rejected_audited(after, most),
        };
        page.map_err(|source| self.failed(source))
    }

    fn rejected_in(&self, run: i64, after: i64, most: usize) -> rusqlite::Result<RejectedPage> {
        // More rows than are meant: what a line's outcome is, only one rule says, and that isn't in SQL.
        let sql = format!(
            "SELECT {}, {LINK_COLUMNS}
             FROM lines JOIN users ON users.key = lines.user LEFT JOIN links ON links.user = users.key
             WHERE lines.line > ?1 AND (lines.decision = 'refused' OR users.outcome = ?2)
               AND {NOT_IN_DOUBT} coalesce(lines.login_print, users.login_print))
             ORDER BY lines.line LIMIT ?3",
            result_columns()
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![after, OutcomeCode::StaraLoginRejected.as_str(), most])?;
        let mut page = RejectedPage { users: Vec::new(), next: None };
        while let Some(row) = rows.next()? {
            let result = read_line(row, run)?;
            let place = i64::try_from(result.line).unwrap_or(i64::MAX);
            page.next = Some(place);
            let is_meant = result.outcome.code == OutcomeCode::StaraLoginRejected && !result.not_selected;
            if let Some(leaf_user_id) = result.leaf_user_id.filter(|_| is_meant) {
                let (user, link) = self.read_link(row, leaf_user_id)?;
                let (login, kept) = (result.login, result.kept);
                page.users.push(RejectedUser { place, user, leaf_user_id, login, kept, link });
            }
        }
        Ok(page)
    }

    fn rejected_audited(&self, after: i64, most: usize) -> rusqlite::Result<RejectedPage> {
        let sql = format!(
            "{AUDITED} {LINK_COLUMNS}
             FROM sights JOIN users ON users.key = sights.user LEFT JOIN links ON links.user = users.key
             WHERE sights.user > ?1 AND users.outcome = ?2 AND {NOT_IN_DOUBT} users.login_print) ORDER BY sights.user LIMIT ?3"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![after, OutcomeCode::StaraLoginRejected.as_str(), most])?;
        let mut page = RejectedPage { users: Vec::new(), next: None };
        while let Some(row) = rows.next()? {
            let leaf_user_id = LeafUserId::from_bytes(row.get(0)?);
            let (user, link) = self.read_link(row, leaf_user_id)?;
            page.next = Some(user.0);
            if read_sight(row, 3)?.is_none_or(|sight| is_of_use(&sight)) {
                let login = row.get::<_, Option<String>>(1)?.map(Login::new);
                let kept: Option<String> = row.get(2)?;
                let kept = kept.and_then(|kept| serde_json::from_str(&kept).ok()).unwrap_or_default();
                let place = user.0;
                page.users.push(RejectedUser { place, user, leaf_user_id, login, kept, link });
            }
        }
        Ok(page)
    }

    /// The user of a row, and the link that was made for it.
    fn read_link(&self, row: &Row<'_>, id: LeafUserId) -> rusqlite::Result<(UserKey, Option<KeptLink>)> {
        let user = UserKey(row.get("link_user")?);
        let sealed: Option<Vec<u8>> = row.get("link_sealed")?;
        let made_at: Option<i64> = row.get("link_made")?;
        let expires_at: Option<i64> = row.get("link_expires")?;
        let opened = |sealed: Vec<u8>| -> Option<Secret> {
            // Without its own key the ledger holds nothing that could be opened.
            let is_own = self.key_standing() == KeyStanding::Own;
            is_own.then(|| seal::open(self.key(), id, &sealed)).flatten()
        };
        let kept = sealed.and_then(opened).zip(made_at.zip(expires_at)).map(|(link, (made, expires))| {
            let link = MagicLink { link, expires_at: UnixMillis(expires) };
            KeptLink { link, made_at: UnixMillis(made) }
        });
        Ok((user, kept))
    }

    /// That a link was made for this user, if one was.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn link_note(&self, id: LeafUserId) -> Result<Option<LinkNote>, LedgerError> {
        let sql = "SELECT made_at, expires_at FROM links JOIN users ON users.key = links.user
                   WHERE users.leaf_user_id = ?1";
        let note = |row: &Row<'_>| {
            Ok(LinkNote { made_at: UnixMillis(row.get(0)?), expires_at: UnixMillis(row.get(1)?) })
        };
        self.connection.query_row(sql, [id.as_bytes()], note).optional().map_err(|source| self.failed(source))
    }
}

/// Whether a user of whom this was seen may need a link: not whom Leaf doesn't know or let us see, and not whose
/// credential is well.
fn is_of_use(sight: &Sight) -> bool {
    match sight {
        Sight::NoCredential => true,
        Sight::Credential(credential) => credential.health() == Health::Unhealthy,
        Sight::UnknownUser | Sight::Forbidden => false,
    }
}

/// Whether any link is kept at all.
pub(super) fn any(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM links)", [], |row| row.get(0))
}
