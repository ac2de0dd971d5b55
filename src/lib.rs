//! Daybook: the live day book of a house.

pub mod config;
pub mod http;
pub mod systemd;
