//! Reads of the house.

use rusqlite::Connection;

use super::model::{House, LocalTime};
use crate::base::{Error, Result, Timestamp};
use crate::live::Tx;
use crate::live::memo::Tables;
use crate::store::ready::Prepares;
use crate::store::rows;

/// Where the hours and the zone stand.
const FROM: Tables = &["house"];

/// Returns the house.
pub fn house(conn: &Connection) -> Result<House> {
    rows::one(
        conn,
        "house",
        "select name, profile, zone, language, late_after, closes_at, hours_since, demo
         from house",
        [],
    )
}

/// Returns the zone and the hours of the house.
pub fn local_time(at: &impl Prepares) -> Result<LocalTime> {
    rows::one(at, "house", "select zone, late_after, closes_at, hours_since from house", [])
}

/// Returns the same as the writer remembers it, which asks at each scan.
pub fn local_time_known(tx: &Tx<'_>) -> Result<LocalTime> {
    let known = tx.known(FROM, |known: &mut Option<LocalTime>| known.clone());
    if let Some(known) = known {
        debug_assert_eq!(known, local_time(tx)?, "what is remembered holds");
        return Ok(known);
    }
    let read = local_time(tx)?;
    tx.known(FROM, |known| *known = Some(read.clone()));
    Ok(read)
}

/// Returns when the day of `at` began by the clock of the house. Before it is set up it has none:
/// all that ever was is of one day.
pub fn day_begins(conn: &Connection, at: Timestamp) -> Result<Timestamp> {
    match local_time(conn) {
        Err(Error::NotFound(_)) => Ok(Timestamp(0)),
        time => Ok(time?.day_begins(at)),
    }
}

/// Says whether a house has been set up.
pub fn exists(conn: &Connection) -> Result<bool> {
    rows::one(conn, "house", "select exists (select 1 from house)", [])
}
