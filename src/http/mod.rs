//! The HTTP edge.

pub mod problem;
pub mod limit;
pub mod guard;
mod framing;
mod pace;
pub mod conn;
pub mod listen;
