//! Reads of readers and wall screens.

use rusqlite::{Connection, params};

use super::model::{Config, Counts, Device, Display, Unheard};
use crate::base::Result;
use crate::base::id::{DeviceId, DisplayId};
use crate::store::rows;

/// The query for readers, and which, in what order.
macro_rules! devices {
    ($which:literal) => {
        concat!(
            "select device_id, device.name, mode, room_id, room.name as room_name, state, alarms,
                    last_seen_at, queue_depth, queue_since, serial, model, firmware, skew_ms,
                    battery, rssi, uptime_s, key_prefix, next_key_prefix is not null as rolling,
                    tag_order, language, tones, show_name, daily_checkout_from, buffer_max,
                    enrolled_at, revoked_at
             from device
             left join room using (room_id)
             ",
            $which
        )
    };
}

/// Returns all readers, by name; those that were revoked at the end.
pub fn list(conn: &Connection) -> Result<Vec<Device>> {
    rows::all(conn, devices!("order by state = 'revoked', device.name, device_id"), [])
}

/// Returns a reader.
pub fn device(conn: &Connection, device: DeviceId) -> Result<Device> {
    rows::one(conn, "device", devices!("where device_id = ?1"), params![device])
}

/// Returns what a reader is told to be.
pub fn config(conn: &Connection, device: DeviceId) -> Result<Config> {
    rows::one(
        conn,
        "device",
        "select mode, room_id, language, tones, show_name, daily_checkout_from, buffer_max
         from device
         where device_id = ?1",
        params![device],
    )
}

/// Returns how many readers are in which state.
pub fn counts(conn: &Connection) -> Result<Counts> {
    rows::one(
        conn,
        "device",
        "select count(*) filter (where state = 'online') as online,
                count(*) filter (where state = 'late') as late,
                count(*) filter (where state = 'offline') as offline
         from device",
        [],
    )
}

/// Returns the readers that are not heard of in time, by name.
pub fn unheard(conn: &Connection) -> Result<Vec<Unheard>> {
    rows::all(
        conn,
        "select name, state
         from device
         where state in ('late', 'offline')
         order by name, device_id",
        [],
    )
}

/// Returns the wall screens whose tokens are good, by name.
pub fn displays(conn: &Connection) -> Result<Vec<Display>> {
    rows::all(
        conn,
        "select display_id, name, key_prefix, created_at
         from display
         where revoked_at is null
         order by name, display_id",
        [],
    )
}

/// Returns a wall screen whose token is good.
pub fn display(conn: &Connection, display: DisplayId) -> Result<Display> {
    rows::one(
        conn,
        "display",
        "select display_id, name, key_prefix, created_at
         from display
         where display_id = ?1 and revoked_at is null",
        params![display],
    )
}

/// Says whether a wall screen's token is good.
pub fn shows(conn: &Connection, display: DisplayId) -> Result<bool> {
    rows::one(
        conn,
        "display",
        "select exists (select 1 from display where display_id = ?1 and revoked_at is null)",
        params![display],
    )
}
