//! Visits: the day's attendance, stays in runs, and the scans that told of them.
//!
//! Attendance (is somebody in the house today) and a visit (is somebody in a run
//! now) are two facts: who leaves a room has not gone home. A person never has
//! two open visits, and who has one is present: every change here goes through
//! the two functions of `attendance` and the two of `stays` that keep it so.
//! A scan that is older than what is known of a person changes nothing.

pub mod model;
pub mod queries;
pub mod snapshots;
pub mod lists;
mod attendance;
mod places;
mod bearers;
mod standings;
mod kept;
mod stays;
mod bulk;
pub mod commands;
pub mod marking;
pub mod day;
pub mod keeping;
pub mod display;
pub mod scan;
mod hand;
pub mod whereabouts;

pub use model::{Attendance, Counts, Occupancy, Status, Visit};
