//! Help: a member asks, somebody comes.
//!
//! A member has one open request at the most. It waits in one queue: urgent
//! ones first, then those that come back from hold, then the oldest. Every
//! change counts `rev` up, so that a page tells old news from new.

pub mod commands;
pub mod leaving;
pub mod model;
pub mod queries;

pub use model::{Ask, Assignee, Edit, Figures, Help, Place, Priority, Status};
