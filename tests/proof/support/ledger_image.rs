//! What a ledger holds, read from a copy of it, so that looking changes nothing.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use stara_onboard::model::LeafUserId;

/// The users of a ledger that was left behind by a crash.
#[derive(Debug, Default)]
pub(crate) struct LedgerImage {
    pub(crate) users: HashMap<String, UserImage>,
}

/// What the ledger knows of a user.
#[derive(Debug)]
pub(crate) struct UserImage {
    /// The login and the outcome of the row that was decided last.
    pub(crate) login: Option<String>,
    pub(crate) outcome: Option<String>,
    /// How many attaches were announced and aren't settled; none for a removal.
    pub(crate) announced: Option<u32>,
}

impl LedgerImage {
    /// Reads the ledger in `folder`; an empty image when there is none yet, or none with tables.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let copy = tempfile::tempdir().map_err(|error| error.to_string())?;
        for name in ["ledger.db", "ledger.db-wal", "ledger.db-journal"] {
            if folder.join(name).exists() {
                std::fs::copy(folder.join(name), copy.path().join(name)).unwrap();
            }
        }
        let path = copy.path().join("ledger.db");
        if !path.exists() {
            return Ok(Self::default());
        }
        Self::query(&path).map_err(|error| error.to_string())?
    }

    fn query(path: &Path) -> rusqlite::Result<Result<Self, String>> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let health: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        if health != "ok" {
            return Ok(Err(format!("integrity_check: {health}")));
        }
        let has_users = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'users')";
        if !connection.query_row(has_users, [], |row| row.get::<_, bool>(0))? {
            return Ok(Ok(Self::default()));
        }
        let mut users = connection
            .prepare("SELECT leaf_user_id, outcome, intent_at, intent_attaches, login FROM users")?;
        let users = users.query_map([], |row| {
            let id = LeafUserId::from_bytes(row.get(0)?).to_string();
            let attaches: u32 = row.get(3)?;
            let announced = row.get::<_, Option<i64>>(2)?.map(|_| attaches);
            Ok((id, UserImage { outcome: row.get(1)?, announced, login: row.get(4)? }))
        })?;
        Ok(Ok(Self { users: users.collect::<rusqlite::Result<_>>()? }))
    }

    pub(crate) fn outcome(&self, user: &str) -> Option<&str> {
        self.users.get(user)?.outcome.as_deref()
    }
}
