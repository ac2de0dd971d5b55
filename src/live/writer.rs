//! The single writer: one thread, one connection, many writes per commit.
//!
//! Whatever waits is committed together, each write in its savepoint: one that
//! fails or panics undoes only itself. After the commit the news is published,
//! then the callers are answered: whoever has its answer can rely on the news
//! being in every feed already. What a command of another process has logged
//! meanwhile is announced with the next commit, in its place.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Instant;

use rusqlite::{Connection, Statement};
use tokio::sync::{mpsc, oneshot};

use super::hub::Hub;
use super::log;
use super::metrics::Metrics;
use super::replay::Replay;
use super::tx::{News, Tx};
use crate::base::{Actor, Clock, Error, Result};
use crate::event::wire::Frame;
use crate::store::Store;

/// How much the writer takes on at once.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How many writes may wait; the next caller is told [`Error::Busy`].
    pub queue: usize,
    /// How many writes share one commit at the most.
    pub batch: usize,
}

/// Hands writes to the writer thread. Dropping the last clone ends the thread
/// after the queue has been written.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
    hub: Hub,
    faults: Faults,
}

/// Reads anew what is kept in memory of the tables.
pub type Refresh = Arc<dyn Fn(&Connection) -> Result<()> + Send + Sync>;

/// Faults that a test plans, by name, for the next commit.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<AtomicU8>);

/// Where a planned fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    None = 0,
    /// The commit fails; nothing of the batch is durable.
    BeforeCommit = 1,
}

impl Faults {
    /// Plans `fault` for the next commit.
    pub fn plan(&self, fault: Fault) {
        self.0.store(fault as u8, Ordering::SeqCst);
    }

    fn strikes(&self, fault: Fault) -> bool {
        self.0.compare_exchange(fault as u8, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

impl Writer {
    /// Starts the writer thread. `refresh` runs after commits that ask for it.
    pub fn spawn(
        store: &Store,
        clock: Clock,
        hub: Hub,
        replay: Replay,
        refresh: Refresh,
        bounds: Bounds,
    ) -> Result<(Writer, thread::JoinHandle<()>)> {
        let conn = store.write_connection()?;
        let (queue, jobs) = mpsc::channel(bounds.queue);
        let faults = Faults::default();
        let room = Room {
            conn,
            clock,
            hub: hub.clone(),
            replay,
            refresh,
            refresh_due: Cell::new(false),
            faults: faults.clone(),
            known: Cell::new(hub.head().seq),
            batch_max: bounds.batch,
        };
        let thread = thread::Builder::new()
            .name("writer".into())
            .spawn(move || room.work(jobs))
            .map_err(anyhow::Error::from)?;
        Ok((Writer { queue, hub, faults }, thread))
    }

    /// Runs `write` in the next commit and returns once that commit is durable.
    /// When `write` fails, nothing that it did remains; its neighbours are untouched.
    pub async fn run<T: Send + 'static>(
        &self,
        by: Actor,
        name: &'static str,
        write: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, done) = oneshot::channel();
        let job = Write { by, name, write: Some(write), result: Err(Error::Busy), reply };
        if self.queue.try_send(Box::new(job)).is_err() {
            Metrics::count(&self.hub.metrics().queue_refused);
            return Err(Error::Busy);
        }
        self.hub.metrics().queue_depth.fetch_add(1, Ordering::Relaxed);
        done.await.map_err(|_| Error::Busy)?
    }

    /// Returns where tests plan faults.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
}

/// A queued write with its types erased.
trait Job: Send {
    fn apply(&mut self, at: &mut Place<'_>, clock: &Clock, news: &mut News)
    -> rusqlite::Result<()>;
    fn reply(self: Box<Self>, committed: &Result<(), CommitFailed>);
}

/// Where writes run, with what stands around each of them at hand.
struct Place<'a> {
    conn: &'a Connection,
    begin: Statement<'a>,
    savepoint: Statement<'a>,
    rollback: Statement<'a>,
    release: Statement<'a>,
    commit: Statement<'a>,
}

impl<'a> Place<'a> {
    fn on(conn: &'a Connection) -> rusqlite::Result<Place<'a>> {
        Ok(Place {
            conn,
            begin: conn.prepare("begin immediate")?,
            savepoint: conn.prepare("savepoint one_write")?,
            rollback: conn.prepare("rollback to one_write")?,
            release: conn.prepare("release one_write")?,
            commit: conn.prepare("commit")?,
        })
    }
}

/// Why a whole batch is not durable.
#[derive(Debug, Clone)]
struct CommitFailed {
    storage: bool,
    cause: String,
}

struct Write<F, T> {
    by: Actor,
    name: &'static str,
    write: Option<F>,
    result: Result<T>,
    reply: oneshot::Sender<Result<T>>,
}

impl<F, T> Job for Write<F, T>
where
    F: FnOnce(&mut Tx<'_>) -> Result<T> + Send,
    T: Send,
{
    fn apply(
        &mut self,
        at: &mut Place<'_>,
        clock: &Clock,
        news: &mut News,
    ) -> rusqlite::Result<()> {
        let Some(write) = self.write.take() else { return Ok(()) };
        let mark = news.mark();
        at.savepoint.execute([])?;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            write(&mut Tx::new(at.conn, news, clock.now(), self.by))
        }));
        self.result =
            outcome.unwrap_or_else(|_| Err(anyhow::anyhow!("{} panicked", self.name).into()));
        if self.result.is_err() {
            news.back_to(mark);
            at.rollback.execute([])?;
        }
        at.release.execute([])?;
        Ok(())
    }

