//! Who asked for a write.

use std::borrow::Cow;
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

impl Actor {
    fn text(self) -> Cow<'static, str> {
        let (kind, id) = match self {
            Actor::Person(id) => ("person:", id.0),
            Actor::Device(id) => ("device:", id.0),
            Actor::System => return "system".into(),
        };
        // Without the formatter: each event is kept with one.
        [kind, itoa::Buffer::new().format(id)].concat().into()
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl rusqlite::ToSql for Actor {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(match self.text() {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        })
    }
}
