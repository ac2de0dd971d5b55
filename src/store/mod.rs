//! The SQLite file: how it is opened, and how rows become values.
//!
//! Any number of read-only connections, and exactly one that writes: it
//! belongs to `live::writer`. Two that write and checkpoint at once have
//! corrupted databases of SQLite before 3.51.3, and starve the checkpoint of
//! every version.

pub mod backup;
pub mod directory;
pub mod log;
pub mod ready;
pub mod rows;
pub mod upgrade;

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{Access, access};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::base::{Error, Result, secret};

/// All tables as they are now.
pub const SCHEMA: &str = include_str!("../../schema.sql");

/// What marks a file as a database of Daybook: "Dayb", in `PRAGMA application_id`.
pub const APPLICATION_ID: i64 = 0x4461_7962;

/// How long a statement waits for a lock that another process holds.
pub const BUSY_WAIT: Duration = Duration::from_secs(5);

/// How long a read waits for a connection before the caller is told [`Error::Busy`].
const READER_WAIT: Duration = Duration::from_secs(5);

/// A handle on the database file. Clones share one pool of read connections.
#[derive(Clone)]
pub struct Store {
    path: Arc<PathBuf>,
    readers: r2d2::Pool<SqliteConnectionManager>,
    /// One for each connection: who waits for one holds no thread meanwhile, of which a rush would
    /// otherwise start hundreds.
    turns: Arc<Semaphore>,
    epoch: Arc<str>,
}

impl Store {
    /// Makes a new database at `path`, for this user alone. It gets its name when it is whole: a
    /// full disk, or a making that was killed, leaves no half of one in the way of the next.
    pub fn create(path: &Path) -> anyhow::Result<()> {
        ensure!(!path.exists(), "{}: is there already", path.display());
        let part = backup::sibling(path, "part");
        backup::remove_with_log(&part)?;
        make(&part)
            .and_then(|()| backup::put_in_place(&part, path).map(drop))
            .inspect_err(|_| drop(backup::remove_with_log(&part)))
            .with_context(|| format!("{}: cannot be made", path.display()))?;
        Ok(())
    }

    /// Opens the database at `path`, brought to this program's schema, with as
    /// many read connections as may be used at once. Never makes a new one: a
    /// lost database must not be replaced by an empty one.
    pub fn open(path: &Path, read_connections: u32) -> anyhow::Result<Store> {
        ensure!(
            rusqlite::version_number() >= 3_051_003,
            "SQLite {} may lose commits; 3.51.3 or newer is needed",
            rusqlite::version()
        );
        let shown = path.display();
        let Ok(file) = std::fs::metadata(path) else {
            bail!(
                "{shown}: no database here; 'daybook init' makes one, 'daybook restore' brings \
                 one back"
            )
        };
        ensure!(
            file.len() > 0,
            "{shown}: is empty; 'daybook restore' brings a backup back; where no house has ever \
             been, take the file away and run 'daybook init'"
        );
        require_ours(path)?;
        let epoch = prepare(path).map_err(|error| unopened(path, error))?;

        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let manager = SqliteConnectionManager::file(path).with_flags(flags).with_init(tune_reader);
        let readers = r2d2::Pool::builder()
            .max_size(read_connections)
            .min_idle(Some(1))
            .connection_timeout(READER_WAIT)
            .test_on_check_out(false)
            .thread_pool(Arc::new(one_thread()))
            .build(manager)?;
        let turns = Arc::new(Semaphore::new(read_connections as usize));
        Ok(Store { path: Arc::new(path.to_owned()), readers, turns, epoch: epoch.into() })
    }

    /// Opens a connection that may write.
    pub fn write_connection(&self) -> Result<Connection> {
        let conn = Connection::open(&*self.path)?;
        tune(&conn)?;
        conn.set_prepared_statement_cache_capacity(256);
        // All that a full batch touches: what does not fit is written twice.
        conn.execute_batch("pragma cache_size = -16384")?;
        Ok(conn)
    }

    /// Returns where the write-ahead log is, as long as somebody has the database open.
    pub fn log_path(&self) -> PathBuf {
        log::of(&self.path)
    }

    /// Returns where the database file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the name of this database's life: made when it was created or restored.
    pub fn epoch(&self) -> &Arc<str> {
        &self.epoch
    }

