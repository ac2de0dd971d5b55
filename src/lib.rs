//! Daybook, the live day book of a house. Modules are listed in layer order:
//! each may use only those above it.
#![doc = include_str!("../docs/architecture.md")]

pub mod base;
pub mod memory;
pub mod config;
pub mod store;
pub mod event;
pub mod live;
pub mod domain;
pub mod app;
pub mod http;
pub mod heartbeat;
pub mod jobs;
pub mod systemd;
pub mod serve;
pub mod client;
pub mod demo;
pub mod cli;
