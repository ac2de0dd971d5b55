//! The live path: a write becomes rows, a line in the log, and then news.
//!
//! ```text
//! caller -> Writer (bounded queue) -> one thread: BEGIN; savepoint per write; COMMIT
//!        -> another: the disk has it; news, then answers
//!        -> Hub (a ring of encoded frames) -> feeds (a cursor each) -> streams,
//!           or couriers -> the socket of a stream that rests
//! ```
//!
//! Nothing is announced before its commit is durable, and the answer comes after
//! the announcement. A subscriber is a cursor, never a buffer: when it falls behind
//! the ring it pages from the log. This layer never names a noun.

pub mod checkpoint;
pub mod courier;
pub mod durable;
pub mod faults;
pub mod feed;
pub mod hasher;
pub mod hub;
pub mod log;
pub mod memo;
pub mod metrics;
pub mod once;
pub mod place;
pub mod presence;
mod pulse;
pub mod replay;
pub mod ring;
mod shelf;
pub mod slot;
pub mod tx;
pub mod watch;
pub mod writer;

pub use durable::Durable;
pub use feed::Feed;
pub use hasher::Hasher;
pub use hub::{Holder, Hub};
pub use once::Once;
pub use presence::Presence;
pub use replay::Replay;
pub use tx::Tx;
pub use writer::Writer;
