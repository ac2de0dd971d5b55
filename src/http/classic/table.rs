//! The table of the classic names: how older systems called what happens, a row for each event.
//!
//! This is the only place that knows them. A noun that comes later adds its rows here; what has no
//! row is not heard on the classic paths.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::event::wire::{Frame, Text};

/// An event as an older system has it.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Our name of it.
    pub canonical: &'static str,
    /// Theirs.
    pub classic: &'static str,
    /// The older system that has this name.
    pub system: &'static str,
    /// Fields of `data` that have another name there.
    pub renamed: Fields,
    /// Fields that stand beside `data` there, under this name, and no longer in it.
    pub lifted: Fields,
}

/// Names of fields: ours, then theirs.
pub type Fields = &'static [(&'static str, &'static str)];

/// Where help, activity and sign-ins are from.
const READER: &str = "reader";
/// Where visits and runs are from.
const CHECK_IN: &str = "check-in";
/// Where presence is from.
const NOTIFICATIONS: &str = "notifications";

const NONE: Fields = &[];
const STUDENT: Fields = &[("member_id", "student_id"), ("display_name", "student_name")];
const STUDENTS: Fields = &[("member_ids", "student_ids")];
const USER: Fields = &[("user_id", "userId"), ("last_seen", "lastSeen"), ("device_kind", "device")];
const OF_RUN: Fields = &[("run_id", "active_group_id")];

/// Every event that has a classic name. No name stands twice, neither ours nor theirs.
pub const ROWS: &[Row] = &[
    // The stream itself.
    row("stream.connected", "connected", READER, NONE, NONE),
    row("heartbeat", "heartbeat", READER, NONE, NONE),
    // people
    row("account.signed_in", "login", READER, NONE, NONE),
    row("account.signed_out", "logout", READER, NONE, NONE),
    row("presence.list_changed", "online_users", READER, NONE, NONE),
    row("presence.updated", "presence_update", NOTIFICATIONS, USER, NONE),
    row("user.status_changed", "user_status", NOTIFICATIONS, USER, NONE),
    // rooms
    row("access.changed", "group_access_changed", CHECK_IN, NONE, NONE),
    row("run.started", "activity_start", CHECK_IN, NONE, OF_RUN),
    row("run.updated", "activity_update", CHECK_IN, NONE, OF_RUN),
    row("run.ended", "activity_end", CHECK_IN, NONE, OF_RUN),
    // visits
    row("visit.started", "student_checkin", CHECK_IN, STUDENT, OF_RUN),
    row("visit.ended", "student_checkout", CHECK_IN, STUDENT, OF_RUN),
    row("visit.bulk_started", "bulk_student_checkin", CHECK_IN, STUDENTS, OF_RUN),
    row("visit.bulk_ended", "bulk_student_checkout", CHECK_IN, STUDENTS, OF_RUN),
    // help
    row("help.requested", "help_request", READER, NONE, NONE),
    row("help.updated", "help_request_update", READER, NONE, NONE),
    // tracking
    row("activity.tracked", "activity", READER, NONE, NONE),
];

const fn row(
    canonical: &'static str,
    classic: &'static str,
    system: &'static str,
    renamed: Fields,
    lifted: Fields,
) -> Row {
    Row { canonical, classic, system, renamed, lifted }
}

/// What we send, as far as it is told again.
#[derive(Deserialize)]
struct Canonical {
    id: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    ts: String,
    data: Map<String, Value>,
}

/// What they sent. `id` is ours, so that a WebSocket's client can come back to its place too.
#[derive(Serialize)]
struct Classic<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    lifted: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    data: Map<String, Value>,
    timestamp: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

/// Returns the row of the event that we call `canonical`.
pub fn find(canonical: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.canonical == canonical)
}

/// Returns the classic form of a frame; none when it has no classic name.
pub fn form(frame: &Frame) -> Option<Text> {
    let Canonical { id, kind, ts, data } = serde_json::from_slice(&frame.envelope()).ok()?;
    find(&kind)?.text(id.as_deref(), &ts, data)
}

impl Row {
    /// Encodes an event of this row, without an `event:` line: older clients listen to plain
    /// messages.
    pub fn text(&self, id: Option<&str>, at: &str, mut data: Map<String, Value>) -> Option<Text> {
        for (ours, theirs) in self.renamed {
            if let Some(value) = data.remove(*ours) {
                data.insert((*theirs).to_owned(), value);
            }
        }
        let lift =
            |(ours, theirs): &(&str, &str)| Some(((*theirs).to_owned(), data.remove(*ours)?));
        let lifted = self.lifted.iter().filter_map(lift).collect();
        let classic = Classic { kind: self.classic, lifted, data, timestamp: at, id };
        let json = serde_json::to_string(&classic).ok()?;
        Some(Text::new(id, None, &json))
    }
}
