//! Reads of the house.

use rusqlite::Connection;

use super::model::{House, LocalTime};
use crate::base::Result;
use crate::store::rows;

/// Returns the house.
pub fn house(conn: &Connection) -> Result<House> {
    rows::one(
        conn,
        "house",
        "select name, profile, zone, language, late_after, closes_at, demo
         from house",
        [],
    )
}

/// Returns the zone and the hours of the house.
pub fn local_time(conn: &Connection) -> Result<LocalTime> {
    rows::one(conn, "house", "select zone, late_after, closes_at from house", [])
}

/// Says whether a house has been set up.
pub fn exists(conn: &Connection) -> Result<bool> {
    rows::one(conn, "house", "select exists (select 1 from house)", [])
}
