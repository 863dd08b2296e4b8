//! Opens the ledger, and guards which hosts and which key it belongs to.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use super::approach::Approach;
use super::error::LedgerError;
use super::file::{create_private, may_be_database, refuse_irregular};
use super::file_system::FileSystemKind;
use super::fingerprint::FingerprintKey;
use super::neighbours;
use super::schema;
use super::target::Target;
use crate::model::{Dialect, ParseShardError, Shard};

/// What a ledger is opened for.
#[derive(Debug, Clone, Copy)]
pub enum LedgerAccess<'a> {
    /// A run against these hosts. The ledger is made if there is none.
    Run(&'a Target),
    /// A run of one shard against these hosts. The ledger is made if there is none.
    ShardRun(&'a Target, Shard),
    /// Reading what earlier runs left.
    Read,
}

impl<'a> LedgerAccess<'a> {
    /// For a run against these hosts, of a shard or of whole manifests.
    #[must_use]
    pub fn of_run(target: &'a Target, shard: Option<Shard>) -> Self {
        shard.map_or(Self::Run(target), |shard| Self::ShardRun(target, shard))
    }

    const fn target(self) -> Option<&'a Target> {
        match self {
            Self::Run(target) | Self::ShardRun(target, _) => Some(target),
            Self::Read => None,
        }
    }

    const fn shard(self) -> Option<Shard> {
        match self {
            Self::ShardRun(_, shard) => Some(shard),
            Self::Run(_) | Self::Read => None,
        }
    }
}

/// Whether the fingerprints in the ledger can be compared with new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStanding {
    /// The key is the one the ledger was written with.
    Own,
    /// The key is missing or another one: done stays done, refused stays refused, and nothing counts as changed.
    Lost,
}

/// An open ledger.
#[derive(Debug)]
pub struct Ledger {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    key: FingerprintKey,
    standing: KeyStanding,
    /// Whose lines it holds: those of one shard, or those of whole manifests.
    shard: Option<Shard>,
    /// The target that the first staging of a new ledger records.
    unclaimed: Option<Target>,
}

impl Ledger {
    /// Opens the ledger at `path`, its tables at the newest version. Where it can't be written, reading opens a copy.
    ///
    /// # Errors
    ///
    /// When it can't be read or written, isn't a ledger, comes from a newer program, or belongs to other hosts; for
    /// reading also when there is none.
    pub fn open(path: &Path, access: LedgerAccess<'_>) -> Result<Self, LedgerError> {
        match Self::open_in_place(path, access) {
            // What may not be read can't be copied either.
            Err(error)
                if matches!(access, LedgerAccess::Read) && error.is_unwritable() && !error.is_denied() =>
            {
                Self::copy_of(path, access)
            }
            opened => opened,
        }
    }

    fn open_in_place(path: &Path, access: LedgerAccess<'_>) -> Result<Self, LedgerError> {
        Self::check_file(path)?;
        if access.target().is_some() {
            Self::check_place(path)?;
        }
        match path.symlink_metadata() {
            Ok(_) => {}
            Err(_) if matches!(access, LedgerAccess::Read) => {
                return Err(Self::missing(path));
            }
            Err(_) => {
                Self::check_division(path, access.shard())?;
                // The key first: a ledger without one could never tell what changed.
                if FingerprintKey::load(path)?.is_none() {
                    FingerprintKey::create(path)?;
                }
                create_private(path).map_err(|source| LedgerError::File { path: path.to_owned(), source })?;
            }
        }
        let connection = connect(path).map_err(|error| of_sqlite(path, error))?;
        // Before anything is set that SQLite would write into the file: it may be somebody else's.
        schema::recognise(&connection, path)?;
        make_durable(&connection).map_err(|error| of_sqlite(path, error))?;
        Self::of(connection, path, access, FingerprintKey::load(path)?)
    }

