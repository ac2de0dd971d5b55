//! Replay: pages of the log for readers that are behind the ring, shared.
//!
//! The log is read in chunks of fixed positions, by one read at a time, in an order that lets
//! laggards travel together (`live/shelf.rs`): a thousand readers that come back cost what one
//! does, wherever they stood. A full chunk never changes; one that is not full yet is right as far
//! as it goes, which is far enough for whoever has not seen its end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::Connection;
use tokio::runtime::Handle;

use super::durable::Durable;
use super::log;
use super::shelf::{CHUNK, Errand, Move, Page, Place, Shelf, last};
use crate::base::id::PersonId;
use crate::base::{Error, Result, Timestamp};
use crate::event::wire::{Frame, Logged};
use crate::store::Store;

/// Looks up the display name of a person, for a frame that is being encoded.
pub type NameOf = Arc<dyn Fn(&Connection, PersonId) -> Result<Option<String>> + Send + Sync>;

/// Reads frames back from the log. Clones are one, and no larger than a pointer: each open stream
/// holds one.
#[derive(Clone)]
pub struct Replay {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    durable: Durable,
    name_of: NameOf,
    shelf: Mutex<Shelf>,
    /// A moment that is over, and the position of the newest event from before it.
    before: Mutex<Option<(Timestamp, i64)>>,
    /// Rings when somebody asks for a page.
    asked: Condvar,
    rows: AtomicU64,
}

impl Replay {
    /// Returns a replay of the log in `store`.
    pub fn new(store: Store, durable: Durable, name_of: NameOf) -> Replay {
        let (shelf, before) = (Mutex::default(), Mutex::default());
        let (asked, rows) = (Condvar::new(), AtomicU64::new(0));
        let shared = Shared { store, durable, name_of, shelf, before, asked, rows };
        Replay { shared: Arc::new(shared) }
    }

    /// Returns the position before the oldest event, and that of the newest.
    pub async fn bounds(&self) -> Result<(i64, i64)> {
        self.shared.store.read(|conn| Ok((log::floor(conn)?, log::head(conn)?))).await
    }

    /// Returns the position of the newest event from before `moment`. It stays the same, and is looked
    /// for once.
    pub async fn last_before(&self, moment: Timestamp) -> Result<i64> {
        let known = || self.shared.before.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, seq)) = known().filter(|(known, _)| *known == moment) {
            return Ok(seq);
        }
        let seq = self.shared.store.read(move |conn| log::last_before(conn, moment)).await?;
        *known() = Some((moment, seq));
        Ok(seq)
    }

    /// Returns the chunk of frames that holds the event after `seq`: it may
    /// begin before, and is empty only when there is no such event yet.
    pub async fn page_after(&self, seq: i64) -> Result<Page> {
        loop {
            let (mut awaited, own) = match self.lock().place(seq) {
                Place::Kept(page) => return Ok(page),
                Place::Joined(awaited) => (awaited, false),
                Place::Queued(awaited) => (awaited, true),
            };
            self.call_lift();
            let page = awaited.wait_for(Option::is_some).await;
            let page = page.ok().and_then(|page| page.clone()).ok_or(Error::Busy)?;
            // What others began to read before may end before what is asked for.
            if own || last(&page) > Some(seq) {
                return Ok(page);
            }
        }
    }

    /// Returns how many rows of the log were read for readers that were behind.
    pub fn rows_read(&self) -> u64 {
        self.shared.rows.load(Ordering::Relaxed)
    }

    /// Forgets what was read: names in it may have been erased, or events pruned.
    pub fn forget(&self) {
        self.lock().forget();
    }

    /// Makes frames of events, with the names as they are now. What one write tells is often about
    /// one person, whose name is read once then, unless the writer had to read it anyway.
    pub(super) fn frames(&self, conn: &Connection, events: Vec<Logged>) -> Result<Vec<Frame>> {
        let (mut known, mut known_name) = (None, None);
        let frame_of = |mut event: Logged| {
            if event.subject != known || event.name.is_some() {
                known_name = match (event.name.take(), event.subject) {
                    (None, Some(person)) => (self.shared.name_of)(conn, person)?.map(Arc::from),
                    (name, _) => name,
                };
                known = event.subject;
            }
            Ok(Frame::of_event(self.shared.store.epoch(), event, known_name.clone()))
        };
        events.into_iter().map(frame_of).collect()
    }

    /// Has the lift run, on a thread of its own for as long as somebody is behind: it must not queue
    /// up with the thousands of tasks that wait for it, and a reader that goes away holds nobody up.
    fn call_lift(&self) {
        self.shared.asked.notify_one();
        if self.lock().set_out() {
            let (this, runtime) = (self.clone(), Handle::current());
            runtime.clone().spawn_blocking(move || this.run(&runtime));
        }
    }

    fn run(&self, runtime: &Handle) {
        let mut shelf = self.lock();
        loop {
            let now = Instant::now();
            shelf = match shelf.next(now) {
                Move::Read(errand) => {
                    drop(shelf);
                    self.fetch(errand, runtime);
                    self.lock()
                }
                Move::Wait(until) => {
                    let waited = self.shared.asked.wait_timeout(shelf, until - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                Move::Stop => return,
            }
        }
    }

    fn fetch(&self, errand: Errand, runtime: &Handle) {
        // A panic, too, is told to those who wait for it.
        let read = catch_unwind(AssertUnwindSafe(|| self.read(errand.chunk, runtime)));
        let page = read.unwrap_or_else(|_| Err(anyhow::anyhow!("it has panicked").into()));
        if let Err(error) = &page {
            tracing::error!(error = error.chain(), "the log could not be read");
        }
        self.lock().put(errand, page.ok(), Instant::now());
    }

    fn read(&self, chunk: i64, runtime: &Handle) -> Result<Page> {
        let page = self.shared.store.read_here(|conn| {
            let events = log::range(conn, chunk * CHUNK + 1, (chunk + 1) * CHUNK + 1)?;
            self.shared.rows.fetch_add(events.len() as u64, Ordering::Relaxed);
            Ok(self.frames(conn, events)?.into_iter().map(Arc::new).collect())
        })?;
        runtime.block_on(self.shared.durable.settled())?;
        Ok(page)
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shared.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