    /// Runs `query` on a blocking thread, in one read transaction: all that it
    /// reads is of one moment.
    pub async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let this = self.clone();
        let turn = self.turn().await?;
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            this.read_here(query)
        });
        done.await.map_err(anyhow::Error::from)?
    }

    /// Waits for a turn to read.
    async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        if let Ok(turn) = self.turns.clone().try_acquire_owned() {
            return Ok(turn);
        }
        let turn = timeout(READER_WAIT, self.turns.clone().acquire_owned()).await;
        turn.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)
    }

    /// Runs `query` in one read transaction, on this thread, which may block.
    pub fn read_here<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut conn = self.readers.get().map_err(|_| Error::Busy)?;
        let tx = conn.transaction()?;
        query(&tx)
    }
}

/// Refuses files that another user left, root after a copy for instance: SQLite says only that it
/// cannot, and not of which file or why.
fn require_ours(path: &Path) -> anyhow::Result<()> {
    for file in ["", "-wal", "-shm"].map(|end| backup::with_end(path, end)) {
        if file.exists() {
            access(&file, Access::READ_OK | Access::WRITE_OK)
                .with_context(|| format!("{}: cannot be written by this user", file.display()))?;
        }
    }
    Ok(())
}

/// Says of an error what helps against it: a backup does not against a full disk, and whoever puts
/// one back there gives up what is sound.
pub fn unopened(path: &Path, error: anyhow::Error) -> anyhow::Error {
    use rusqlite::ErrorCode::{CannotOpen, DatabaseBusy, DiskFull, ReadOnly, SystemIoFailure};
    let code = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<rusqlite::Error>()?.sqlite_error_code());
    let help = match code {
        Some(DiskFull | SystemIoFailure | ReadOnly | CannotOpen) => {
            "is the disk full, read-only or failing?"
        }
        Some(DatabaseBusy) => "another program holds it",
        _ => "'daybook restore' brings a backup back",
    };
    error.context(format!("{}: cannot be opened; {help}", path.display()))
}

/// Writes a page anew in which nothing changes: a commit without one says nothing of the disk.
pub fn write_again(conn: &Connection) -> Result<()> {
    Ok(conn.pragma_update(None, "user_version", upgrade::SCHEMA_VERSION)?)
}

/// Makes the tables of a house that is still to be set up.
fn make(path: &Path) -> anyhow::Result<()> {
    File::options().create_new(true).write(true).mode(0o600).open(path)?;
    // Without a log beside it: what is committed stands in the one file that gets its name.
    let mut conn = Connection::open(path)?;
    let tx = conn.transaction()?;
    tx.execute_batch(SCHEMA)?;
    let epoch = secret::hex(&secret::random::<4>()?);
    tx.execute("insert into epoch (epoch_id, epoch) values (1, ?1)", [epoch])?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", upgrade::SCHEMA_VERSION)?;
    tx.commit()?;
    Ok(())
}

/// Checks whose database it is, upgrades it if need be, and returns its epoch.
fn prepare(path: &Path) -> anyhow::Result<String> {
    log::require_own(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags)?;
    let application: i64 = conn.query_row("pragma application_id", [], |row| row.get(0))?;
    ensure!(application == APPLICATION_ID, "it is not a database of Daybook");
    tune(&conn)?;
    if let Some(copy) = upgrade::run(&mut conn, path)? {
        tracing::info!(copy = %copy.display(), "the database was upgraded; the old one is kept");
    }
    Ok(conn.query_row("select epoch from epoch", [], |row| row.get(0))?)
}

fn tune(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(
        "pragma journal_mode = wal;
         pragma synchronous = full;
         pragma foreign_keys = on;
         pragma busy_timeout = 5000;
         pragma wal_autocheckpoint = 0;
         pragma journal_size_limit = 67108864;",
    )
}

fn tune_reader(conn: &mut Connection) -> rusqlite::Result<()> {
    conn.set_prepared_statement_cache_capacity(128);
    conn.execute_batch("pragma query_only = on; pragma busy_timeout = 5000;")
}

/// r2d2 starts three threads by default; a box under a desk has better use for them.
fn one_thread() -> scheduled_thread_pool::ScheduledThreadPool {
    scheduled_thread_pool::ScheduledThreadPool::builder()
        .num_threads(1)
        .thread_name_pattern("readers-{}")
        .build()
}
