//! The demo house: an invented school with a whole day in motion. The house and its day are pure
//! data made from a seed; the same seed gives the same house and the same day. The equations of
//! the day hold for every seed, by construction, and are proven so by a rehearsal.

pub mod dice;
pub mod time;
mod names;
pub mod places;
pub mod house;
pub mod plan;
mod script;
mod cast;
mod children;
mod colleagues;
mod questions;
pub mod day;
pub mod seed;
pub mod play;
pub mod stage;
pub mod opening;
#[cfg(test)]
mod rehearsal;

/// The seed of the demo house unless another is asked for.
pub const SEED: u64 = 42;
