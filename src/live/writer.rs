//! The single writer: one thread, one connection, many writes per commit.
//!
//! Whatever waits is committed together, each write in its savepoint: one that
//! fails or panics undoes only itself. A commit is durable when it returns
//! (`synchronous = full`); on a slow disk another thread waits for that
//! ([`super::durable`]), and the next batch is applied meanwhile and takes in
//! whoever comes. What a command of another process has logged is announced
//! with the next commit, in its place.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::checkpoint::{self, Anew};
use super::durable::{Commit, CommitFailed, Disk, Durable};
use super::faults::{Fault, Faults};
use super::hub::Hub;
use super::log;
use super::metrics::Metrics;
use super::place::Place;
use super::replay::Replay;
use super::tx::{News, Tx};
use crate::base::{Actor, Clock, Error, Result};
use crate::event::wire::{Frame, Logged};
use crate::store::Store;

/// How much the writer takes on at once.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How many writes may wait; the next caller is told [`Error::Busy`].
    pub queue: usize,
    /// How many writes share one commit at the most.
    pub batch: usize,
}

/// How long the log goes on after readers have kept it from beginning anew: the writer waits for
/// them each time.
const LOG_RESTS: Duration = Duration::from_secs(5);

/// Hands writes to the writer thread. Dropping the last clone ends the thread
/// after the queue has been written.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Message>,
    hub: Hub,
    faults: Faults,
}

/// What the writer thread is told.
pub(super) enum Message {
    Write(Box<dyn Job>),
    /// The disk has nothing more to do.
    DiskIsFree,
    /// What is left of the log is to be moved into the database file, so that it begins anew.
    BeginLogAnew(Anew),
}

/// Reads anew what is kept in memory of the tables. When a command beside the server has written it
/// is given what that has logged: of what else followed from it nobody here knows.
pub type Refresh = Arc<dyn Fn(&Connection, Option<&[Logged]>) -> Result<()> + Send + Sync>;

impl Writer {
    /// Starts the writer thread. `refresh` runs after commits that ask for it.
    pub fn spawn(
        store: &Store,
        clock: Clock,
        hub: Hub,
        replay: Replay,
        durable: Durable,
        refresh: Refresh,
        bounds: Bounds,
    ) -> Result<(Writer, thread::JoinHandle<()>)> {
        let conn = store.write_connection()?;
        let (queue, messages) = mpsc::channel(bounds.queue);
        let faults = Faults::default();
        let disk = Disk::spawn(store, hub.clone(), durable, queue.downgrade(), faults.clone())?;
        let room = Room {
            conn,
            clock,
            hub: hub.clone(),
            replay,
            disk,
            waits_elsewhere: Cell::new(false),
            refresh,
            refresh_due: Cell::new(false),
            log_is_due: Cell::new(None),
            log_waited: Cell::new(None),
            faults: faults.clone(),
            known: Cell::new(hub.head().seq),
            batch_max: bounds.batch,
        };
        let thread = thread::Builder::new()
            .name("writer".into())
            .spawn(move || room.work(messages))
            .map_err(anyhow::Error::from)?;
        Ok((Writer { queue, hub, faults }, thread))
    }

    /// Returns how the thread of the checkpoints speaks to the writer without keeping it alive.
    pub(super) fn messages(&self) -> mpsc::WeakSender<Message> {
        self.queue.downgrade()
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
        // Counted before it can be taken: never fewer than none wait.
        let metrics = self.hub.metrics();
        metrics.queue_depth.fetch_add(1, Ordering::Relaxed);
        if self.queue.try_send(Message::Write(Box::new(job))).is_err() {
            metrics.queue_depth.fetch_sub(1, Ordering::Relaxed);
            Metrics::count(&metrics.queue_refused);
            return Err(Error::Busy);
        }
        done.await.map_err(|_| Error::Busy)?
    }

    /// Returns where tests plan faults.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
}

