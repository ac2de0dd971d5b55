//! What a badge reader is, what it is told, and what it tells.

use serde::{Deserialize, Serialize};

use crate::base::id::{CommandId, DeviceId, DisplayId, RoomId};
use crate::base::{TimeOfDay, Timestamp, secret};
use crate::domain::house::Language;
use crate::store::rows::{FromRow, Row};
use crate::words;

words! {
    /// What a scan at this reader means.
    Mode {
        DoorIn = "door_in",
        DoorOut = "door_out",
        Toggle = "toggle",
        Room = "room",
        Kiosk = "kiosk",
    }
}

words! {
    /// Which way a reader believes a scan to go; counts at doors only.
    Intent { Auto = "auto", In = "in", Out = "out" }
}

words! {
    /// How much of a name a reader may greet with.
    ShowName { First = "first", Initials = "initials", None = "none" }
}

words! {
    /// Whether a reader is heard of.
    State { Online = "online", Late = "late", Offline = "offline", Revoked = "revoked" }
}

words! {
    /// What somebody should look at: scans that wait in the reader, a wrong
    /// clock, a reader that starts again and again.
    Alarm { Queue = "queue", Clock = "clock", BootLoop = "boot_loop" }
}

words! {
    /// What a reader can be told to do.
    CommandKind { Identify = "identify", Reboot = "reboot", Reload = "reload", RollKey = "roll_key" }
}

words! {
    /// In which order a reader sends the bytes of a tag; learned from the first known badge.
    TagOrder { Learn = "learn", AsSent = "as_sent", Reversed = "reversed" }
}

/// What the decision of a scan needs to know of the reader that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scanner {
    pub device: DeviceId,
    pub mode: Mode,
    pub room: Option<RoomId>,
    pub language: Language,
    pub show_name: ShowName,
    /// Minutes after local midnight; before it a toggle never checks out.
    pub daily_checkout_from: Option<i64>,
    /// The reader's clock minus ours.
    pub skew_ms: i64,
}

/// A reader as the admin sees it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Device)]
pub struct Device {
    pub id: DeviceId,
    pub name: String,
    pub mode: Mode,
    pub room_id: Option<RoomId>,
    pub room_name: Option<String>,
    #[schema(inline)]
    pub state: State,
    #[schema(inline)]
    pub alarms: Vec<Alarm>,
    pub last_seen_at: Option<Timestamp>,
    pub queue_depth: i64,
    /// Since when scans have been waiting in the reader.
    pub queue_since: Option<Timestamp>,
    pub serial: String,
    pub model: String,
    pub firmware: String,
    /// The reader's clock minus ours.
    pub skew_ms: Option<i64>,
    /// In per cent.
    pub battery: Option<i64>,
    /// In dBm.
    pub rssi: Option<i64>,
    pub uptime_s: Option<i64>,
    pub key_prefix: String,
    /// Whether a new key has been handed out and not been used yet.
    pub rolling: bool,
    #[schema(inline)]
    pub tag_order: TagOrder,
    pub config: Config,
    pub enrolled_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

/// What a reader is told to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = DeviceConfig)]
pub struct Config {
    pub mode: Mode,
    pub room_id: Option<RoomId>,
    pub lang: Language,
    pub tones: bool,
    pub show_name: ShowName,
    pub daily_checkout_from: Option<TimeOfDay>,
    /// How many scans the reader keeps while it cannot send.
    pub buffer_max: i64,
}

/// What may be changed of a reader; what is missing stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub name: Option<String>,
    pub mode: Option<Mode>,
    pub room: Option<Option<RoomId>>,
    pub language: Option<Language>,
    pub tones: Option<bool>,
    pub show_name: Option<ShowName>,
    pub daily_checkout_from: Option<Option<TimeOfDay>>,
    pub buffer_max: Option<i64>,
    pub tag_order: Option<TagOrder>,
}

/// What is needed to let a reader in.
#[derive(Debug, Clone)]
pub struct NewCode {
    pub name: String,
    pub mode: Mode,
    pub room: Option<RoomId>,
}

/// What a reader says of itself to be let in.
#[derive(Debug, Clone)]
pub struct Enrolment {
    pub code: String,
    pub serial: String,
    pub model: String,
    pub firmware: String,
}

/// What a reader is let in with. The key is shown this once.
#[derive(Debug, Clone)]
pub struct Enrolled {
    pub device: DeviceId,
    pub key: String,
    pub config: Config,
}

/// What a reader says each minute.
#[derive(Debug, Clone, Default)]
pub struct Beat {
    pub boot_id: String,
    pub firmware: String,
    pub uptime_s: i64,
    pub queue_depth: i64,
    pub oldest_age_s: Option<i64>,
    pub rssi: Option<i64>,
    pub free_heap: Option<i64>,
    pub battery: Option<i64>,
    pub device_time: Option<Timestamp>,
    pub last_seq: Option<i64>,
}

