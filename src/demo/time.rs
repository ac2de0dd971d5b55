//! The demo day and its hours. The day is fixed, so that the same seed gives the same day, the
//! same scan ids and the same database, whenever and wherever it is played.

use std::fmt;
use std::str::FromStr;

/// The demo day in the house's zone: a Friday in school time.
pub const DAY: &str = "2026-09-18";

/// The zone that the demo house lies in.
pub const ZONE: &str = "Europe/Berlin";

/// Local midnight at the beginning of the demo day, in milliseconds since 1970 UTC.
pub const MIDNIGHT_MS: i64 = 1_789_682_400_000;

/// A time of the demo day: milliseconds since local midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DayTime(i64);

/// The plan begins here.
pub const OPENING: DayTime = DayTime::at(6, 0, 0);

/// The house closes its day by itself here: open visits and forgotten check-outs are ended.
pub const CLOSE: DayTime = DayTime::at(18, 0, 0);

/// The plan ends here.
pub const END: DayTime = DayTime::at(18, 5, 0);

impl DayTime {
    /// Returns the time with this hour, minute and second.
    pub const fn at(hour: i64, minute: i64, second: i64) -> DayTime {
        DayTime((hour * 3600 + minute * 60 + second) * 1000)
    }

    /// Returns the milliseconds since local midnight.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Returns the hour of the day.
    pub const fn hour(self) -> i64 {
        self.0 / 3_600_000
    }

    /// Returns the time so many milliseconds later.
    pub const fn plus_ms(self, ms: i64) -> DayTime {
        DayTime(self.0 + ms)
    }

    /// Returns the time so many seconds later.
    pub const fn plus_s(self, seconds: i64) -> DayTime {
        DayTime(self.0 + seconds * 1000)
    }

    /// Returns this time of the demo day in milliseconds since 1970 UTC.
    pub const fn epoch_ms(self) -> i64 {
        MIDNIGHT_MS + self.0
    }
}

impl fmt::Display for DayTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1000;
        write!(f, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

impl FromStr for DayTime {
    type Err = String;

    /// Reads `HH:MM`.
    fn from_str(text: &str) -> Result<DayTime, String> {
        let wrong = || format!("`{text}` is not a time of day like 09:30");
        let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
        let number = |part: &str, limit: i64| {
            let digits = !part.is_empty() && part.len() <= 2;
            let all = part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<i64>().ok().filter(|n| digits && all && *n < limit).ok_or_else(wrong)
        };
        Ok(DayTime::at(number(hour, 24)?, number(minute, 60)?, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::{CLOSE, DAY, DayTime, MIDNIGHT_MS, ZONE};

    #[test]
    fn the_midnight_of_the_demo_day_is_the_one_of_its_zone() {
        let day: jiff::civil::Date = DAY.parse().unwrap();
        assert_eq!(day.weekday(), jiff::civil::Weekday::Friday);
        assert_eq!(day.in_tz(ZONE).unwrap().timestamp().as_millisecond(), MIDNIGHT_MS);
    }

    #[test]
    fn a_time_is_read_and_written() {
        assert_eq!("18:00".parse::<DayTime>().unwrap(), CLOSE);
        assert_eq!(DayTime::at(9, 5, 7).to_string(), "09:05:07");
        for wrong in ["", "9", "24:00", "09:60", "9:5:1", "+9:00", "ab:cd"] {
            assert!(wrong.parse::<DayTime>().is_err(), "{wrong}");
        }
    }
}
