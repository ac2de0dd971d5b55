//! Checkpoints, off the writer's path: a second connection that never writes
//! rows moves the write-ahead log into the database file.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;

use crate::base::Result;
use crate::store::Store;

/// How often the write-ahead log is looked at.
const PERIOD: Duration = Duration::from_millis(500);

/// How soon again while it grows fast: a log that stays small is written over what the kernel still
/// holds, where a longer one has to be given room on the disk.
const PERIOD_BUSY: Duration = Duration::from_millis(100);

/// How many pages of log are left alone while the house is busy: 4 MiB.
const PAGES_LEFT: i64 = 1024;

/// How many pages of log are too many: the log then begins again at the start of its file, which
/// the kernel still holds in memory, instead of growing. 16 MiB.
const PAGES_MAX: i64 = 4096;

/// How long the log's new beginning may wait for readers. The writer waits with it.
const READERS_WAIT: Duration = Duration::from_millis(500);

/// Ends the checkpoint thread when dropped or stopped.
pub struct Checkpoints {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Checkpoints {
    /// Starts the checkpoint thread.
    pub fn spawn(store: &Store) -> Result<Checkpoints> {
        let conn = store.write_connection()?;
        conn.busy_timeout(READERS_WAIT)?;
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("checkpoint".into())
            .spawn(move || work(&conn, &stopped))
            .map_err(anyhow::Error::from)?;
        Ok(Checkpoints { stop: Some(stop), thread: Some(thread) })
    }

    /// Moves the whole log into the database file and ends the thread.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.end();
    }
}

fn work(conn: &Connection, stopped: &mpsc::Receiver<()>) {
    let (mut seen, mut period) = (0, PERIOD);
    loop {
        let ending = !matches!(stopped.recv_timeout(period), Err(RecvTimeoutError::Timeout));
        let busy = checkpoint(conn, ending, &mut seen).unwrap_or_else(|error| {
            tracing::warn!(%error, "checkpoint failed");
            false
        });
        period = if busy { PERIOD_BUSY } else { PERIOD };
        if ending {
            return;
        }
    }
}

/// Looks whether there is anything to do (a box at rest does nothing), and returns whether the log
/// grows fast.
fn checkpoint(conn: &Connection, ending: bool, seen: &mut i64) -> rusqlite::Result<bool> {
    if ending {
        moved(conn, "pragma wal_checkpoint(truncate)")?;
        return Ok(false);
    }
    let version = conn.query_row("pragma data_version", [], |row| row.get(0))?;
    let idle = std::mem::replace(seen, version) == version;
    let pages = wal_pages(conn);
    if idle && pages > 0 {
        moved(conn, "pragma wal_checkpoint(truncate)")?;
    } else if pages > PAGES_LEFT {
        // Nearly all of it is moved beside the writer; what is left by then is little.
        let fast = moved(conn, "pragma wal_checkpoint(passive)")? > PAGES_MAX;
        if fast {
            moved(conn, "pragma wal_checkpoint(restart)")?;
        }
        return Ok(fast);
    }
    Ok(false)
}

/// Runs a checkpoint and returns how many pages the log holds.
fn moved(conn: &Connection, checkpoint: &str) -> rusqlite::Result<i64> {
    conn.query_row(checkpoint, [], |row| row.get("log"))
}

/// The size of the write-ahead log file, in pages of 4 KiB; 0 when it is not there.
fn wal_pages(conn: &Connection) -> i64 {
    let Some(path) = conn.path() else { return 0 };
    let bytes = std::fs::metadata(format!("{path}-wal")).map_or(0, |file| file.len());
    i64::try_from(bytes / 4096).unwrap_or(0)
}
