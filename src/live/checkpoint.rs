//! Checkpoints, off the writer's path: a second connection that never writes
//! rows moves the write-ahead log into the database file.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::mpsc as queue;

use super::durable::Durable;
use super::writer::{Message, Writer};
use crate::base::Result;
use crate::store::{self, Store};

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

/// How often what has come meanwhile is moved too, until it is little.
const ROUNDS_MAX: u32 = 4;

/// How little is left for the writer to move before the log begins anew: 1 MiB.
const PAGES_LAST: i64 = 256;

/// How long the log's new beginning may wait for readers. The writer waits with it.
const READERS_WAIT: Duration = Duration::from_millis(100);

/// Ends the checkpoint thread when dropped or stopped.
pub struct Checkpoints {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Checkpoints {
    /// Starts the checkpoint thread.
    pub fn spawn(store: &Store, writer: &Writer, durable: Durable) -> Result<Checkpoints> {
        let (conn, writer) = (store.write_connection()?, writer.messages());
        conn.busy_timeout(READERS_WAIT)?;
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("checkpoint".into())
            .spawn(move || work(&conn, &writer, &durable, &stopped))
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

fn work(
    conn: &Connection,
    writer: &queue::WeakSender<Message>,
    durable: &Durable,
    stopped: &mpsc::Receiver<()>,
) {
    let (mut seen, mut period) = (0, PERIOD);
    loop {
        let ending = !matches!(stopped.recv_timeout(period), Err(RecvTimeoutError::Timeout));
        if durable.is_broken() {
            // Nobody knows what of the log the disk has; it must not get into the database file.
            return;
        }
        let busy = checkpoint(conn, writer, ending, &mut seen).unwrap_or_else(|error| {
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
fn checkpoint(
    conn: &Connection,
    writer: &queue::WeakSender<Message>,
    ending: bool,
    seen: &mut i64,
) -> rusqlite::Result<bool> {
    if ending {
        moved(conn, "pragma wal_checkpoint(truncate)")?;
        return Ok(false);
    }
    let version = conn.query_row("pragma data_version", [], |row| row.get(0))?;
    let idle = std::mem::replace(seen, version) == version;
    let pages = wal_pages(conn);
    let busy = !idle && pages > PAGES_LEFT;
    if busy || idle && pages > 0 {
        let pages = move_nearly_all(conn)?;
        if (idle || pages > PAGES_MAX)
            && let Some(writer) = writer.upgrade()
        {
            let anew = if idle { Anew::Empty } else { Anew::AsLong };
            // A queue that is full has no room for this; the next look asks again.
            let _ = writer.try_send(Message::BeginLogAnew(anew));
        }
    }
    Ok(busy)
}

/// Moves the log beside the writer, until what has come meanwhile is little, and returns how many
/// pages the log holds.
fn move_nearly_all(conn: &Connection) -> rusqlite::Result<i64> {
    let mut pages = 0;
    for _ in 0..ROUNDS_MAX {
        let before = std::mem::replace(&mut pages, moved(conn, "pragma wal_checkpoint(passive)")?);
        if pages - before < PAGES_LAST {
            break;
        }
    }
    Ok(pages)
}

/// How long the log's file stays when the log begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anew {
    /// In a rush it is filled again at once.
    AsLong,
    Empty,
}

/// Moves what is left of the log and lets it begin anew at the start of its file. Called by the
/// writer between two commits: beside it, the moment when nobody writes never comes in a rush; and
/// to the writer a file that another has emptied looks as if that had written.
/// Returns whether it could: somebody who reads for long keeps it from that.
pub(super) fn begin_log_anew(conn: &Connection, anew: Anew) -> rusqlite::Result<bool> {
    conn.busy_timeout(READERS_WAIT)?;
    let checkpoint = match anew {
        Anew::AsLong => "pragma wal_checkpoint(restart)",
        Anew::Empty => "pragma wal_checkpoint(truncate)",
    };
    let blocked = conn.query_row(checkpoint, [], |row| row.get::<_, bool>("busy"));
    conn.busy_timeout(store::BUSY_WAIT)?;
    Ok(!blocked?)
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
