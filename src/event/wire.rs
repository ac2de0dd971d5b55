//! Frames: what goes over the wire. Each is encoded once and shared by all who hear it.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::OnceLock;

use bytes::Bytes;

use super::{Cursor, Signal, Topic};
use crate::base::Timestamp;

/// The version of the envelope's shape.
pub const VERSION: u32 = 1;

/// How long a frame is besides its data, about: names of fields, ids, a name.
const ENVELOPE: usize = 256;

/// An event or a signal, encoded for both kinds of stream.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The event's place in the log; none for a signal.
    pub seq: Option<i64>,
    /// Of which figure a signal is; none for an event.
    pub figure: Option<u64>,
    /// Who hears it.
    pub topics: Box<[Topic]>,
    text: Text,
    /// The same in other words, made when the first reader who needs them hears the frame.
    alias: OnceLock<Option<Box<Text>>>,
}

/// What is sent: one frame of an event stream, and in it one JSON object.
#[derive(Debug, Clone)]
pub struct Text {
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
        let text = Text::write(Some(&id), Some(&event.kind), event.data.len(), |text| {
            write!(text, r#"{{"id":"{id}","#)?;
            envelope(text, &event.kind, &event.topics, event.at)?;
            with_name(text, &event.data, name)
        });
        Frame::new(Some(event.seq), None, event.topics.clone().into(), text)
    }

    /// Encodes a signal: no id, so that no client takes it for a position.
    pub fn of_signal(signal: &Signal, at: Timestamp) -> Frame {
        let data = signal.data.to_string();
        let text = Text::write(None, Some(signal.kind), data.len(), |text| {
            text.push('{');
            envelope(text, signal.kind, &signal.topics, at)?;
            with_name(text, &data, None)
        });
        Frame::new(None, Some(signal.figure()), signal.topics.clone().into(), text)
    }

    fn new(seq: Option<i64>, figure: Option<u64>, topics: Box<[Topic]>, text: Text) -> Frame {
        Frame { seq, figure, topics, text, alias: OnceLock::new() }
    }

    /// Returns the frame's text.
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// Returns the frame in the words that `make` has for it, if it has any. They are made once
    /// and shared by all who ask: a program has one `make`.
    pub fn alias(&self, make: fn(&Frame) -> Option<Text>) -> Option<&Text> {
        self.alias.get_or_init(|| make(self).map(Box::new)).as_deref()
    }

    /// Returns the frame as Server-Sent Events text, blank line included.
    pub fn sse(&self) -> &Bytes {
        self.text.sse()
    }

    /// Returns the frame as one JSON object; shares the memory of [`Frame::sse`].
    pub fn json(&self) -> Bytes {
        self.text.json()
    }

    /// Says whether a holder of `topics` (sorted) hears this frame.
    pub fn heard_by(&self, topics: &[Topic]) -> bool {
        self.topics.iter().any(|topic| topics.binary_search(topic).is_ok())
    }
}

impl Text {
    /// Encodes a frame around `json`, which is on one line: serde_json escapes line breaks in
    /// strings. A frame without a `kind` is heard by those who listen to plain messages.
    pub fn new(id: Option<&str>, kind: Option<&str>, json: &str) -> Text {
        Text::write(id, kind, json.len(), |text| text.write_str(json))
    }

    /// Encodes a frame around what `json` writes, which is about `size` bytes long.
    fn write(
        id: Option<&str>,
        kind: Option<&str>,
        size: usize,
        json: impl FnOnce(&mut String) -> std::fmt::Result,
    ) -> Text {
        let mut text = String::with_capacity(size + ENVELOPE);
        for (field, value) in [("id: ", id), ("event: ", kind)] {
            if let Some(value) = value {
                text.extend([field, value, "\n"]);
            }
        }
        text.push_str("data: ");
        let start = text.len();
        // Writing to a String cannot fail.
        let _ = json(&mut text);
        let json = start..text.len();
        text.push_str("\n\n");
        Text { sse: text.into(), json }
    }

    /// Returns the frame as Server-Sent Events text, blank line included.
    pub fn sse(&self) -> &Bytes {
        &self.sse
    }

    /// Returns the frame as one JSON object; shares the memory of [`Text::sse`].
    pub fn json(&self) -> Bytes {
        self.sse.slice(self.json.clone())
    }
}

/// Writes what stands before an object's `data`.
fn envelope(text: &mut String, kind: &str, topics: &[Topic], at: Timestamp) -> std::fmt::Result {
    text.extend([r#""type":""#, kind, r#"","topic":""#]);
    if let Some(topic) = topics.first() {
        write!(text, "{topic}")?;
    }
    write!(text, r#"","ts":"{at}","v":{VERSION},"data":"#)
}

/// Writes the JSON object `data` with a `display_name` first, and ends the object around it.
fn with_name(text: &mut String, data: &str, name: Option<&str>) -> std::fmt::Result {
    match name {
        None => text.push_str(data),
        Some(name) => {
            let rest = data.strip_prefix('{').unwrap_or(data);
            let comma = if rest.starts_with('}') { "" } else { "," };
            let name = serde_json::to_string(name).map_err(|_| std::fmt::Error)?;
            text.extend([r#"{"display_name":"#, &name, comma, rest]);
        }
    }
    text.push('}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{Frame, Logged, Text};
    use crate::base::Timestamp;
    use crate::event::Topic;

    #[test]
    fn other_words_are_made_once_when_they_are_asked_for() {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        fn shorter(frame: &Frame) -> Option<Text> {
            MADE.fetch_add(1, Ordering::Relaxed);
            (frame.seq == Some(1)).then(|| Text::new(Some("1"), None, "{}"))
        }
        for seq in [1, 2] {
            let event = Logged {
                seq,
                at: Timestamp(0),
                kind: "a.b".into(),
                topics: Vec::new(),
                subject: None,
                data: "{}".to_owned(),
            };
            let frame = Frame::of_event(&"e".into(), &event, None);
            let made = MADE.load(Ordering::Relaxed);
            let texts = [frame.alias(shorter), frame.alias(shorter)]
                .map(|text| text.map(|text| String::from_utf8(text.sse().to_vec()).unwrap()));
            let expected = (seq == 1).then(|| "id: 1\ndata: {}\n\n".to_owned());
            assert_eq!(texts, [expected.clone(), expected]);
            assert_eq!(MADE.load(Ordering::Relaxed), made + 1);
        }
    }

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
