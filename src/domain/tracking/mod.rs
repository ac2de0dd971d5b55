//! Tracking: what members did, as their pages tell it.
//!
//! A page tells in batches; an action with an id of the client's own may be
//! told again without harm. Its words are read in scope only and never leave
//! in a frame.

pub mod commands;
pub mod model;
pub mod queries;

pub use model::{Tracked, Tracking};
