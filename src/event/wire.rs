//! Frames: what goes over the wire. Each is encoded once and shared by all who hear it.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;

use super::{Cursor, Signal, Topic};
use crate::base::Timestamp;
use crate::base::id::PersonId;

/// The version of the envelope's shape.
pub const VERSION: u32 = 1;

/// How long a frame is besides its data, about: names of fields, ids, a name.
const ENVELOPE: usize = 256;

/// An event, a signal or a sign of life on its way to both kinds of stream. It is encoded when the
/// first of those who hear it asks, and by whoever that is: what nobody listens for costs its writer
/// nothing more.
#[derive(Debug)]
pub struct Frame {
    /// The event's place in the log; none for a signal.
    pub seq: Option<i64>,
    /// Of which figure a signal is; none for an event.
    pub figure: Option<u64>,
    /// Who hears it.
    pub topics: Vec<Topic>,
    /// About how many bytes it takes.
    pub size: usize,
    /// What there is to say, until it is encoded; what a sign of life says, for good.
    words: Mutex<Option<Words>>,
    text: OnceLock<Text>,
    /// The same in other words, made when the first reader who needs them hears the frame.
    alias: OnceLock<Option<Box<Text>>>,
}

/// What a frame says, besides its topics.
#[derive(Debug)]
struct Words {
    id: Option<Cursor>,
    kind: Cow<'static, str>,
    at: Timestamp,
    /// A JSON object.
    data: String,
    /// The display name that it begins with.
    name: Option<Arc<str>>,
}

/// What is sent: one frame of an event stream, and in it one JSON object.
#[derive(Debug, Clone, Default)]
pub struct Text {
    sse: Bytes,
    json: Range<usize>,
}

/// What the log knows of an event: enough to encode it again.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    pub seq: i64,
    pub at: Timestamp,
    pub kind: Cow<'static, str>,
    /// The canonical topic first.
    pub topics: Vec<Topic>,
    /// The person whose name the frame shows.
    pub subject: Option<PersonId>,
    /// That name, where the writer has just read it; the log holds no names.
    pub name: Option<Arc<str>>,
    /// A JSON object.
    pub data: String,
}

impl Frame {
    /// Returns the frame of an event; `name` is its subject's display name, looked up now.
    pub fn of_event(epoch: &Arc<str>, event: Logged, name: Option<Arc<str>>) -> Frame {
        let Logged { seq, at, kind, topics, data, .. } = event;
        let id = Some(Cursor { epoch: epoch.clone(), seq });
        Frame::new(Some(seq), None, topics, Words { id, kind, at, data, name })
    }

    /// Returns the frame of a signal: it has no id, so that no client takes it for a position.
    pub fn of_signal(signal: &Signal, at: Timestamp) -> Frame {
        let (kind, data) = (signal.kind.into(), signal.data.to_string());
        let words = Words { id: None, kind, at, data, name: None };
        Frame::new(None, Some(signal.figure()), signal.topics.clone(), words)
    }

    /// Returns a sign of life. It says nothing but that the reader has everything up to `cursor`,
    /// and that only to an event stream: a WebSocket has its pings.
    pub fn of_rest(cursor: Cursor, at: Timestamp) -> Frame {
        let text = Text { sse: format!("id: {cursor}\n\n").into(), json: 0..0 };
        let (kind, data) = ("heartbeat".into(), "{}".to_owned());
        let words = Words { id: Some(cursor), kind, at, data, name: None };
        Frame { text: text.into(), ..Frame::new(None, None, Vec::new(), words) }
    }

    fn new(seq: Option<i64>, figure: Option<u64>, topics: Vec<Topic>, words: Words) -> Frame {
        let (size, words) = (words.size(), Mutex::new(Some(words)));
        let (text, alias) = (OnceLock::new(), OnceLock::new());
        Frame { seq, figure, topics, size, words, text, alias }
    }

    /// Returns the frame's text.
    pub fn text(&self) -> &Text {
        self.text.get_or_init(|| {
            let words = self.words.lock().unwrap_or_else(PoisonError::into_inner).take();
            // They are there until this has been done, which is once.
            words.map(|words| words.encoded(&self.topics)).unwrap_or_default()
        })
    }

    /// Returns the frame in the words that `make` has for it, if it has any. They are made once
    /// and shared by all who ask: a program has one `make`.
    pub fn alias(&self, make: fn(&Frame) -> Option<Text>) -> Option<&Text> {
        self.alias.get_or_init(|| make(self).map(Box::new)).as_deref()
    }

