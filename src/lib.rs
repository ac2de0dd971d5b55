//! Daybook: the live day book of a house.

pub mod config;
pub mod systemd;
