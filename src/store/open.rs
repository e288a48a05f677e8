//! open — opens a database file: modes, pragmas, schema.
//! Owns: `Db`, the two kinds of file (`State`, `Cache`), folder and file modes. May import: base.
//! Start reading at: `open_writer`. Folders are 0700 and files 0600 whatever the umask is (security K-01); SQLite
//! gives `-wal` and `-shm` the mode of their database.

use super::error::{Result, StoreError, StoreErrorKind};
use super::migrate;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, DirBuilder, OpenOptions};
use std::marker::PhantomData;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

/// How long one process waits for another (decisions 8).
pub const BUSY: Duration = Duration::from_secs(5);
/// The longest text or blob that a row may hold, in octets: rows are small, bodies lie in files.
const MAX_VALUE: i32 = 64 * 1024 * 1024;

/// How many pages the log may hold before a commit empties it; in idle moments it is emptied earlier, so that nobody waits.
/// 16 MB of the cache's: whoever opens the files after an end that nobody expected reads all of it.
const CHECKPOINT: u32 = 2_000;

/// A kind of database file.
pub trait Kind: Send + Sync + 'static {
    /// The file's name.
    const NAME: &'static str;
    /// Its migrations; the n-th leads to `user_version` n + 1.
    const MIGRATIONS: &'static [&'static str];
    /// `synchronous`: FULL for intent, NORMAL for what can be fetched again.
    const SYNCHRONOUS: &'static str;
    /// How many octets a page of a fresh file has.
    const PAGE: u32 = 4_096;
    /// How many kB of the file's pages the writer keeps.
    const PAGES: u32 = 8_000;
    /// How many kB of them each reader keeps: there are several, and the system keeps them all.
    const READER_PAGES: u32 = 500;
    /// Whether a fresh file's row ids start at a random height (decisions 6).
    const SEEDED: bool;
    /// Whether a damaged file may be put aside and begun anew.
    const DISPOSABLE: bool;
}

/// `state.sqlite`: what no server can give again.
#[derive(Debug)]
pub enum State {}
/// `cache.sqlite`: what a server has.
#[derive(Debug)]
pub enum Cache {}

impl Kind for State {
    const NAME: &'static str = "state.sqlite";
    const MIGRATIONS: &'static [&'static str] = &[
        include_str!("migrations/state/0001_base.sql"),
        include_str!("migrations/state/0002_draft_copy.sql"),
        include_str!("migrations/state/0003_asked.sql"),
        include_str!("migrations/state/0004_choice.sql"),
        include_str!("migrations/state/0005_setting.sql"),
        include_str!("migrations/state/0006_meant.sql"),
    ];
    const SYNCHRONOUS: &'static str = "FULL";
    // It grows with every act, and of what is done nobody reads: what is pending fits.
    const PAGES: u32 = 500;
    const READER_PAGES: u32 = 250;
    const SEEDED: bool = false;
    const DISPOSABLE: bool = false;
}

impl Kind for Cache {
    const NAME: &'static str = "cache.sqlite";
    const MIGRATIONS: &'static [&'static str] = &[
        include_str!("migrations/cache/0001_base.sql"),
        include_str!("migrations/cache/0002_views.sql"),
        include_str!("migrations/cache/0003_tree.sql"),
        include_str!("migrations/cache/0004_search.sql"),
        include_str!("migrations/cache/0005_parts.sql"),
        include_str!("migrations/cache/0006_limits.sql"),
        include_str!("migrations/cache/0007_doubt.sql"),
        include_str!("migrations/cache/0008_mailbox_object.sql"),
        include_str!("migrations/cache/0009_poison.sql"),
        include_str!("migrations/cache/0010_untold.sql"),
        include_str!("migrations/cache/0011_words.sql"),
        include_str!("migrations/cache/0012_partly.sql"),
        include_str!("migrations/cache/0013_trouble.sql"),
        include_str!("migrations/cache/0014_thread_key.sql"),
        include_str!("migrations/cache/0015_fewer.sql"),
        include_str!("migrations/cache/0016_numbers.sql"),
        include_str!("migrations/cache/0017_levels.sql"),
    ];
    const SYNCHRONOUS: &'static str = "NORMAL";
    // Half as many writes in a first sync, which fills whole pages.
    const PAGE: u32 = 8_192;
    const SEEDED: bool = true;
    const DISPOSABLE: bool = true;
}

