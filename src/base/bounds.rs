//! How far a time that somebody tells may lie from the time it is told at.

use std::time::Duration;

/// What is further ahead comes from a wrong clock.
pub const AHEAD_MAX: Duration = Duration::from_secs(120);

/// What is further back tells of a day that nobody remembers, or comes from a wrong clock too.
pub const AGE_MAX: Duration = Duration::from_secs(72 * 60 * 60);
