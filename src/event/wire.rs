//! Frames: what goes over the wire. Each is encoded once and shared by all who hear it.

use std::fmt::Write as _;
use std::ops::Range;

use bytes::Bytes;

use super::{Cursor, Signal, Topic};
use crate::base::Timestamp;

/// The version of the envelope's shape.
pub const VERSION: u32 = 1;

/// An event or a signal, encoded for both kinds of stream.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The event's place in the log; none for a signal.
    pub seq: Option<i64>,
    /// Who hears it.
    pub topics: Box<[Topic]>,
    sse: Bytes,
    json: Range<usize>,
}

/// What the log knows of an event: enough to encode it again.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    pub seq: i64,
    pub at: Timestamp,
    pub kind: std::borrow::Cow<'static, str>,
    /// The canonical topic first.
    pub topics: Vec<Topic>,
    /// The person whose name the frame shows.
    pub subject: Option<crate::base::id::PersonId>,
    /// A JSON object.
    pub data: String,
}

impl Frame {
    /// Encodes an event; `name` is its subject's display name, looked up now.
    pub fn of_event(epoch: &std::sync::Arc<str>, event: &Logged, name: Option<&str>) -> Frame {
        let id = Cursor { epoch: epoch.clone(), seq: event.seq }.to_string();
        let data = with_name(&event.data, name);
        let topic = event.topics.first().map(Topic::to_string).unwrap_or_default();
        let json = format!(
            r#"{{"id":"{id}","type":"{}","topic":"{topic}","ts":"{}","v":{VERSION},"data":{data}}}"#,
            event.kind, event.at
        );
        Frame::new(Some(event.seq), event.topics.clone().into(), Some(&id), &event.kind, &json)
    }

    /// Encodes a signal: no id, so that no client takes it for a position.
    pub fn of_signal(signal: &Signal, at: Timestamp) -> Frame {
        let topic = signal.topics.first().map(Topic::to_string).unwrap_or_default();
        let json = format!(
            r#"{{"type":"{}","topic":"{topic}","ts":"{at}","v":{VERSION},"data":{}}}"#,
            signal.kind, signal.data
        );
        Frame::new(None, signal.topics.clone().into(), None, signal.kind, &json)
    }

    fn new(
        seq: Option<i64>,
        topics: Box<[Topic]>,
        id: Option<&str>,
        kind: &str,
        json: &str,
    ) -> Frame {
        let (sse, json) = sse_text(id, kind, json);
        Frame { seq, topics, sse: sse.into(), json }
    }

    /// Returns the frame as Server-Sent Events text, blank line included.
    pub fn sse(&self) -> &Bytes {
        &self.sse
    }

    /// Returns the frame as one JSON object; shares the memory of [`Frame::sse`].
    pub fn json(&self) -> Bytes {
        self.sse.slice(self.json.clone())
    }

    /// Says whether a holder of `topics` (sorted) hears this frame.
    pub fn heard_by(&self, topics: &[Topic]) -> bool {
        self.topics.iter().any(|topic| topics.binary_search(topic).is_ok())
    }
}

/// Returns the text of one SSE frame, and where the JSON stands in it. The JSON
/// is on one line: serde_json escapes line breaks in strings.
pub fn sse_text(id: Option<&str>, kind: &str, json: &str) -> (String, Range<usize>) {
    let mut text = String::with_capacity(json.len() + kind.len() + 64);
    if let Some(id) = id {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "id: {id}");
    }
    let _ = write!(text, "event: {kind}\ndata: ");
    let start = text.len();
    text.push_str(json);
    let end = text.len();
    text.push_str("\n\n");
    (text, start..end)
}

/// Returns the JSON object `data` with a `display_name` first.
fn with_name(data: &str, name: Option<&str>) -> String {
    let Some(name) = name else { return data.to_owned() };
    let name = serde_json::Value::from(name);
    let rest = data.strip_prefix('{').unwrap_or(data);
    let comma = if rest.starts_with('}') { "" } else { "," };
    format!(r#"{{"display_name":{name}{comma}{rest}"#)
}

#[cfg(test)]
mod tests {
    use super::{Frame, Logged};
    use crate::base::Timestamp;
    use crate::event::Topic;

    #[test]
    fn a_name_with_line_breaks_cannot_forge_a_second_frame() {
        let event = Logged {
            seq: 7,
            at: Timestamp(0),
            kind: "visit.started".into(),
            topics: vec![Topic::House],
            subject: None,
            data: r#"{"visit_id":"3"}"#.to_owned(),
        };
        let frame = Frame::of_event(&"e1".into(), &event, Some("A\n\nid: 9\rdata: {}\u{0}\"B"));
        let text = std::str::from_utf8(frame.sse()).unwrap();
        assert_eq!(text.matches("\n\n").count(), 1);
        assert!(!text.contains('\r'));
        let json: serde_json::Value = serde_json::from_slice(&frame.json()).unwrap();
        assert_eq!(json["data"]["display_name"], "A\n\nid: 9\rdata: {}\u{0}\"B");
        assert_eq!(json["data"]["visit_id"], "3");
        assert_eq!(json["id"], "e1-7");
    }
}
