//! People: who is looked after and who works here, with accounts, badges,
//! contacts and login sessions.

pub mod model;
pub mod queries;

pub use model::Role;
