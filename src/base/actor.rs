//! Who asked for a write.

use std::fmt;

use super::id::{DeviceId, PersonId};

/// Who asked for a write; kept with every event that it causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    Person(PersonId),
    Device(DeviceId),
    System,
}

impl Actor {
    /// Returns the person who acts, if it is one.
    pub fn person(self) -> Option<PersonId> {
        match self {
            Actor::Person(id) => Some(id),
            Actor::Device(_) | Actor::System => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Person(id) => write!(f, "person:{id}"),
            Actor::Device(id) => write!(f, "device:{id}"),
            Actor::System => f.write_str("system"),
        }
    }
}

impl rusqlite::ToSql for Actor {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}
