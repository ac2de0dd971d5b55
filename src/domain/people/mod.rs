//! People: who is looked after, who works here, what they may do, and how they prove it.
//!
//! A person holds badges and, if they work here or the house wants it, an account. At least
//! one admin can always sign in. Contacts have no account; reading them leaves a line in the
//! audit. A change of role ends the person's streams, so that they are decided anew.

pub mod cells;
pub mod headings;
mod decoding;
pub mod table;
pub mod columns;
mod repeats;
pub mod import;
pub mod rules;
pub mod model;
pub mod queries;
pub mod audit;
pub mod sessions;
pub mod online;
pub mod pins;
pub mod commands;
pub mod setup;

pub use model::{Person, Role};