/// What a heartbeat is answered with.
#[derive(Debug, Clone)]
pub struct Reply {
    pub config_etag: String,
    pub commands: Vec<Command>,
}

/// An order on its way to a reader.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = DeviceCommand)]
pub struct Command {
    pub id: CommandId,
    pub kind: CommandKind,
    /// The new key, of `roll_key` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// How many readers are in which state; revoked ones do not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = DeviceCounts)]
pub struct Counts {
    pub online: i64,
    pub late: i64,
    pub offline: i64,
}

/// A reader that is late or offline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Unheard {
    pub name: String,
    #[schema(inline)]
    pub state: State,
}

/// A wall screen, which reads what is meant for the corridor and nothing else.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Display {
    pub id: DisplayId,
    pub name: String,
    pub key_prefix: String,
    pub created_at: Timestamp,
}

impl Config {
    /// Returns the tag that differs whenever the configuration does, without quotes.
    pub fn etag(&self) -> String {
        let hash = secret::hash(format!("{self:?}"));
        secret::hex(hash.get(..8).unwrap_or(&hash))
    }
}

/// Returns the alarms as the table keeps them.
pub fn alarm_words(alarms: &[Alarm]) -> String {
    alarms.iter().map(|alarm| alarm.word()).collect::<Vec<_>>().join(" ")
}

impl FromRow for Scanner {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Scanner> {
        Ok(Scanner {
            device: row.get("device_id")?,
            mode: row.get("mode")?,
            room: row.get("room_id")?,
            language: row.get("language")?,
            show_name: row.get("show_name")?,
            daily_checkout_from: row.get("daily_checkout_from")?,
            skew_ms: row.get::<Option<i64>>("skew_ms")?.unwrap_or(0),
        })
    }
}

impl FromRow for Config {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Config> {
        Ok(Config {
            mode: row.get("mode")?,
            room_id: row.get("room_id")?,
            lang: row.get("language")?,
            tones: row.get("tones")?,
            show_name: row.get("show_name")?,
            daily_checkout_from: row.get("daily_checkout_from")?,
            buffer_max: row.get("buffer_max")?,
        })
    }
}

impl FromRow for Device {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Device> {
        let alarms: String = row.get("alarms")?;
        Ok(Device {
            id: row.get("device_id")?,
            name: row.get("name")?,
            mode: row.get("mode")?,
            room_id: row.get("room_id")?,
            room_name: row.get("room_name")?,
            state: row.get("state")?,
            alarms: alarms.split_whitespace().filter_map(|word| word.parse().ok()).collect(),
            last_seen_at: row.get("last_seen_at")?,
            queue_depth: row.get("queue_depth")?,
            queue_since: row.get("queue_since")?,
            serial: row.get("serial")?,
            model: row.get("model")?,
            firmware: row.get("firmware")?,
            skew_ms: row.get("skew_ms")?,
            battery: row.get("battery")?,
            rssi: row.get("rssi")?,
            uptime_s: row.get("uptime_s")?,
            key_prefix: row.get("key_prefix")?,
            rolling: row.get("rolling")?,
            tag_order: row.get("tag_order")?,
            config: Config::from_row(row)?,
            enrolled_at: row.get("enrolled_at")?,
            revoked_at: row.get("revoked_at")?,
        })
    }
}

impl FromRow for Display {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Display> {
        Ok(Display {
            id: row.get("display_id")?,
            name: row.get("name")?,
            key_prefix: row.get("key_prefix")?,
            created_at: row.get("created_at")?,
        })
    }
}

impl FromRow for Unheard {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Unheard> {
        Ok(Unheard { name: row.get("name")?, state: row.get("state")? })
    }
}

impl FromRow for Counts {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Counts> {
        Ok(Counts {
            online: row.get("online")?,
            late: row.get("late")?,
            offline: row.get("offline")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::TimeOfDay;

    #[test]
    fn a_time_of_day_is_read_as_people_write_it_and_written_in_one_way() {
        for (typed, read) in [
            ("00:00", "00:00"),
            ("23:59", "23:59"),
            ("08:15", "08:15"),
            ("8:15", "08:15"),
            ("8.15", "08:15"),
            ("815", "08:15"),
            ("0815", "08:15"),
            (" 13:30 ", "13:30"),
            ("0:05", "00:05"),
        ] {
            assert_eq!(typed.parse::<TimeOfDay>().unwrap().to_string(), read, "{typed}");
        }
        for wrong in [
            "", "8", "13", "24:00", "2400", "12:60", "12:5", "1:5", "+1:00", "-8:15", "8:15 pm",
            "08:15:00", "8,15", "acht", "8::15", "00815", "ä15",
        ] {
            assert!(wrong.parse::<TimeOfDay>().is_err(), "{wrong}");
        }
    }
}
