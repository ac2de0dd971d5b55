//! Counters that the live path keeps of itself, for /metrics and `daybook check`.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// What the live path has done since the start. All relaxed: each stands alone.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Streams that are open now.
    pub streams: AtomicI64,
    /// Frames handed to streams.
    pub deliveries: AtomicU64,
    /// Streams ended: the reader stalled.
    pub cuts_stalled: AtomicU64,
    /// Streams ended: rights changed or a session ended.
    pub cuts_rights: AtomicU64,
    /// Streams ended: the server stops.
    pub cuts_drain: AtomicU64,
    /// Events read back from the log for readers that were behind.
    pub replayed: AtomicU64,
    /// Resync frames sent.
    pub resyncs: AtomicU64,
    /// Writes that wait for the writer now.
    pub queue_depth: AtomicI64,
    /// Writes refused because the queue was full.
    pub queue_refused: AtomicU64,
    /// Commits, and writes in them.
    pub commits: AtomicU64,
    pub writes: AtomicU64,
    /// Commits that failed.
    pub commits_failed: AtomicU64,
    /// Time spent in commits, in microseconds.
    pub commit_us: AtomicU64,
}

impl Metrics {
    /// Adds one to `counter`.
    pub fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