/// A connection to a file of kind `K`; table functions take it, so that a question never goes to the wrong file.
pub struct Db<K> {
    conn: Connection,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Db<K> {
    /// For the store's own modules.
    pub(super) const fn conn(&self) -> &Connection {
        &self.conn
    }

    pub(super) const fn conn_mut(&mut self) -> &mut Connection {
        &mut self.conn
    }

    pub(super) const fn of(conn: Connection) -> Self {
        Self { conn, kind: PhantomData }
    }
}

impl<K> std::fmt::Debug for Db<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Db")
    }
}

/// Makes a folder that only we can enter, or closes one that is ours.
///
/// # Errors
/// `Permission` if it is a link or belongs to somebody else.
pub fn private_folder(dir: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let meta = fs::symlink_metadata(dir)?;
    if !meta.is_dir() || meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(StoreError::new(StoreErrorKind::Permission, &format!("{} is a link or not ours", dir.display())));
    }
    if meta.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Makes the file if there is none, 0600 from its first moment, and closes it to others if it is open to them.
fn private_file(path: &Path) -> Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => return Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(e.into()),
    }
    let meta = fs::symlink_metadata(path)?;
    if !meta.is_file() || meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(StoreError::new(StoreErrorKind::Permission, &format!("{} is a link or not ours", path.display())));
    }
    if meta.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

fn common(conn: &Connection) -> Result<()> {
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(128);
    conn.set_limit(rusqlite::limits::Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE)?;
    // trusted_schema off and cell_size_check on: a damaged or planted file is met with distrust.
    conn.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;")?;
    // Else a statement is compiled anew for each value that its plan might depend on: a third of a first sync's time.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    super::search::functions(conn)?;
    super::refs::functions(conn)?;
    Ok(())
}

/// Opens `dir`/NAME for reading and writing, with the newest schema. The folder must exist.
///
/// # Errors
/// `Corrupt`, `Newer`, `Permission`, `Io`, `Full`, `Busy`.
pub fn open_writer<K: Kind>(dir: &Path) -> Result<Db<K>> {
    let path = dir.join(K::NAME);
    private_file(&path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let conn = Connection::open_with_flags(&path, flags)?;
    common(&conn)?;
    conn.execute_batch(&format!(
        "PRAGMA page_size = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = {}; PRAGMA foreign_keys = {}; PRAGMA secure_delete = FAST;
         PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -{};
         PRAGMA wal_autocheckpoint = {CHECKPOINT};",
        K::PAGE,
        K::SYNCHRONOUS,
        // A price with each row that only what nobody can give again is worth; in the cache, whoever deletes deletes all of it.
        if K::DISPOSABLE { "OFF" } else { "ON" },
        K::PAGES
    ))?;
    migrate::run::<K>(&conn, dir)?;
    Ok(Db::of(conn))
}

/// Opens `dir`/NAME for reading.
///
/// # Errors
/// As [`open_writer`]; `Io` if there is no file.
pub fn open_reader<K: Kind>(dir: &Path) -> Result<Db<K>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let conn = Connection::open_with_flags(dir.join(K::NAME), flags)?;
    common(&conn)?;
    conn.execute_batch(&format!("PRAGMA query_only = ON; PRAGMA cache_size = -{};", K::READER_PAGES))?;
    migrate::check::<K>(&conn)?;
    Ok(Db::of(conn))
}
