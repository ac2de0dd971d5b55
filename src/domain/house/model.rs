//! What a house is.

use jiff::tz::TimeZone;

use crate::base::{Day, Error, Result, Timestamp};
use crate::store::rows::{FromRow, Row};
use crate::words;

/// The one house of this database.
#[derive(Debug, Clone)]
pub struct House {
    pub name: String,
    pub profile: Profile,
    /// IANA name of the time zone.
    pub zone: String,
    pub language: Language,
    /// Minutes after local midnight; who arrives later is late.
    pub late_after: i64,
    /// Minutes after local midnight; the day is closed then.
    pub closes_at: i64,
    /// Whether its people are invented.
    pub demo: bool,
}

/// What is needed to set up a house.
#[derive(Debug, Clone)]
pub struct NewHouse {
    pub name: String,
    pub profile: Profile,
    pub zone: String,
    pub language: Language,
    pub demo: bool,
}

impl House {
    /// Returns the time zone. A zone that this program does not know, which
    /// set-up refuses, reads as UTC.
    pub fn time_zone(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }

    /// Returns the local date of `at`.
    pub fn day(&self, at: Timestamp) -> Day {
        at.day(&self.time_zone())
    }
}

/// Checks the name of a time zone.
pub fn zone(name: &str) -> Result<String> {
    let zone = TimeZone::get(name).map_err(|_| Error::invalid("zone", "is not a time zone"))?;
    Ok(zone.iana_name().unwrap_or(name).to_owned())
}

words! {
    /// The pack of labels and defaults that a house uses.
    Profile { School = "school", Club = "club", Clinic = "clinic" }
}

words! {
    /// A language of the pages.
    Language { De = "de", En = "en" }
}

impl FromRow for House {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<House> {
        Ok(House {
            name: row.get("name")?,
            profile: row.get("profile")?,
            zone: row.get("zone")?,
            language: row.get("language")?,
            late_after: row.get("late_after")?,
            closes_at: row.get("closes_at")?,
            demo: row.get("demo")?,
        })
    }
}
