//! Moments, local days, and the clock that they are read from.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::civil;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment: milliseconds since 1970 UTC. RFC 3339 with `Z` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-11-20T10:42:07.123Z")]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Returns the moment `by` later.
    #[must_use]
    pub fn plus(self, by: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns the moment `by` earlier.
    #[must_use]
    pub fn minus(self, by: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns the whole seconds since `earlier`, and 0 when the clock went back.
    pub fn seconds_since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0).max(0) / 1000
    }

    /// Returns the local date in `zone`.
    pub fn day(self, zone: &TimeZone) -> Day {
        Day(self.zoned(zone).date())
    }

    /// Returns the minutes since local midnight in `zone`, by the wall clock.
    pub fn minute_of_day(self, zone: &TimeZone) -> i64 {
        let time = self.zoned(zone).time();
        i64::from(time.hour()) * 60 + i64::from(time.minute())
    }

    fn zoned(self, zone: &TimeZone) -> jiff::Zoned {
        let moment =
            jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        moment.to_zoned(zone.clone())
    }
}

/// A moment as RFC 3339 text with milliseconds.
struct Rfc3339([u8; 24]);

impl Rfc3339 {
    /// Writes a moment digit by digit, as each event does several times. It is kept within the
    /// years 0 to 9999, which the text has room for.
    fn of(moment: Timestamp) -> Rfc3339 {
        let first = civil::date(0, 1, 1).at(0, 0, 0, 0);
        let moment = jiff::Timestamp::from_millisecond(moment.0).unwrap_or_default();
        let utc = jiff::tz::Offset::UTC.to_datetime(moment).max(first);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        write_date(&mut text, utc.date());
        write_digits(text.get_mut(11..13), utc.hour().into());
        write_digits(text.get_mut(14..16), utc.minute().into());
        write_digits(text.get_mut(17..19), utc.second().into());
        write_digits(text.get_mut(20..23), utc.millisecond());
        Rfc3339(text)
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Writes a date over the zeros of `0000-00-00`.
fn write_date(text: &mut [u8], date: civil::Date) {
    write_digits(text.get_mut(0..4), date.year());
    write_digits(text.get_mut(5..7), date.month().into());
    write_digits(text.get_mut(8..10), date.day().into());
}

/// Writes a number that is not negative over as many zeros as there is room.
fn write_digits(zeros: Option<&mut [u8]>, mut number: i16) {
    for digit in zeros.unwrap_or_default().iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Rfc3339::of(*self).as_str())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Rfc3339::of(*self).as_str())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let moment: Result<jiff::Timestamp, _> = text.parse();
        let wrong = |_| serde::de::Error::custom("must be a moment, such as 2026-11-20T07:30:00Z");
        Ok(Timestamp(moment.map_err(wrong)?.as_millisecond()))
    }
}

impl rusqlite::ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl rusqlite::types::FromSql for Timestamp {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        i64::column_result(value).map(Timestamp)
    }
}

/// A date in the house's time zone, `YYYY-MM-DD` in JSON and SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, format = Date, example = "2026-11-20")]
pub struct Day(pub civil::Date);

impl Day {
    /// Returns the day before.
    #[must_use]
    pub fn before(self) -> Day {
        Day(self.0.yesterday().unwrap_or(self.0))
    }

