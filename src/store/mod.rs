//! The SQLite file: how it is opened, and how rows become values.
//!
//! Any number of read-only connections, and exactly one that writes: it
//! belongs to `live::writer`. Two that write and checkpoint at once have
//! corrupted databases of SQLite before 3.51.3, and starve the checkpoint of
//! every version.

pub mod rows;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{Connection, OpenFlags};

use crate::base::{Error, Result, secret};

/// All tables as they are now.
pub const SCHEMA: &str = include_str!("../../schema.sql");

/// The schema's number, kept in `PRAGMA user_version`.
pub const SCHEMA_VERSION: i64 = 1;

/// How many reads run at once; more wait for a connection.
const READERS: u32 = 4;

/// How long a read waits for a connection before the caller is told [`Error::Busy`].
const READER_WAIT: Duration = Duration::from_secs(5);

/// A handle on the database file. Clones share one pool of read connections.
#[derive(Clone)]
pub struct Store {
    path: Arc<PathBuf>,
    readers: r2d2::Pool<SqliteConnectionManager>,
    epoch: Arc<str>,
}

impl Store {
    /// Opens the database at `path`, and makes its tables if the file is new.
    pub fn open(path: &Path) -> anyhow::Result<Store> {
        anyhow::ensure!(
            rusqlite::version_number() >= 3_051_003,
            "SQLite {} may lose commits; 3.51.3 or newer is needed",
            rusqlite::version()
        );
        let conn = Connection::open(path)?;
        tune(&conn)?;
        prepare_schema(&conn)?;
        let epoch: String = conn.query_row("select epoch from epoch", [], |row| row.get(0))?;

        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let manager =
            SqliteConnectionManager::file(path).with_flags(flags).with_init(|c| tune_reader(c));
        let readers = r2d2::Pool::builder()
            .max_size(READERS)
            .min_idle(Some(1))
            .connection_timeout(READER_WAIT)
            .test_on_check_out(false)
            .thread_pool(Arc::new(one_thread()))
            .build(manager)?;
        Ok(Store { path: Arc::new(path.to_owned()), readers, epoch: epoch.into() })
    }

    /// Opens the write connection. Called once, for the writer thread.
    pub fn write_connection(&self) -> Result<Connection> {
        let conn = Connection::open(&*self.path)?;
        tune(&conn)?;
        conn.set_prepared_statement_cache_capacity(256);
        Ok(conn)
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
        let readers = self.readers.clone();
        let done = tokio::task::spawn_blocking(move || {
            let mut conn = readers.get().map_err(|_| Error::Busy)?;
            let tx = conn.transaction()?;
            query(&tx)
        });
        done.await.map_err(anyhow::Error::from)?
    }
}

/// Makes the tables of a new file, and refuses a file of a newer program.
fn prepare_schema(conn: &Connection) -> anyhow::Result<()> {
    let version: i64 = conn.query_row("pragma user_version", [], |row| row.get(0))?;
    anyhow::ensure!(
        version <= SCHEMA_VERSION,
        "the database is of a newer Daybook (schema {version}, this program knows {SCHEMA_VERSION})"
    );
    if version == SCHEMA_VERSION {
        return Ok(());
    }
    let epoch = secret::hex(&secret::random::<4>()?);
    conn.execute_batch("begin immediate")?;
    conn.execute_batch(SCHEMA)?;
    conn.execute("insert into epoch (epoch_id, epoch) values (1, ?1)", [epoch])?;
    conn.execute_batch(&format!("pragma user_version = {SCHEMA_VERSION}; commit"))?;
    Ok(())
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
