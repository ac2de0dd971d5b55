//! The write-ahead log beside a long read, as of a backup or an export: writes go on, and the log
//! comes back to its size when the read has ended.

use std::path::{Path, PathBuf};
use std::time::Duration;

use daybook::base::Actor;
use daybook::store::directory::DATABASE;
use rusqlite::{Connection, OpenFlags};
use tokio::time::{Instant, timeout};

use crate::store::TestStore;

/// How long somebody at a reader or a page may wait for an answer. The log's new beginning may
/// hold the writer up for half a second.
const ANSWERED: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(20);
const MIB: u64 = 1024 * 1024;
/// So many pages of log are too many (`live/checkpoint.rs`).
const PAGES_MAX: i64 = 4096;

/// Writes a row of so many bytes, which must be answered in time.
async fn write(store: &TestStore, bytes: u32) {
    let write = store.write(Actor::System, move |tx| {
        Ok(tx.execute("insert into filler (bytes) values (zeroblob(?1))", [bytes])?)
    });
    timeout(ANSWERED, write).await.expect("answered in time").unwrap();
}

fn size(log: &Path) -> u64 {
    std::fs::metadata(log).map_or(0, |file| file.len())
}

/// How many pages of the log are in use; the file may be longer.
fn pages_in_use(conn: &Connection) -> i64 {
    conn.query_row("pragma wal_checkpoint(noop)", [], |row| row.get("log")).unwrap()
}

fn open(path: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).unwrap()
}

/// Fault 107.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_read_holds_nobody_up_and_the_log_stays_bounded_after_it() {
    let store = TestStore::new().await;
    let path: PathBuf = store.dir.path().join(DATABASE);
    let log = store.dir.path().join(format!("{DATABASE}-wal"));
    let make =
        |tx: &mut daybook::live::Tx<'_>| Ok(tx.execute_batch("create table filler (bytes blob)")?);
    store.write(Actor::System, make).await.unwrap();

    let mut long = open(&path);
    let read = long.transaction().unwrap();
    let seen = |conn: &Connection| -> i64 {
        conn.query_row("select count(*) from filler", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(seen(&read), 0);
    // Beyond what is too much, by far: every look of the checkpoints finds the read in its way.
    while size(&log) < 48 * MIB {
        write(&store, 256 * 1024).await;
    }
    assert_eq!(seen(&read), 0, "it still reads of one moment");
    let watcher = open(&path);
    assert!(pages_in_use(&watcher) > PAGES_MAX);

    // While the house stays busy, the log begins anew in the file that it has.
    drop(read);
    let until = Instant::now() + PATIENCE;
    while pages_in_use(&watcher) > PAGES_MAX {
        assert!(Instant::now() < until, "the log goes on growing");
        write(&store, 1).await;
    }
    let longest = size(&log);
    for _ in 0..64 {
        write(&store, 1).await;
    }
    assert!(size(&log) <= longest, "{longest} -> {}", size(&log));

    // And when it rests, nothing is left of it.
    crate::callers::until(|| size(&log) == 0).await;
    assert_eq!(seen(&watcher), store.number("select count(*) from filler").await);
}
