//! A position in the log, as clients hold it: `<epoch>-<sequence>`.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// A position in the log of one database's life. Opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Made when the database was created or restored.
    pub epoch: Arc<str>,
    /// The last event that the holder knows of; 0 before the first.
    pub seq: i64,
}

impl Cursor {
    /// Reads a cursor; none when the text is not one.
    pub fn parse(text: &str) -> Option<Cursor> {
        let (epoch, seq) = text.rsplit_once('-')?;
        let number: i64 = seq.parse().ok()?;
        let canonical = number >= 0 && number.to_string() == seq && !epoch.is_empty();
        (canonical && text.len() <= 64).then(|| Cursor { epoch: epoch.into(), seq: number })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.seq)
    }
}

impl utoipa::PartialSchema for Cursor {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .examples(["9f31c2ab-1042"])
            .into()
    }
}

impl utoipa::ToSchema for Cursor {}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