/// A queued write with its types erased.
pub(super) trait Job: Send {
    fn apply(&mut self, at: &mut Place<'_>, clock: &Clock, news: &mut News)
    -> rusqlite::Result<()>;
    /// Says whether it stands in its commit; one that has failed by itself does not.
    fn stands(&self) -> bool;
    fn reply(self: Box<Self>, committed: &Result<(), CommitFailed>);
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
            let (ready, memo) = (&at.ready, &at.memo);
            write(&mut Tx::new(at.conn, ready, Some(memo), news, clock.now(), self.by))
        }));
        self.result =
            outcome.unwrap_or_else(|_| Err(anyhow::anyhow!("{} panicked", self.name).into()));
        if self.result.is_err() {
            news.back_to(mark);
            at.memo.get_mut().forget_all();
            at.rollback.execute([])?;
        }
        at.release.execute([])?;
        Ok(())
    }

    fn stands(&self) -> bool {
        self.result.is_ok()
    }

    fn reply(self: Box<Self>, committed: &Result<(), CommitFailed>) {
        // A write that failed by itself says why, whatever became of the others.
        let failed_itself = self.write.is_none() && self.result.is_err();
        let result = match (self.result, committed) {
            (_, Err(failed)) if !failed_itself => Err(failed.answer(self.name)),
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
    disk: Disk,
    /// Whether the disk's thread syncs commits instead of SQLite.
    waits_elsewhere: Cell<bool>,
    refresh: Refresh,
    /// Whether a refresh has failed and must be tried again.
    refresh_due: Cell<bool>,
    /// Whether the log is to begin anew.
    log_is_due: Cell<Option<Anew>>,
    /// When readers last kept it from that.
    log_waited: Cell<Option<Instant>>,
    faults: Faults,
    /// The newest event that was committed.
    known: Cell<i64>,
    batch_max: usize,
}

impl Room {
    fn work(self, mut messages: mpsc::Receiver<Message>) {
        let mut at = match Place::on(&self.conn) {
            Ok(at) => at,
            Err(error) => return tracing::error!(%error, "the writer cannot begin"),
        };
        while let Some(message) = messages.blocking_recv() {
            if let Some(job) = self.job_of(message) {
                self.serve(&mut at, job, &mut messages);
            }
            if let Some(anew) = self.log_is_due.take() {
                self.begin_log_anew(anew);
            }
        }
    }

    fn serve(
        &self,
        at: &mut Place<'_>,
        first: Box<dyn Job>,
        messages: &mut mpsc::Receiver<Message>,
    ) {
        let begun = Instant::now();
        let (mut jobs, mut news) = (Vec::new(), News::default());
        self.take(&mut jobs, first);
        let outcome = self.commit(at, &mut jobs, &mut news, messages).map_err(|error| {
            at.memo.get_mut().forget_all();
            // May fail when SQLite has rolled back by itself.
            let _ = self.conn.execute_batch("rollback");
            Metrics::count(&self.hub.metrics().commits_failed);
            tracing::error!(error = error.chain(), writes = jobs.len(), "commit failed");
            CommitFailed::of(&error)
        });
        if outcome.is_ok() {
            self.note(&news);
        }
        let durable = !self.waits_elsewhere.get();
        self.disk.keep(Commit { jobs, news, outcome, durable, begun });
    }

    /// Commits whatever waits and returns its events as frames. These are made before the commit,
    /// where names are read in the same transaction; without them the batch stands all the same.
    fn commit(
        &self,
        at: &mut Place<'_>,
        jobs: &mut Vec<Box<dyn Job>>,
        news: &mut News,
        messages: &mut mpsc::Receiver<Message>,
    ) -> Result<Result<Vec<Frame>>> {
        self.disk.require_sound()?;
        self.choose_who_waits()?;
        if let Err(error) = at.begin.execute([]) {
            // Held by another process for as long as was waited: the others do not wait in turn.
            self.take_waiting(jobs, messages);
            return Err(error.into());
        }
        let beside = at.look_around()?;
        // A command beside the server has written since: its events come first.
        let head = log::head(&at.ready)?;
        news.follow(head);
        if head > self.known.get() {
            news.events = log::range(&self.conn, self.known.get() + 1, head + 1)?;
        }
        if beside || !news.events.is_empty() {
            news.beside = Some(news.events.clone());
        }
        self.take_waiting(jobs, messages);
        let mut applied = 0;
        loop {
            while let Some(job) = jobs.get_mut(applied) {
                job.apply(at, &self.clock, news)?;
                applied += 1;
            }
            match self.come_along(jobs.len(), messages) {
                Some(job) => self.take(jobs, job),
                None => break,
            }
        }
        news.write_log(&at.ready)?;
        if self.faults.strikes(Fault::BeforeCommit) {
            return Err(anyhow::anyhow!("planned fault").into());
        }
        // The commit before may have failed meanwhile.
        self.disk.require_sound()?;
        let frames = self.replay.frames(&self.conn, std::mem::take(&mut news.events));
        self.disk.expect();
        let begun = Instant::now();
        at.commit.execute([])?;
        self.disk.committed_in(begun.elapsed());
        Ok(frames)
    }

    /// Lets SQLite sync each commit, or the disk's thread when the disk is slow.
    fn choose_who_waits(&self) -> Result<()> {
        let slow = self.disk.is_slow();
        if slow != self.waits_elsewhere.get() {
            let level = if slow { "normal" } else { "full" };
            self.conn.pragma_update(None, "synchronous", level)?;
            self.waits_elsewhere.set(slow);
        }
        Ok(())
    }

    /// Returns the write that a message brings; what else it says is noted.
    fn job_of(&self, message: Message) -> Option<Box<dyn Job>> {
        match message {
            Message::Write(job) => return Some(job),
            Message::BeginLogAnew(anew) => self.log_is_due.set(Some(anew)),
            Message::DiskIsFree => (),
        }
        None
    }

    fn take(&self, jobs: &mut Vec<Box<dyn Job>>, job: Box<dyn Job>) {
        self.hub.metrics().queue_depth.fetch_sub(1, Ordering::Relaxed);
        jobs.push(job);
    }

    /// Takes whoever waits into the batch, as far as it goes.
    fn take_waiting(&self, jobs: &mut Vec<Box<dyn Job>>, messages: &mut mpsc::Receiver<Message>) {
        while jobs.len() < self.batch_max
            && let Ok(message) = messages.try_recv()
        {
            if let Some(job) = self.job_of(message) {
                self.take(jobs, job);
            }
        }
    }

    /// Returns who comes while the disk still works on the commit before; none once it is free.
    fn come_along(
        &self,
        count: usize,
        messages: &mut mpsc::Receiver<Message>,
    ) -> Option<Box<dyn Job>> {
        while count < self.batch_max && self.disk.is_busy_and_will_call() {
            let Some(message) = messages.blocking_recv() else { break };
            let job = self.job_of(message);
            if job.is_some() {
                return job;
            }
        }
        self.disk.wait_until_free();
        None
    }

    /// Takes note of what was committed, before anybody hears of it.
    fn note(&self, news: &News) {
        self.known.set(news.newest());
        if news.refresh || news.beside.is_some() || self.refresh_due.get() {
            let refreshed = (self.refresh)(&self.conn, news.beside.as_deref());
            if let Err(error) = &refreshed {
                tracing::error!(
                    error = error.chain(),
                    "what is kept in memory could not be read anew"
                );
            }
            self.refresh_due.set(refreshed.is_err());
        }
    }

    /// Lets the log begin anew, unless somebody who reads for long stood in the way a moment ago.
    fn begin_log_anew(&self, anew: Anew) {
        let too_soon = self.log_waited.get().is_some_and(|at| at.elapsed() < LOG_RESTS);
        if too_soon || self.disk.require_sound().is_err() {
            return;
        }
        match checkpoint::begin_log_anew(&self.conn, anew) {
            Ok(begun) => self.log_waited.set((!begun).then(Instant::now)),
            Err(error) => tracing::warn!(%error, "the log could not begin anew"),
        }
    }
}
