//! How readers are: their heartbeats, whether they are heard of, and alarms.

use rusqlite::params;

use super::model::{self, Alarm, Beat, Reply, State};
use super::rules::{self, Health};
use super::{commands, queries};
use crate::base::id::DeviceId;
use crate::base::{Result, Timestamp, text};
use crate::event::{Event, Label};
use crate::live::Tx;
use crate::store::rows::{self, FromRow, Row};

/// Differences of a clock below this are the network's, not the clock's.
const SKEW_STEP_MS: u64 = 200;

/// Takes in what a reader says of itself, and answers with what it is to do.
pub fn beat(tx: &mut Tx<'_>, id: DeviceId, beat: &Beat) -> Result<Reply> {
    let boot_id = text::line("boot_id", &beat.boot_id, 64)?;
    let firmware = text::line("firmware", &beat.firmware, commands::NAME_MAX)?;
    let vitals = vitals(tx, id)?;
    let starts = vitals.starts_after(&boot_id, tx.now);
    let skew_ms = learned_skew(tx, vitals.health.skew_ms, beat.device_time);
    let queue_since = (beat.queue_depth > 0).then(|| {
        // The reader knows better than we since when, if it says so.
        let said = beat.oldest_age_s.and_then(|age| u64::try_from(age).ok());
        let said = said.map(|age| tx.now.minus(std::time::Duration::from_secs(age)));
        let known = vitals.health.queue_since.unwrap_or(tx.now);
        said.map_or(known, |said| said.min(known))
    });
    rows::run(
        tx,
        "update device
         set boot_id = ?2, starts = ?3, firmware = ?4, queue_depth = ?5, queue_since = ?6,
             skew_ms = ?7, battery = ?8, rssi = ?9, free_heap = ?10, uptime_s = ?11,
             oldest_age_s = ?12, last_seq = coalesce(?13, last_seq), last_seen_at = ?14
         where device_id = ?1",
        params![
            id,
            boot_id,
            starts,
            firmware,
            beat.queue_depth,
            queue_since,
            skew_ms,
            beat.battery,
            beat.rssi,
            beat.free_heap,
            beat.uptime_s,
            beat.oldest_age_s,
            beat.last_seq,
            tx.now,
        ],
    )?;
    let changed_beside = beat.queue_depth != vitals.queue_depth || firmware != vitals.firmware;
    judge(tx, id, changed_beside)?;
    let commands = commands::hand_out(tx, id)?;
    Ok(Reply { config_etag: queries::config(tx, id)?.etag(), commands })
}

/// Notes that a reader was heard of by another call than its heartbeat.
pub fn heard(tx: &mut Tx<'_>, id: DeviceId) -> Result<()> {
    rows::run(
        tx,
        "update device
         set last_seen_at = max(coalesce(last_seen_at, 0), ?2)
         where device_id = ?1",
        params![id, tx.now],
    )?;
    judge(tx, id, false)
}

/// Judges all readers anew, for the timetable to call every few seconds.
pub fn watch(tx: &mut Tx<'_>) -> Result<()> {
    let ids: Vec<DeviceId> = rows::all(
        tx,
        "select device_id
         from device
         where state <> 'revoked'
         order by device_id",
        [],
    )?;
    ids.into_iter().try_for_each(|id| judge(tx, id, false))
}

/// Says how a reader is now.
pub(super) fn announce(tx: &mut Tx<'_>, id: DeviceId) -> Result<()> {
    let vitals = vitals(tx, id)?;
    tx.emit(Event::DeviceStatusChanged {
        device_id: id,
        state: vitals.state.word(),
        queue_depth: vitals.queue_depth,
        firmware: Label(vitals.firmware),
        alarms: vitals.alarms.split_whitespace().filter_map(word).collect(),
    })
}

/// Decides state and alarms, and announces them when they have changed or when
/// something `beside` them has.
fn judge(tx: &mut Tx<'_>, id: DeviceId, beside: bool) -> Result<()> {
    let vitals = vitals(tx, id)?;
    if vitals.state == State::Revoked {
        return Ok(());
    }
    let state = rules::state(vitals.last_seen_at, tx.now);
    let alarms = model::alarm_words(&rules::alarms(&vitals.health, tx.now));
    if !beside && (state, &alarms) == (vitals.state, &vitals.alarms) {
        return Ok(());
    }
    rows::run(
        tx,
        "update device
         set state = ?2, alarms = ?3
         where device_id = ?1",
        params![id, state, alarms],
    )?;
    announce(tx, id)
}

/// Returns the skew to be kept. Small changes are not worth telling the scans of.
fn learned_skew(tx: &mut Tx<'_>, known: Option<i64>, said: Option<Timestamp>) -> Option<i64> {
    let Some(said) = said else { return known };
    let skew = said.0.saturating_sub(tx.now.0);
    match known {
        Some(known) if known.abs_diff(skew) < SKEW_STEP_MS => Some(known),
        _ => {
            tx.refresh();
            Some(skew)
        }
    }
}

fn word(alarm: &str) -> Option<&'static str> {
    alarm.parse::<Alarm>().ok().map(Alarm::word)
}

/// What judging a reader needs of its row.
struct Vitals {
    state: State,
    alarms: String,
    boot_id: String,
    firmware: String,
    queue_depth: i64,
    last_seen_at: Option<Timestamp>,
    health: Health,
}

impl Vitals {
    /// Returns when the reader has started last, now that it says `boot_id`, as it is kept.
    fn starts_after(&self, boot_id: &str, now: Timestamp) -> String {
        let before = self.health.starts.clone();
        let starts = if boot_id == self.boot_id { before } else { rules::started(before, now) };
        starts.iter().map(|at| at.0.to_string()).collect::<Vec<_>>().join(" ")
    }
}

fn vitals(tx: &Tx<'_>, id: DeviceId) -> Result<Vitals> {
    rows::one(
        tx,
        "device",
        "select state, alarms, boot_id, firmware, queue_depth, last_seen_at, queue_since, skew_ms,
                starts
         from device
         where device_id = ?1",
        params![id],
    )
}

impl FromRow for Vitals {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Vitals> {
        let starts: String = row.get("starts")?;
        let starts = starts.split(' ').filter_map(|at| at.parse().ok());
        Ok(Vitals {
            state: row.get("state")?,
            alarms: row.get("alarms")?,
            boot_id: row.get("boot_id")?,
            firmware: row.get("firmware")?,
            queue_depth: row.get("queue_depth")?,
            last_seen_at: row.get("last_seen_at")?,
            health: Health {
                queue_since: row.get("queue_since")?,
                skew_ms: row.get("skew_ms")?,
                starts: starts.map(Timestamp).collect(),
            },
        })
    }
}