    /// What an open database comes to as the ledger at `path`, with the key that was found beside that one.
    pub(super) fn of(
        mut connection: Connection,
        path: &Path,
        access: LedgerAccess<'_>,
        key: Option<FingerprintKey>,
    ) -> Result<Self, LedgerError> {
        schema::migrate(&mut connection, path)?;
        let (key, standing) = match key {
            Some(key) => (key, KeyStanding::Own),
            None => (FingerprintKey::temporary()?, KeyStanding::Lost),
        };
        let mut ledger =
            Self { connection, path: path.to_owned(), key, standing, shard: None, unclaimed: None };
        ledger.shard = ledger.recorded_shard()?;
        if let Some(target) = access.target() {
            ledger.check_target(target)?;
            // Claimed with what is staged first, so that a run that is refused before it sends anything binds it to nothing.
            ledger.unclaimed = ledger.target()?.is_none().then(|| target.clone());
            if ledger.unclaimed.is_some() {
                ledger.shard = access.shard();
                Self::check_division(path, access.shard())?;
            }
            ledger.check_shard(access.shard())?;
        }
        if ledger.fact("key id")?.is_some_and(|recorded| recorded != ledger.key.id()) {
            ledger.standing = KeyStanding::Lost;
        }
        Ok(ledger)
    }

    /// Refuses a file that can't be a ledger, without touching it or anything beside it.
    ///
    /// # Errors
    ///
    /// When there is a symbolic link, something that is no file, or a file that is no SQLite database.
    pub fn check_file(path: &Path) -> Result<(), LedgerError> {
        // SQLite would follow a link in the place of a file of its own.
        for ending in ["-wal", "-shm", "-journal"] {
            let mut beside = path.as_os_str().to_owned();
            beside.push(ending);
            refuse_irregular(Path::new(&beside))?;
        }
        refuse_irregular(path)?;
        let Ok(metadata) = path.symlink_metadata() else { return Ok(()) };
        // SQLite's own empty database has no header yet.
        if metadata.len() == 0 {
            return Ok(());
        }
        let mut file =
            File::open(path).map_err(|source| LedgerError::File { path: path.to_owned(), source })?;
        if may_be_database(&mut file, path) {
            return Ok(());
        }
        Err(LedgerError::NotALedger { path: path.to_owned() })
    }

    /// What to say where there is no ledger at `path`: that there are ledgers of shards beside it, if there are; and where
    /// nobody may look, that it can't be told.
    #[must_use]
    pub fn missing(path: &Path) -> LedgerError {
        let path = path.to_owned();
        if let Err(source) = path.symlink_metadata()
            && source.kind() == std::io::ErrorKind::PermissionDenied
        {
            return LedgerError::File { path, source };
        }
        match neighbours::shards_beside(&path) {
            Some(shards) => LedgerError::MissingBesideShards { path, shards },
            None => LedgerError::Missing { path },
        }
    }

    /// Refuses a place that keeps no ledger safe, before anything is made there.
    ///
    /// # Errors
    ///
    /// [`LedgerError::OnNetwork`].
    pub fn check_place(path: &Path) -> Result<(), LedgerError> {
        match FileSystemKind::of(path) {
            FileSystemKind::Network(kind) => Err(LedgerError::OnNetwork { path: path.to_owned(), kind }),
            _ => Ok(()),
        }
    }

    /// Refuses a new ledger beside those that divide the same manifests otherwise: it would know nothing of what they know.
    ///
    /// # Errors
    ///
    /// [`LedgerError::OtherDivision`], and when the folder can't be read.
    pub fn check_division(path: &Path, shard: Option<Shard>) -> Result<(), LedgerError> {
        match neighbours::of_other_division(path, shard)? {
            Some(other) => Err(LedgerError::OtherDivision { path: path.to_owned(), other }),
            None => Ok(()),
        }
    }

    /// Refuses another target than the recorded one. A ledger that has none yet takes any.
    ///
    /// # Errors
    ///
    /// [`LedgerError::OtherTarget`], and when the ledger can't be read.
    pub fn check_target(&self, target: &Target) -> Result<(), LedgerError> {
        match self.target()? {
            Some(recorded) if recorded != *target => Err(LedgerError::OtherTarget {
                path: self.path.clone(),
                recorded: recorded.to_string(),
                asked: target.to_string(),
            }),
            _ => Ok(()),
        }
    }

    /// Refuses another shard than the ledger's own: of its users this one knows nothing. A ledger that belongs to nobody yet
    /// takes any.
    ///
    /// # Errors
    ///
    /// [`LedgerError::OtherShard`], and when the ledger can't be read.
    pub fn check_shard(&self, shard: Option<Shard>) -> Result<(), LedgerError> {
        if self.shard == shard || self.target()?.is_none() {
            return Ok(());
        }
        Err(LedgerError::OtherShard { path: self.path.clone(), recorded: self.shard, asked: shard })
    }

