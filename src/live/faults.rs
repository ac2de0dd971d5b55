//! Faults of the disk that tests plan.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

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
    /// A slow disk cannot keep what was committed.
    AtSync = 2,
}

impl Faults {
    /// Plans `fault` for the next commit.
    pub fn plan(&self, fault: Fault) {
        self.0.store(fault as u8, Ordering::SeqCst);
    }

    pub(super) fn strikes(&self, fault: Fault) -> bool {
        self.0.compare_exchange(fault as u8, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}
