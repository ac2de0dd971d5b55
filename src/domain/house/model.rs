//! What a house is.

use jiff::tz::TimeZone;

use crate::base::{Day, Error, Result, TimeOfDay, Timestamp};
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
    pub hours: Hours,
    /// Whether its people are invented.
    pub demo: bool,
}

/// When a day of the house begins and ends, by its own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// Who arrives later is late.
    pub late_after: TimeOfDay,
    /// The day is closed then.
    pub closes_at: TimeOfDay,
    /// Since when it is closed then.
    pub since: Timestamp,
}

impl Hours {
    /// Returns when all that began at `since` is closed: at closing time, or, what began after it, at
    /// midnight.
    pub fn close_after(self, since: Timestamp, zone: &TimeZone) -> Timestamp {
        let day = since.day(zone);
        let closes = self.closes_on(day, zone);
        if since < closes { closes } else { next(day).at_minute(0, zone) }
    }

    /// Returns when the house closes on `day`. An hour that was over when it was set closes the day
    /// in that moment, and nobody is said to have left before.
    pub fn closes_on(self, day: Day, zone: &TimeZone) -> Timestamp {
        let closes = day.at_minute(self.closes_at.minutes(), zone);
        if self.since.day(zone) == day { closes.max(self.since) } else { closes }
    }
}

/// What clock the house goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalTime {
    pub zone: TimeZone,
    pub hours: Hours,
}

/// What is to change of the hours; what is none stays as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct HoursChange {
    pub late_after: Option<TimeOfDay>,
    pub closes_at: Option<TimeOfDay>,
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
    /// Returns the time zone.
    pub fn time_zone(&self) -> TimeZone {
        known_zone(&self.zone)
    }

    /// Returns the local date of `at`.
    pub fn day(&self, at: Timestamp) -> Day {
        at.day(&self.time_zone())
    }

    /// Returns when the house closes next.
    pub fn next_close(&self, now: Timestamp) -> Timestamp {
        let (zone, today) = (self.time_zone(), self.day(now));
        let minute = self.hours.closes_at.minutes();
        let close = today.at_minute(minute, &zone);
        if close > now { close } else { next(today).at_minute(minute, &zone) }
    }
}

impl LocalTime {
    /// Returns when the day of `at` began.
    pub fn day_begins(&self, at: Timestamp) -> Timestamp {
        at.day(&self.zone).at_minute(0, &self.zone)
    }
}

fn next(day: Day) -> Day {
    day.0.tomorrow().map_or(day, Day)
}

/// Returns the zone of this name. One that this program does not know, which set-up refuses, reads
/// as UTC.
fn known_zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
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

impl Profile {
    /// Returns the hours of a house of which nobody has said other ones. Members of a club come
    /// when their lessons are over, and a clinic is open after work.
    pub fn hours(self) -> Hours {
        let (late_after, closes_at) = match self {
            Profile::School => (TimeOfDay::at(8, 15), TimeOfDay::at(18, 0)),
            Profile::Club => (TimeOfDay::at(13, 30), TimeOfDay::at(18, 0)),
            Profile::Clinic => (TimeOfDay::at(9, 0), TimeOfDay::at(20, 0)),
        };
        Hours { late_after, closes_at, since: Timestamp(0) }
    }
}

words! {
    /// A language of the pages.
    Language { De = "de", En = "en" }
}

impl FromRow for Hours {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Hours> {
        let (late_after, closes_at) = (row.get("late_after")?, row.get("closes_at")?);
        Ok(Hours { late_after, closes_at, since: row.get("hours_since")? })
    }
}

impl FromRow for LocalTime {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<LocalTime> {
        let zone = known_zone(&row.get::<String>("zone")?);
        Ok(LocalTime { zone, hours: Hours::from_row(row)? })
    }
}

impl FromRow for House {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<House> {
        Ok(House {
            name: row.get("name")?,
            profile: row.get("profile")?,
            zone: row.get("zone")?,
            language: row.get("language")?,
            hours: Hours::from_row(row)?,
            demo: row.get("demo")?,
        })
    }
}
