//! Signals: passing state that is never logged, may be dropped, and is told
//! anew by the next snapshot.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use serde_json::Value;

use super::Topic;
use crate::base::id::RoomId;

/// Passing state, ready to be sent: counts, presence.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// The canonical name, as docs/events.md lists it.
    pub kind: &'static str,
    /// Who hears it, the canonical topic first.
    pub topics: Vec<Topic>,
    /// A JSON object; built from a type of the noun that sends it.
    pub data: Value,
}

impl Signal {
    /// Returns what tells this figure from others: a later signal with the same one replaces it.
    pub fn figure(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let of = self.data.get("user_id").and_then(Value::as_str);
        (self.kind, &self.topics, of).hash(&mut hasher);
        hasher.finish()
    }
}

/// A figure that a write has made stale. It is computed again by one read, at
/// most once a second, however many writes touched it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stale {
    /// The counts of the house (`house.counts_changed`).
    Counts,
    /// One room's occupancy (`room.occupancy_changed`).
    Room(RoomId),
    /// The figures of the help queue (`queue.changed`).
    Queue,
}
