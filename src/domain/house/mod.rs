//! The house: the one site of this database, its zone, language and hours.

pub mod commands;
pub mod model;
pub mod queries;

pub use model::{Hours, HoursChange, House, Language, NewHouse, Profile};