    /// The facts that make a new ledger this target's and this key's; none where it has been claimed already.
    pub(super) fn claim(&self) -> Vec<(&'static str, String)> {
        self.unclaimed.as_ref().map_or_else(Vec::new, |target| {
            let mut facts = vec![
                ("stara", target.stara.clone()),
                ("leaf", target.leaf.clone()),
                ("key id", self.key.id()),
            ];
            facts.extend(self.shard_fact());
            facts
        })
    }

    /// Takes note that the claim is durable.
    pub(super) fn claimed(&mut self) {
        self.unclaimed = None;
    }

    /// The key with which this run makes fingerprints.
    #[must_use]
    pub fn key(&self) -> &FingerprintKey {
        &self.key
    }

    /// Whether this run's fingerprints can be compared with the ledger's.
    #[must_use]
    pub fn key_standing(&self) -> KeyStanding {
        self.standing
    }

    /// The hosts the ledger belongs to; `None` before its first run.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn target(&self) -> Result<Option<Target>, LedgerError> {
        let hosts = self.fact("stara")?.zip(self.fact("leaf")?);
        Ok(hosts.map(|(stara, leaf)| Target { stara, leaf }))
    }

    /// The shard whose ledger it is; `None` where it holds whole manifests, and before its first run.
    #[must_use]
    pub fn shard(&self) -> Option<Shard> {
        self.shard
    }

    /// The fact that makes it this shard's ledger.
    pub(super) fn shard_fact(&self) -> Option<(&'static str, String)> {
        self.shard.map(|shard| (SHARD, shard.to_string()))
    }

    fn recorded_shard(&self) -> Result<Option<Shard>, LedgerError> {
        let Some(recorded) = self.fact(SHARD)? else { return Ok(None) };
        recorded.parse().map(Some).map_err(|error: ParseShardError| {
            let kind = rusqlite::types::Type::Text;
            self.failed(rusqlite::Error::FromSqlConversionFailure(0, kind, Box::new(error)))
        })
    }

    /// Where the ledger is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a login has ever succeeded on this target in this dialect, so that its refusals can be believed.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn has_login_succeeded(&self, dialect: Dialect) -> Result<bool, LedgerError> {
        Ok(self.fact(&login_succeeded(dialect))?.is_some())
    }

    /// Whether an earlier run was stopped because everybody was refused, and asked Stara in this way or in several.
    ///
    /// # Errors
    ///
    /// When the ledger can't be read.
    pub fn has_refusals_in_doubt(&self, asked: Approach) -> Result<bool, LedgerError> {
        self.connection
            .query_row(
                "SELECT EXISTS (SELECT 1 FROM refusals WHERE asked = ?1 OR is_settled)",
                [asked.0],
                |row| row.get(0),
            )
            .map_err(|source| self.failed(source))
    }

    pub(super) fn fact(&self, name: &str) -> Result<Option<String>, LedgerError> {
        self.connection
            .query_row("SELECT value FROM facts WHERE name = ?1", [name], |row| row.get(0))
            .optional()
            .map_err(|source| self.failed(source))
    }

    pub(super) fn failed(&self, source: rusqlite::Error) -> LedgerError {
        LedgerError::Database { path: self.path.clone(), source }
    }
}

/// How much of the ledger a connection keeps in memory, in KiB. Everything but the index of leafUserIds is read and written
/// in order; for that index alone 16 MiB would take a tenth less time to stage a million new users, and 10 MB more memory
/// than ten thousand need.
const CACHE_KIB: i64 = 4_096;

/// How many pages of 4 KiB the write-ahead log holds before they are carried into the ledger. SQLite's own 1,000 are reached
/// about every 1,200 rows, and each time most of the same pages are written and flushed once more.
const CHECKPOINT_PAGES: i64 = 4_000;

/// Records a fact.
pub(super) const REMEMBER: &str =
    "INSERT INTO facts (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value";

/// The name of the fact whose lines a shard's ledger holds.
const SHARD: &str = "shard";

/// The name of the fact that a login has succeeded in a dialect.
pub(super) fn login_succeeded(dialect: Dialect) -> String {
    format!("login succeeded in {dialect}")
}

/// Opens the database; nothing is written to it.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn make_durable(connection: &Connection) -> rusqlite::Result<()> {
    // FULL, not NORMAL: a commit that a power loss can take back would allow a second attach.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)
}

