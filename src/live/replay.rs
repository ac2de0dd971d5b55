//! Replay: pages of the log for readers that are behind the ring, shared.
//!
//! The log is read in chunks of fixed positions, and a chunk that several want at once is read
//! once: a thousand readers that come back together cost what one does. A full chunk never changes;
//! one that is not full yet is right as far as it goes, which is far enough for whoever has not seen
//! its end.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::{Semaphore, watch};

use super::durable::Durable;
use super::log;
use crate::base::id::PersonId;
use crate::base::{Error, Result};
use crate::event::wire::{Frame, Logged};
use crate::store::Store;

/// How many positions one chunk spans.
const CHUNK: i64 = 256;

/// How many chunks are kept: about 2 MB of frames.
const CHUNKS_KEPT: usize = 32;

/// How many chunks are read at once: laggards leave connections to those who open pages.
const READS_MAX: usize = 2;

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
    reads: Semaphore,
    rows: AtomicU64,
}

/// Chunks that were read, the oldest first, and those that are being read.
#[derive(Default)]
struct Shelf {
    chunks: VecDeque<(i64, Page)>,
    reading: HashMap<i64, Awaited>,
    /// How often all was forgotten: what was being read meanwhile is not kept.
    forgotten: u64,
}

/// Frames in commit order, shared by those who read them.
pub type Page = Arc<[Arc<Frame>]>;

/// A page that somebody reads. Without one at the end, it could not be read.
type Awaited = watch::Receiver<Option<Page>>;

impl Replay {
    /// Returns a replay of the log in `store`.
    pub fn new(store: Store, durable: Durable, name_of: NameOf) -> Replay {
        let reads = Semaphore::new(READS_MAX);
        let (shelf, rows) = (Mutex::default(), AtomicU64::new(0));
        Replay { shared: Arc::new(Shared { store, durable, name_of, shelf, reads, rows }) }
    }

    /// Returns the position before the oldest event, and that of the newest.
    pub async fn bounds(&self) -> Result<(i64, i64)> {
        self.shared.store.read(|conn| Ok((log::floor(conn)?, log::head(conn)?))).await
    }

    /// Returns the chunk of frames that holds the event after `seq`: it may
    /// begin before, and is empty only when there is no such event yet.
    pub async fn page_after(&self, seq: i64) -> Result<Page> {
        let chunk = seq.div_euclid(CHUNK);
        loop {
            let (mut awaited, own) = {
                let mut shelf = self.lock();
                if let Some(page) = shelf.kept(chunk, seq) {
                    return Ok(page);
                }
                match shelf.reading.get(&chunk) {
                    Some(awaited) => (awaited.clone(), false),
                    None => (self.begin(&mut shelf, chunk), true),
                }
            };
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
        let mut shelf = self.lock();
        shelf.chunks.clear();
        shelf.reading.clear();
        shelf.forgotten += 1;
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

    /// Begins to read a chunk, in a task of its own: a reader that goes away or stops in the middle
    /// of it holds nobody up.
    fn begin(&self, shelf: &mut Shelf, chunk: i64) -> Awaited {
        let (done, awaited) = watch::channel(None);
        shelf.reading.insert(chunk, awaited.clone());
        let (this, forgotten) = (self.clone(), shelf.forgotten);
        tokio::spawn(async move {
            let page = this.read(chunk).await;
            this.lock().put(chunk, page.as_ref().ok(), forgotten);
            match page {
                Ok(page) => drop(done.send(Some(page))),
                Err(error) => tracing::error!(error = %error, "the log could not be read"),
            }
        });
        awaited
    }

    /// Chunk k holds the positions from k * CHUNK + 1 to (k + 1) * CHUNK.
    async fn read(&self, chunk: i64) -> Result<Page> {
        let _turn = self.shared.reads.acquire().await.map_err(anyhow::Error::from)?;
        let this = self.clone();
        let read = move |conn: &Connection| {
            let events = log::range(conn, chunk * CHUNK + 1, (chunk + 1) * CHUNK + 1)?;
            this.shared.rows.fetch_add(events.len() as u64, Ordering::Relaxed);
            Ok(this.frames(conn, events)?.into_iter().map(Arc::new).collect())
        };
        let page = self.shared.store.read(read).await?;
        self.shared.durable.settled().await?;
        Ok(page)
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shared.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    /// Returns the chunk, if it was read up to an event after `seq`.
    fn kept(&self, chunk: i64, seq: i64) -> Option<Page> {
        let (_, page) = self.chunks.iter().find(|(number, _)| *number == chunk)?;
        (last(page) > Some(seq)).then(|| page.clone())
    }

    /// Ends the reading of a chunk that began when so much was `forgotten`.
    fn put(&mut self, chunk: i64, page: Option<&Page>, forgotten: u64) {
        if self.forgotten != forgotten {
            return;
        }
        self.reading.remove(&chunk);
        let Some(page) = page.filter(|page| !page.is_empty()) else { return };
        self.chunks.retain(|(number, _)| *number != chunk);
        self.chunks.push_back((chunk, page.clone()));
        if self.chunks.len() > CHUNKS_KEPT {
            self.chunks.pop_front();
        }
    }
}

/// Returns the position of the last frame; none of an empty page.
fn last(page: &Page) -> Option<i64> {
    page.last().and_then(|frame| frame.seq)
}
