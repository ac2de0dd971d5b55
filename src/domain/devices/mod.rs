//! Devices: badge readers and kiosks, and wall screens.
//!
//! A reader is let in by a code that works once, and shows a key from then on;
//! of both only hashes are kept. It says each minute how it is. It never
//! decides anything: what a scan means is decided by `visits`.

pub mod model;
pub mod rules;
pub mod keys;
pub mod queries;
pub mod health;
pub mod commands;
pub mod pairing;
pub mod displays;

pub use keys::{KeyHolder, KeyRing, Known};
pub use model::{
    Alarm, Command, CommandKind, Config, Counts, Device, Display, Intent, Mode, Scanner, ShowName,
    State, TagOrder,
};
pub use pairing::{Digits, Pairings};
