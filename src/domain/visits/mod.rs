//! Visits: the day's attendance, stays in runs, and the scans that told of them.

pub mod whereabouts;