/// What an error of SQLite on opening says about the file.
pub(super) fn of_sqlite(path: &Path, source: rusqlite::Error) -> LedgerError {
    match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => LedgerError::NotALedger { path: path.to_owned() },
        _ => LedgerError::Database { path: path.to_owned(), source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target::new("https://stara.example", "https://leaf.example")
    }

    #[test]
    fn ports_count_but_on_this_machine() {
        let local =
            |port| Target::new(&format!("http://127.0.0.1:{port}"), &format!("http://localhost:{port}"));
        assert_eq!(local(1), local(2));
        assert_eq!(local(1), Target::new("http://[::1]:5", "http://127.0.0.1"));
        let remote = |port| Target::new(&format!("https://a.example:{port}"), "https://b.example");
        assert_ne!(remote(1), remote(2));
        assert_ne!(
            Target::new("https://127.evil.example", "https://a.example"),
            Target::new("http://127.0.0.1", "https://a.example")
        );
    }

    #[test]
    fn reading_makes_no_ledger() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.db");
        assert!(matches!(Ledger::open(&path, LedgerAccess::Read), Err(LedgerError::Missing { .. })));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_foreign_file_is_refused_and_left_untouched() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.db");
        std::fs::write(&path, "shopping list: milk, eggs, and a great deal of bread for the whole family")
            .unwrap();
        let error = Ledger::open(&path, LedgerAccess::Run(&target())).unwrap_err();
        assert!(matches!(error, LedgerError::NotALedger { .. }), "{error:?}");
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("shopping list"));

        let database = directory.path().join("other.db");
        Connection::open(&database).unwrap().execute_batch("CREATE TABLE bread (slices INTEGER)").unwrap();
        let error = Ledger::open(&database, LedgerAccess::Run(&target())).unwrap_err();
        assert!(matches!(error, LedgerError::NotALedger { .. }), "{error:?}");
    }

    #[test]
    fn a_ledger_whose_first_write_was_torn_by_a_power_loss_is_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let (path, journal) =
            (directory.path().join("ledger.db"), directory.path().join("ledger.db-journal"));
        let connection = Connection::open(&path).unwrap();
        // With a cache of no size SQLite writes while the transaction is open, and its journal is on the disk before.
        connection.pragma_update(None, "cache_size", 1).unwrap();
        connection
            .execute_batch("BEGIN; CREATE TABLE t (x); CREATE TABLE u (x); CREATE TABLE v (x);")
            .unwrap();
        let many = "WITH RECURSIVE n (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n LIMIT 9) \
                    INSERT INTO t SELECT randomblob(3000) FROM n";
        connection.execute_batch(many).unwrap();
        let hot = std::fs::read(&journal).unwrap();
        assert!(hot.len() >= 512, "the journal is on the disk");
        drop(connection);
        std::fs::write(&journal, hot).unwrap();
        std::fs::write(&path, [0; 4_096]).unwrap();
        let ledger = Ledger::open(&path, LedgerAccess::Run(&target())).unwrap();
        assert!(ledger.latest_run().unwrap().is_none());
        drop(ledger);
        // Without the journal nobody knows what the zeros were.
        std::fs::write(&path, [0; 4_096]).unwrap();
        let error = Ledger::open(&path, LedgerAccess::Run(&target())).unwrap_err();
        assert!(matches!(error, LedgerError::NotALedger { .. }), "{error:?}");
    }

    #[test]
    fn a_newer_ledger_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.db");
        drop(Ledger::open(&path, LedgerAccess::Run(&target())).unwrap());
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let error = Ledger::open(&path, LedgerAccess::Read).unwrap_err();
        assert!(matches!(error, LedgerError::TooNew { found: 99, .. }), "{error:?}");
    }

    #[test]
    fn a_lost_key_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.db");
        let ledger = Ledger::open(&path, LedgerAccess::Run(&target())).unwrap();
        assert_eq!(ledger.key_standing(), KeyStanding::Own);
        drop(ledger);
        std::fs::remove_file(directory.path().join("ledger.key")).unwrap();
        let ledger = Ledger::open(&path, LedgerAccess::Run(&target())).unwrap();
        assert_eq!(ledger.key_standing(), KeyStanding::Lost);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_a_ledger_and_links_are_not_followed() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.db");
        let ledger = Ledger::open(&path, LedgerAccess::Run(&target())).unwrap();
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
        }
        drop(ledger);
        let link = directory.path().join("link.db");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(Ledger::open(&link, LedgerAccess::Read), Err(LedgerError::SymbolicLink { .. })));
    }
}
