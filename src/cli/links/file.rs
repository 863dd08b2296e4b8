//! The file of magic links.

use std::path::PathBuf;

use crate::checkpoint::{Ledger, LedgerError, Merged, Rejected, RejectedUser};
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::reports::prepare_folder;
use crate::model::UnixMillis;
use crate::report::{LinkRecord, write_links};

/// How many users are read from the ledger at a time.
const USERS_AT_ONCE: usize = 512;

/// Where magic links are written.
#[derive(Debug, Clone)]
pub(in crate::cli) struct LinkFile {
    pub(in crate::cli) path: PathBuf,
    pub(super) kept_columns: Vec<String>,
}

impl LinkFile {
    /// Makes sure that it can be written, before anything is sent: another file is made beside it, and taken away again.
    ///
    /// # Errors
    ///
    /// When it can't be.
    pub(in crate::cli) fn prepare(&self) -> Result<(), Failure> {
        let is_folder = self.path.is_dir().then(|| std::io::ErrorKind::IsADirectory.into());
        is_folder.map_or_else(|| prepare_folder(&self.path), Err).map_err(|source| {
            let error = anyhow::Error::new(source)
                .context(format!("no magic links can be written to {}", self.path.display()));
            Failure::new(
                ExitCode::StateUnwritable,
                error,
                "nothing was sent; name another place with --magic-links FILE",
            )
        })
    }

    /// Writes every link that works yet, in the order of the places of their users, and tells how many.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read or the file can't be written.
    pub(super) fn write(&self, sources: &[(&Ledger, Rejected)]) -> Result<u64, Failure> {
        let users = sources.iter().map(|(ledger, whose)| {
            let users = Users { ledger, whose: *whose, after: Some(0), page: Vec::new().into_iter() };
            users.map(|user| user.map(|user| (user.place, user)))
        });
        let now = UnixMillis::now();
        let in_order = Merged::new(users.collect());
        let records = in_order.filter_map(|user| user.map(|(_, user)| record(user, now)).transpose());
        write_links(&self.path, &self.kept_columns, records).map_err(|error| {
            Failure::new(
                ExitCode::StateUnwritable,
                error,
                "the ledger holds the links; check the path, its permissions and the room on the disk, then write them \
                 with `stara-onboard report --magic-links FILE`",
            )
        })
    }
}

/// The user's record, where there is a link that works.
fn record(user: RejectedUser, now: UnixMillis) -> Option<LinkRecord> {
    let link = user.link.filter(|kept| kept.link.expires_at > now)?.link;
    Some(LinkRecord { leaf_user_id: user.leaf_user_id, login: user.login, link, kept: user.kept })
}

/// The users whose login was refused, read as they are asked for.
struct Users<'a> {
    ledger: &'a Ledger,
    whose: Rejected,
    /// Behind which place to go on; `None` at the end.
    after: Option<i64>,
    page: std::vec::IntoIter<RejectedUser>,
}

impl Iterator for Users<'_> {
    type Item = Result<RejectedUser, LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(user) = self.page.next() {
                return Some(Ok(user));
            }
            match self.ledger.rejected(self.whose, self.after?, USERS_AT_ONCE) {
                Ok(page) => (self.after, self.page) = (page.next, page.users.into_iter()),
                Err(error) => {
                    self.after = None;
                    return Some(Err(error));
                }
            }
        }
    }
}
