//! Replay: pages of the log for readers that are behind the ring, shared.
//!
//! The log is read in chunks of fixed positions. A full chunk never changes,
//! so a thousand readers that come back at once read it once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use rusqlite::Connection;

use super::log;
use crate::base::Result;
use crate::base::id::PersonId;
use crate::event::wire::{Frame, Logged};
use crate::store::Store;

/// How many positions one chunk spans.
const CHUNK: i64 = 256;

/// How many chunks are kept: about 2 MB of frames.
const CHUNKS_KEPT: usize = 32;

/// Looks up the display name of a person, for a frame that is being encoded.
pub type NameOf = Arc<dyn Fn(&Connection, PersonId) -> Result<Option<String>> + Send + Sync>;

/// Reads frames back from the log.
#[derive(Clone)]
pub struct Replay {
    store: Store,
    name_of: NameOf,
    kept: Arc<Mutex<VecDeque<(i64, Page)>>>,
}

/// Frames in commit order, shared by those who read them.
pub type Page = Arc<[Arc<Frame>]>;

impl Replay {
    /// Returns a replay of the log in `store`.
    pub fn new(store: Store, name_of: NameOf) -> Replay {
        Replay { store, name_of, kept: Arc::default() }
    }

    /// Returns the position before the oldest event, and that of the newest.
    pub async fn bounds(&self) -> Result<(i64, i64)> {
        self.store.read(|conn| Ok((log::floor(conn)?, log::head(conn)?))).await
    }

    /// Returns the chunk of frames that holds the event after `seq`: it may
    /// begin before, and is empty only when there is no such event yet.
    pub async fn page_after(&self, seq: i64) -> Result<Page> {
        let chunk = seq.div_euclid(CHUNK);
        if let Some(page) = self.kept(chunk) {
            return Ok(page);
        }
        let this = self.clone();
        let page: Page = self.store.read(move |conn| this.read_chunk(conn, chunk)).await?.into();
        // Positions have no gaps but what was pruned: the chunk is full, and
        // will never change, once its last position is there.
        if page.last().and_then(|frame| frame.seq) == Some((chunk + 1) * CHUNK) {
            self.keep(chunk, page.clone());
        }
        Ok(page)
    }

    /// Forgets what was read: names in it may have been erased, or events pruned.
    pub fn forget(&self) {
        self.lock().clear();
    }

    /// Encodes events, with the names as they are now.
    pub(super) fn frames(&self, conn: &Connection, events: &[Logged]) -> Result<Vec<Frame>> {
        events
            .iter()
            .map(|event| {
                let name = event.subject.map(|person| (self.name_of)(conn, person)).transpose()?;
                Ok(Frame::of_event(self.store.epoch(), event, name.flatten().as_deref()))
            })
            .collect()
    }

    /// Chunk k holds the positions from k * CHUNK + 1 to (k + 1) * CHUNK.
    fn read_chunk(&self, conn: &Connection, chunk: i64) -> Result<Vec<Arc<Frame>>> {
        let events = log::range(conn, chunk * CHUNK + 1, (chunk + 1) * CHUNK + 1)?;
        Ok(self.frames(conn, &events)?.into_iter().map(Arc::new).collect())
    }

    fn kept(&self, chunk: i64) -> Option<Page> {
        self.lock().iter().find(|(number, _)| *number == chunk).map(|(_, page)| page.clone())
    }

    fn keep(&self, chunk: i64, page: Page) {
        let mut kept = self.lock();
        if kept.iter().all(|(number, _)| *number != chunk) {
            kept.push_back((chunk, page));
        }
        if kept.len() > CHUNKS_KEPT {
            kept.pop_front();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<(i64, Page)>> {
        self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
