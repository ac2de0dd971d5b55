//! What a client says over a WebSocket, and how it is answered.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{Cursor, Topic};
use crate::http::parse;

/// A command. `reference` comes back with its answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    pub op: Op,
    #[serde(default)]
    pub topics: Vec<String>,
    pub after: Option<String>,
    #[serde(rename = "ref")]
    pub reference: Option<Value>,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    Subscribe,
    Unsubscribe,
    Ping,
    Signal,
}

/// What a command came to.
#[derive(Debug, Serialize)]
pub struct Answer<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<&'a Value>,
    pub ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topics: Option<&'a [Topic]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Why a command was not done.
#[derive(Debug)]
pub struct Refusal {
    pub code: &'static str,
    pub detail: String,
}

impl Refusal {
    /// Returns a refusal with a stable code and a sentence for people.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Refusal {
        Refusal { code, detail: detail.into() }
    }
}

/// Reads a command; the error names its reference as far as it could be read.
pub fn parse(text: &str) -> Result<Command, (Option<Value>, Refusal)> {
    parse::read(text.as_bytes()).map_err(|fault| {
        let value: Option<Value> = serde_json::from_str(text).ok();
        let reference = value.and_then(|mut value| value.get_mut("ref").map(Value::take));
        let problem = fault.of("the command");
        let detail = match fault.field {
            Some(field) if !problem.contains(" field `") => format!("{field}: {problem}"),
            _ => problem,
        };
        (reference, Refusal::new("command.malformed", detail))
    })
}

#[cfg(test)]
mod tests {
    use super::{Op, parse};

    #[test]
    fn a_command_that_cannot_be_read_is_answered_with_its_own_reference() {
        let (reference, refusal) = parse(r#"{"op": "dance", "ref": 7}"#).unwrap_err();
        assert_eq!((reference, refusal.code), (Some(7.into()), "command.malformed"));
        let (reference, _) = parse("hello").unwrap_err();
        assert_eq!(reference, None);
        assert_eq!(refusal.detail, "op: must be one of: subscribe, unsubscribe, ping, signal");
        let (_, refusal) = parse(r#"["subscribe", ["house"], null, 7]"#).unwrap_err();
        assert_eq!(refusal.detail, "the command must be an object");
        let command = parse(r#"{"op": "subscribe", "topics": ["house"], "ref": "a"}"#).unwrap();
        assert_eq!((command.op, command.topics.len()), (Op::Subscribe, 1));
    }
}
