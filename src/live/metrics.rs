//! Counters that the live path keeps of itself, for /metrics, health and `daybook check`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::hub::{LOST, SHUTDOWN};
use crate::event::wire::Frame;
use crate::words;

/// Upper bounds of the spread of batches, in writes.
const BATCHES: [u64; SHELVES] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/// Upper bounds of the spread of commits, in microseconds.
const COMMITS_US: [u64; SHELVES] =
    [500, 1_000, 2_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000];

const SHELVES: usize = 10;

/// What the live path has done since the start. All relaxed: each stands alone.
#[derive(Debug)]
pub struct Metrics {
    /// Streams that are open now.
    pub streams: AtomicI64,
    /// Frames handed to streams.
    pub deliveries: AtomicU64,
    /// Streams ended by the server, by [`Ending`].
    endings: [AtomicU64; Ending::ALL.len()],
    /// Events handed from the log to readers that were behind.
    pub replayed: AtomicU64,
    /// Resync frames sent.
    pub resyncs: AtomicU64,
    /// Writes that wait for the writer now.
    pub queue_depth: AtomicI64,
    /// Writes refused because the queue was full.
    pub queue_refused: AtomicU64,
    /// Commits that failed.
    pub commits_failed: AtomicU64,
    /// How many writes shared each commit.
    pub batch: Spread,
    /// How long each commit took, in microseconds.
    pub commit_us: Spread,
}

words! {
    /// Why the server has ended a stream.
    Ending {
        Stalled = "stalled", Silent = "silent", Breach = "breach", Rights = "rights",
        Pruned = "pruned", Lost = "lost", Shutdown = "shutdown", Failed = "failed",
    }
}

/// How a value was spread: how often it was at most so much.
#[derive(Debug)]
pub struct Spread {
    bounds: [u64; SHELVES],
    /// One more than bounds: what is above all of them.
    counts: [AtomicU64; SHELVES + 1],
    sum: AtomicU64,
}

/// A [`Spread`] at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// How often it was at most the bound; cumulative.
    pub up_to: Vec<(u64, u64)>,
    pub count: u64,
    pub sum: u64,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics {
            streams: AtomicI64::default(),
            deliveries: AtomicU64::default(),
            endings: Default::default(),
            replayed: AtomicU64::default(),
            resyncs: AtomicU64::default(),
            queue_depth: AtomicI64::default(),
            queue_refused: AtomicU64::default(),
            commits_failed: AtomicU64::default(),
            batch: Spread::new(BATCHES),
            commit_us: Spread::new(COMMITS_US),
        }
    }
}

impl Metrics {
    /// Adds one to `counter`.
    pub fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how many commits have been made, or have failed.
    pub fn commits_tried(&self) -> u64 {
        self.commit_us.read().count + self.commits_failed.load(Ordering::Relaxed)
    }

    /// Counts what was handed to a stream; a sign of life is nothing.
    pub fn delivered(&self, frames: &[Arc<Frame>]) {
        let count = frames.iter().filter(|frame| !frame.is_rest()).count();
        self.deliveries.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Counts a stream that the server has ended.
    pub fn ended(&self, ending: Ending) {
        if let Some(counter) = self.endings.get(ending as usize) {
            Metrics::count(counter);
        }
    }

    /// Returns how many streams the server has ended for this reason.
    pub fn endings(&self, ending: Ending) -> u64 {
        self.endings.get(ending as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }
}

impl Ending {
    /// Returns the kind of ending that a feed's reason is.
    pub fn of(reason: &str) -> Ending {
        match reason {
            SHUTDOWN => Ending::Shutdown,
            LOST => Ending::Lost,
            "too_old" => Ending::Pruned,
            _ => Ending::Rights,
        }
    }
}

impl Spread {
    fn new(bounds: [u64; SHELVES]) -> Spread {
        Spread { bounds, counts: Default::default(), sum: AtomicU64::default() }
    }

    /// Takes note of one value.
    pub fn add(&self, value: u64) {
        let shelf = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(shelf) {
            Metrics::count(count);
        }
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Returns how it is now.
    pub fn read(&self) -> Reading {
        let mut count = 0;
        let mut up_to = Vec::with_capacity(SHELVES);
        for (at, shelf) in self.counts.iter().enumerate() {
            count += shelf.load(Ordering::Relaxed);
            up_to.extend(self.bounds.get(at).map(|bound| (*bound, count)));
        }
        Reading { up_to, count, sum: self.sum.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::{BATCHES, Spread};

    #[test]
    fn a_value_stands_on_the_first_shelf_that_holds_it_and_on_all_above() {
        let spread = Spread::new(BATCHES);
        for value in [1, 2, 3, 512, 513] {
            spread.add(value);
        }
        let reading = spread.read();
        assert_eq!(reading.up_to.get(..4), Some(&[(1, 1), (2, 2), (4, 3), (8, 3)][..]));
        assert_eq!(reading.up_to.last(), Some(&(512, 4)));
        assert_eq!((reading.count, reading.sum), (5, 1031));
    }
}