    /// Returns the moment `minutes` after local midnight, by the wall clock in `zone`.
    pub fn at_minute(self, minutes: i64, zone: &TimeZone) -> Timestamp {
        let hour = i8::try_from(minutes.div_euclid(60)).unwrap_or(23).clamp(0, 23);
        let minute = i8::try_from(minutes.rem_euclid(60)).unwrap_or(0);
        let moment = self.0.at(hour, minute, 0, 0).to_zoned(zone.clone());
        Timestamp(moment.map_or(0, |z| z.timestamp().as_millisecond()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Day {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Day).map_err(|_| "must be a date, YYYY-MM-DD")
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl rusqlite::ToSql for Day {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        if self.0.year() < 0 {
            return Ok(self.to_string().into());
        }
        let mut text = *b"0000-00-00";
        write_date(&mut text, self.0);
        Ok(std::str::from_utf8(&text).unwrap_or_default().to_owned().into())
    }
}

impl rusqlite::types::FromSql for Day {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        value.as_str()?.parse().map_err(|_| rusqlite::types::FromSqlError::InvalidType)
    }
}

/// A local time of day, `HH:MM` in JSON, minutes after midnight in SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, utoipa::ToSchema)]
#[schema(value_type = String, example = "15:30")]
pub struct TimeOfDay(i64);

impl TimeOfDay {
    /// Returns the time so many minutes after the full hour; past midnight it begins anew.
    pub const fn at(hour: i64, minute: i64) -> TimeOfDay {
        TimeOfDay((hour * 60 + minute).rem_euclid(24 * 60))
    }

    /// Returns the minutes after local midnight.
    pub fn minutes(self) -> i64 {
        self.0
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for TimeOfDay {
    type Err = &'static str;

    /// Reads what people type: `08:15`, and `8:15`, `8.15` and `815` for it, as our pages do.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |digits: &str, max: i64| {
            let plain = digits.len() <= 2 && digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse::<i64>().ok().filter(|number| plain && *number <= max)
        };
        let text = text.trim();
        let divided = text.len().checked_sub(2).and_then(|at| text.split_at_checked(at));
        divided
            .map(|(hour, minute)| (hour.strip_suffix([':', '.']).unwrap_or(hour), minute))
            .and_then(|(hour, minute)| Some(number(hour, 23)? * 60 + number(minute, 59)?))
            .map(TimeOfDay)
            .ok_or("must be a time of day, HH:MM")
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl rusqlite::ToSql for TimeOfDay {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl rusqlite::types::FromSql for TimeOfDay {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        i64::column_result(value).map(TimeOfDay)
    }
}

/// Where the time comes from: the wall, a test's hand, or a demo's faster day.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The operating system's clock.
    System,
    /// Stands still at the given milliseconds until somebody moves it.
    Manual(Arc<AtomicI64>),
    /// Runs faster than the wall, stands, or is set: a demo's day.
    Scaled(Arc<Pace>),
}

/// A clock that somebody sets and that runs at a speed of its own from there.
#[derive(Debug)]
pub struct Pace(Mutex<Running>);

#[derive(Debug, Clone, Copy)]
struct Running {
    from: Timestamp,
    since: Instant,
    speed: u32,
    /// It does not run past this moment, but keeps its schedule: let go, it is where it would be.
    hold: Timestamp,
}

impl Pace {
    /// Returns a clock that stands at `at`.
    pub fn standing(at: Timestamp) -> Pace {
        Pace(Mutex::new(Running::new(at, 0)))
    }

    /// Sets the clock: it runs `speed` times as fast as the wall from now on, and stands at 0.
    pub fn set(&self, at: Timestamp, speed: u32) {
        *self.lock() = Running::new(at, speed);
    }

    /// Holds the clock at a moment, if it comes there before it is held at a later one.
    pub fn hold(&self, at: Timestamp) {
        self.lock().hold = at;
    }

    /// Returns the present moment.
    pub fn now(&self) -> Timestamp {
        let running = *self.lock();
        running.from.plus(running.since.elapsed() * running.speed).min(running.hold)
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn new(from: Timestamp, speed: u32) -> Running {
        Running { from, since: Instant::now(), speed, hold: Timestamp(i64::MAX) }
    }
}

impl Clock {
    /// Returns the present moment.
    #[expect(clippy::disallowed_methods, reason = "this is the Clock that others ask")]
    pub fn now(&self) -> Timestamp {
        match self {
            Clock::System => {
                let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                let since = since.unwrap_or_default().as_millis();
                Timestamp(i64::try_from(since).unwrap_or(i64::MAX))
            }
            Clock::Manual(at) => Timestamp(at.load(Ordering::Relaxed)),
            Clock::Scaled(pace) => pace.now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Day, Pace, Timestamp};
    use jiff::tz::TimeZone;

    #[test]
    fn a_day_is_the_local_date_also_just_after_local_midnight() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let late: jiff::Timestamp = "2026-07-01T22:30:00Z".parse().unwrap();
        let at = Timestamp(late.as_millisecond());
        assert_eq!(at.day(&berlin).to_string(), "2026-07-02");
        assert_eq!(at.minute_of_day(&berlin), 30);
    }

    #[test]
    fn a_clock_with_a_pace_stands_until_it_is_set_to_run() {
        let pace = Pace::standing(Timestamp(1000));
        assert_eq!(pace.now(), Timestamp(1000));
        pace.set(Timestamp(5000), 0);
        assert_eq!(pace.now(), Timestamp(5000));
        pace.set(Timestamp(5000), u32::MAX);
        while pace.now() == Timestamp(5000) {}
        assert!(pace.now() > Timestamp(5000));
        pace.set(Timestamp(5000), u32::MAX);
        pace.hold(Timestamp(5001));
        while pace.now() == Timestamp(5000) {}
        assert_eq!(pace.now(), Timestamp(5001));
    }

    #[test]
    fn a_moment_survives_json_to_the_millisecond() {
        let at = Timestamp(1_763_633_327_123);
        let text = serde_json::to_string(&at).unwrap();
        assert_eq!(text, "\"2025-11-20T10:08:47.123Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), at);
    }

    #[test]
    fn a_moment_is_written_with_all_its_digits_whatever_the_year() {
        let written = [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (1_709_208_245_006, "2024-02-29T12:04:05.006Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
            // Older ones have no form; a moment beyond all years is none.
            (-62_167_219_200_001, "0000-01-01T00:00:00.000Z"),
            (i64::MAX, "1970-01-01T00:00:00.000Z"),
        ];
        for (moment, text) in written {
            assert_eq!(Timestamp(moment).to_string(), text);
        }
    }

    #[test]
    fn a_day_is_kept_as_it_is_written() {
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        for text in ["2026-03-29", "0007-01-01", "9999-12-31", "-000001-12-31"] {
            let day: Day = text.parse().unwrap();
            let kept: String = conn.query_row("select ?1", [day], |row| row.get(0)).unwrap();
            assert_eq!((kept.as_str(), day.to_string().as_str()), (text, text));
        }
    }

    #[test]
    fn the_day_that_summer_time_begins_is_closed_by_the_wall_clock() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let day: Day = "2026-03-29".parse().unwrap();
        assert_eq!(day.at_minute(18 * 60, &berlin).to_string(), "2026-03-29T16:00:00.000Z");
    }
}
