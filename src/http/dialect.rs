//! How a stream speaks: in today's names, or in those of the older systems.
//!
//! What goes over a stream is put into words here, whatever carries it: the frames of its feed, and
//! what it says of itself.

use serde_json::{Value, json};

use super::classic::table;
use crate::base::Timestamp;
use crate::event::wire::{Frame, Text, VERSION};
use crate::event::{Cursor, Topic};
use crate::live::feed::Opening;
use crate::live::watch::Carrier;

/// The words of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Those of docs/events.md.
    Canonical,
    /// Those of the table of classic names, and nothing that has none.
    Classic,
}

impl Dialect {
    /// Returns what carries an event stream in these words.
    pub fn over_http(self) -> Carrier {
        match self {
            Dialect::Canonical => Carrier::Sse,
            Dialect::Classic => Carrier::ClassicSse,
        }
    }

    /// Returns what carries a WebSocket in these words.
    pub fn over_websocket(self) -> Carrier {
        match self {
            Dialect::Canonical => Carrier::WebSocket,
            Dialect::Classic => Carrier::ClassicWebSocket,
        }
    }

    /// Returns the words for a frame, if there are any; they are encoded once for all streams.
    pub fn text(self, frame: &Frame) -> Option<&Text> {
        match self {
            Dialect::Canonical => Some(frame.text()),
            Dialect::Classic => frame.alias(table::form),
        }
    }

    /// Returns what every stream begins with: where it stands and, when its start is not known
    /// here, that snapshots must be read again.
    pub fn greeting(
        self,
        topics: &[Topic],
        cursor: &Cursor,
        opening: Opening,
        now: Timestamp,
    ) -> Vec<Text> {
        let connected = json!({ "topics": topics, "cursor": cursor, "server_time": now });
        let (id, resync) = match opening {
            Opening::Whole => (Some(cursor), None),
            // Whoever is cut before the second frame must come back with what it came with, so
            // that it is told again.
            Opening::Resync(reason) => (None, self.resync(cursor, reason, now)),
        };
        let connected = self.own("stream.connected", id, connected, now);
        connected.into_iter().chain(resync).collect()
    }

    /// Returns the word that snapshots must be read again. The older systems have none; their
    /// clients do so when they are connected, and are told that they are, once more.
    pub fn resync(self, cursor: &Cursor, reason: &str, now: Timestamp) -> Option<Text> {
        match self {
            Dialect::Canonical => {
                self.own("resync", Some(cursor), json!({ "reason": reason, "cursor": cursor }), now)
            }
            Dialect::Classic => {
                let again = json!({ "resync": reason, "cursor": cursor });
                self.own("stream.connected", Some(cursor), again, now)
            }
        }
    }

    /// Returns a goodbye. It has no id: it is no place to come back to.
    pub fn goodbye(self, reason: &str, retry_ms: u32, now: Timestamp) -> Option<Text> {
        match self {
            Dialect::Canonical => {
                let data = json!({ "reason": reason, "retry_ms": retry_ms });
                let json = format!(
                    r#"{{"type":"bye","topic":"stream","ts":"{now}","v":{VERSION},"data":{data}}}"#
                );
                Some(Text::new(None, Some("bye"), &json))
            }
            Dialect::Classic => None,
        }
    }

    /// Encodes what a stream says of itself.
    fn own(self, kind: &str, id: Option<&Cursor>, data: Value, now: Timestamp) -> Option<Text> {
        let id = id.map(Cursor::to_string);
        match (self, data) {
            (Dialect::Canonical, data) => {
                let named = id.iter().map(|id| format!(r#""id":"{id}","#)).collect::<String>();
                let json = format!(
                    r#"{{{named}"type":"{kind}","topic":"stream","ts":"{now}","v":{VERSION},"data":{data}}}"#
                );
                Some(Text::new(id.as_deref(), Some(kind), &json))
            }
            (Dialect::Classic, Value::Object(data)) => {
                table::find(kind)?.text(id.as_deref(), &now.to_string(), data)
            }
            (Dialect::Classic, _) => None,
        }
    }
}
