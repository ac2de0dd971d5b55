//! What a tracked action is.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::base::id::{PersonId, TrackedId};
use crate::base::{Error, Result, Timestamp, text};
use crate::store::rows::{FromRow, Row};

/// How long the name of an action's type may be.
const TYPE_MAX: usize = 64;

/// How long the words of an action may be, in characters.
const CONTENT_MAX: usize = 2000;

/// How long the context of an action may be, in bytes of JSON.
const CONTEXT_MAX: usize = 4096;

/// How many actions one batch may tell.
pub const BATCH_MAX: usize = 200;

/// An action as a page tells it, checked.
#[derive(Debug, Clone)]
pub struct Tracking {
    pub(super) event_type: String,
    pub(super) book_id: Option<String>,
    pub(super) content: Option<String>,
    pub(super) context: Option<String>,
    pub(super) at: Option<Timestamp>,
    pub(super) client_id: Option<String>,
}

impl Tracking {
    /// Checks the type of the action: a short word in lower case, such as `page.opened`.
    pub fn new(event_type: &str) -> Result<Tracking> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_');
        if event_type.is_empty() || event_type.len() > TYPE_MAX || !event_type.chars().all(fits) {
            let problem = "must be 1 to 64 of a-z, 0-9, dot and underscore";
            return Err(Error::invalid("event_type", problem));
        }
        Ok(Tracking {
            event_type: event_type.to_owned(),
            book_id: None,
            content: None,
            context: None,
            at: None,
            client_id: None,
        })
    }

    /// Says which book it was about.
    pub fn in_book(mut self, book_id: Option<&str>) -> Result<Tracking> {
        self.book_id = book_id.map(|id| text::line("book_id", id, 64)).transpose()?;
        Ok(self)
    }

    /// Adds words and context.
    pub fn saying(
        mut self,
        content: Option<&str>,
        context: Option<&Map<String, Value>>,
    ) -> Result<Tracking> {
        self.content =
            content.map(|words| text::paragraph("content", words, CONTENT_MAX)).transpose()?;
        self.context = context.map(text::json).transpose()?;
        if self.context.as_ref().is_some_and(|context| context.len() > CONTEXT_MAX) {
            return Err(Error::invalid("context", "must have at most 4096 bytes"));
        }
        Ok(self)
    }

    /// Says when it was, and by which id the page knows it.
    pub fn told(mut self, at: Option<Timestamp>, client_id: Option<&str>) -> Result<Tracking> {
        self.at = at;
        self.client_id = client_id.map(|id| text::line("id", id, 64)).transpose()?;
        Ok(self)
    }
}

/// An action in the feed.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Tracked {
    pub id: TrackedId,
    pub person_id: PersonId,
    pub display_name: String,
    pub event_type: String,
    pub book_id: Option<String>,
    pub content: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub context: Option<Value>,
    pub at: Timestamp,
}

impl FromRow for Tracked {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Tracked> {
        let context: Option<String> = row.get("context")?;
        Ok(Tracked {
            id: TrackedId(row.get("tracked_id")?),
            person_id: row.get("person_id")?,
            display_name: row.get("display_name")?,
            event_type: row.get("event_type")?,
            book_id: row.get("book_id")?,
            content: row.get("content")?,
            context: context.and_then(|json| serde_json::from_str(&json).ok()),
            at: row.get("at")?,
        })
    }
}
