//! Words that every module may use: errors, ids, time, who acts, secrets, text and pages.

pub mod actor;
pub mod bounds;
pub mod error;
pub mod id;
pub mod page;
pub mod secret;
pub mod text;
pub mod time;
pub mod ulid;
pub mod words;

pub use actor::Actor;
pub use error::{Error, Result};
pub use time::{Clock, Day, Pace, TimeOfDay, Timestamp};