    /// Says whether this is a sign of life.
    pub fn is_rest(&self) -> bool {
        self.seq.is_none() && self.figure.is_none()
    }

    /// Returns the frame's envelope, for who puts it into other words.
    pub fn envelope(&self) -> Bytes {
        if !self.is_rest() {
            return self.json();
        }
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        words.as_ref().map(|words| words.encoded(&self.topics).json()).unwrap_or_default()
    }

    /// Returns the frame as Server-Sent Events text, blank line included.
    pub fn sse(&self) -> &Bytes {
        self.text().sse()
    }

    /// Returns the frame as one JSON object; shares the memory of [`Frame::sse`].
    pub fn json(&self) -> Bytes {
        self.text().json()
    }

    /// Says whether a holder of `topics` (sorted) hears this frame.
    pub fn heard_by(&self, topics: &[Topic]) -> bool {
        self.topics.iter().any(|topic| topics.binary_search(topic).is_ok())
    }
}

impl Words {
    fn size(&self) -> usize {
        self.data.len() + ENVELOPE
    }

    /// Writes an envelope with these words.
    fn encoded(&self, topics: &[Topic]) -> Text {
        let id = self.id.as_ref().map(Cursor::to_string);
        Text::write(id.as_deref(), Some(&self.kind), self.size(), |text| {
            text.push('{');
            if let Some(id) = &id {
                text.extend([r#""id":""#, id, r#"","#]);
            }
            text.extend([r#""type":""#, &self.kind, r#"","topic":""#]);
            if let Some(topic) = topics.first() {
                topic.push_to(text);
            }
            write!(text, r#"","ts":"{}","v":{VERSION},"data":"#, self.at)?;
            with_name(text, &self.data, self.name.as_deref())
        })
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

    /// Returns the bytes of the JSON object; none of what is for event streams only.
    pub fn json_bytes(&self) -> &[u8] {
        self.sse.get(self.json.clone()).unwrap_or_default()
    }

    /// Returns the frame as one JSON object; shares the memory of [`Text::sse`].
    pub fn json(&self) -> Bytes {
        self.sse.slice(self.json.clone())
    }
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

    fn event(seq: i64, data: &str) -> Logged {
        Logged {
            seq,
            at: Timestamp(0),
            kind: "a.b".into(),
            topics: vec![Topic::House],
            subject: None,
            name: None,
            data: data.to_owned(),
        }
    }

    #[test]
    fn other_words_are_made_once_when_they_are_asked_for() {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        fn shorter(frame: &Frame) -> Option<Text> {
            MADE.fetch_add(1, Ordering::Relaxed);
            (frame.seq == Some(1)).then(|| Text::new(Some("1"), None, "{}"))
        }
        for seq in [1, 2] {
            let frame = Frame::of_event(&"e".into(), event(seq, "{}"), None);
            let made = MADE.load(Ordering::Relaxed);
            let texts = [frame.alias(shorter), frame.alias(shorter)]
                .map(|text| text.map(|text| String::from_utf8(text.sse().to_vec()).unwrap()));
            let expected = (seq == 1).then(|| "id: 1\ndata: {}\n\n".to_owned());
            assert_eq!(texts, [expected.clone(), expected]);
            assert_eq!(MADE.load(Ordering::Relaxed), made + 1);
        }
    }

    #[test]
    fn a_frame_is_encoded_when_it_is_asked_for_and_not_before() {
        let frame = Frame::of_event(&"e".into(), event(1, "{}"), None);
        assert!(frame.text.get().is_none() && frame.heard_by(&[Topic::House]));
        let first = frame.sse().as_ptr();
        assert_eq!(first, frame.sse().as_ptr(), "one text for all");
        assert!(frame.words.lock().unwrap().is_none(), "what it was made of is let go");
    }

    /// Faults 26 and 73.
    #[test]
    fn a_name_with_line_breaks_cannot_forge_a_second_frame() {
        let event = event(7, r#"{"visit_id":"3"}"#);
        let frame =
            Frame::of_event(&"e1".into(), event, Some("A\n\nid: 9\rdata: {}\u{0}\"B".into()));
        let text = std::str::from_utf8(frame.sse()).unwrap();
        assert_eq!(text.matches("\n\n").count(), 1);
        assert!(!text.contains('\r'));
        let json: serde_json::Value = serde_json::from_slice(&frame.json()).unwrap();
        assert_eq!(json["data"]["display_name"], "A\n\nid: 9\rdata: {}\u{0}\"B");
        assert_eq!(json["data"]["visit_id"], "3");
        assert_eq!(json["id"], "e1-7");
    }
}