    fn reply(self: Box<Self>, committed: &Result<(), CommitFailed>) {
        let result = match (self.result, committed) {
            (Ok(_), Err(failed)) => {
                let cause = anyhow::anyhow!("{} was not committed: {}", self.name, failed.cause);
                Err(if failed.storage {
                    Error::StorageFailed(cause)
                } else {
                    Error::Internal(cause)
                })
            }
            (result, _) => result,
        };
        // The caller may have gone away; its write stands all the same.
        let _ = self.reply.send(result);
    }
}

/// What the writer thread works with.
struct Room {
    conn: Connection,
    clock: Clock,
    hub: Hub,
    replay: Replay,
    refresh: Refresh,
    /// Whether a refresh has failed and must be tried again.
    refresh_due: Cell<bool>,
    faults: Faults,
    /// The newest event that was announced.
    known: Cell<i64>,
    batch_max: usize,
}

impl Room {
    fn work(self, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
        let mut at = match Place::on(&self.conn) {
            Ok(at) => at,
            Err(error) => return tracing::error!(%error, "the writer cannot begin"),
        };
        while let Some(first) = jobs.blocking_recv() {
            let mut batch = vec![first];
            while batch.len() < self.batch_max
                && let Ok(job) = jobs.try_recv()
            {
                batch.push(job);
            }
            self.serve(&mut at, batch);
        }
    }

    fn serve(&self, at: &mut Place<'_>, mut batch: Vec<Box<dyn Job>>) {
        let metrics = self.hub.metrics();
        let waited = i64::try_from(batch.len()).unwrap_or(i64::MAX);
        metrics.queue_depth.fetch_sub(waited, Ordering::Relaxed);

        let mut news = News::default();
        let begun = Instant::now();
        let outcome = self.commit(at, &mut batch, &mut news).map_err(|error| {
            // May fail when SQLite has rolled back by itself.
            let _ = self.conn.execute_batch("rollback");
            Metrics::count(&metrics.commits_failed);
            tracing::error!(error = %error, writes = batch.len(), "commit failed");
            CommitFailed {
                storage: matches!(&error, Error::StorageFailed(_)),
                cause: error.to_string(),
            }
        });
        let outcome = outcome.map(|frames| {
            let took = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            metrics.commit_us.add(took);
            metrics.batch.add(batch.len() as u64);
            self.announce(news, frames);
        });
        for job in batch {
            job.reply(&outcome);
        }
    }

    /// Makes the batch durable and returns its events as frames. These are encoded before the
    /// commit, where names are read in the same transaction; without them the batch stands all
    /// the same.
    fn commit(
        &self,
        at: &mut Place<'_>,
        batch: &mut [Box<dyn Job>],
        news: &mut News,
    ) -> Result<Result<Vec<Frame>>> {
        at.begin.execute([])?;
        // A command beside the server has written since: its events come first.
        let head = log::head(&self.conn)?;
        if head > self.known.get() {
            news.events = log::range(&self.conn, self.known.get() + 1, head + 1)?;
            news.refresh = true;
        }
        for job in batch {
            job.apply(at, &self.clock, news)?;
        }
        if self.faults.strikes(Fault::BeforeCommit) {
            return Err(anyhow::anyhow!("planned fault").into());
        }
        let frames = self.replay.frames(&self.conn, &news.events);
        at.commit.execute([])?;
        Ok(frames)
    }

    fn announce(&self, news: News, frames: Result<Vec<Frame>>) {
        if let Some(last) = news.events.last() {
            self.known.set(last.seq);
        }
        if news.refresh || self.refresh_due.get() {
            let refreshed = (self.refresh)(&self.conn);
            if let Err(error) = &refreshed {
                tracing::error!(error = %error, "what is kept in memory could not be read anew");
            }
            self.refresh_due.set(refreshed.is_err());
        }
        match frames {
            Ok(frames) => self.hub.publish(frames),
            // The events are in the log, only not in the ring: everybody who
            // is connected must come back to get them from there.
            Err(error) => {
                tracing::error!(error = %error, "frames could not be encoded");
                self.hub.lost_frames();
            }
        }
        for cut in &news.cuts {
            self.hub.cut(cut);
        }
        self.hub.stale(news.stale);
    }
}
