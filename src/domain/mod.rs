//! The nouns of the trade, lower ones first: a noun may use those before it.
//!
//! Each owns its types, its SQL and its rules. Commands are plain functions
//! over a transaction: load, decide, write rows, emit. HTTP, command line and
//! timetable call the same ones.

pub mod house;
pub mod people;
pub mod devices;
pub mod rooms;
pub mod visits;
pub mod help;
pub mod tracking;
