//! When a reader is late, what is alarming, and what a tag is. Pure functions.

use std::time::Duration;

use super::model::{Alarm, State};
use crate::base::Timestamp;

/// How often a reader says how it is.
pub const BEAT_EVERY: Duration = Duration::from_secs(60);

/// How many heartbeats in a row may be missed by a reader that is online.
const ONLINE_MISSED: i64 = 3;

/// How many heartbeats in a row are missed before a late reader is offline.
const LATE_MISSED: i64 = 9;

/// How long scans may wait in a reader before somebody should look.
const QUEUE_MAX: Duration = Duration::from_secs(5 * 60);

/// How wrong a reader's clock may be.
const SKEW_MAX_MS: i64 = 30_000;

/// Within which time starts are counted.
const STARTS_WITHIN: Duration = Duration::from_secs(3600);

/// How often a reader may start within that time.
const STARTS_MAX: usize = 4;

/// What alarms are decided on.
#[derive(Debug, Clone, Default)]
pub struct Health {
    pub queue_since: Option<Timestamp>,
    pub skew_ms: Option<i64>,
    /// The last starts, as many as there must be for an alarm at the most.
    pub starts: Vec<Timestamp>,
}

/// Returns the state of a reader that was last heard of at `seen`.
pub fn state(seen: Option<Timestamp>, now: Timestamp) -> State {
    let Some(seen) = seen else { return State::Offline };
    let every = i64::try_from(BEAT_EVERY.as_secs()).unwrap_or(60);
    match now.seconds_since(seen) / every {
        missed if missed <= ONLINE_MISSED => State::Online,
        missed if missed <= LATE_MISSED => State::Late,
        _ => State::Offline,
    }
}

/// Returns the last starts of a reader that starts once more at `now`.
pub fn started(mut starts: Vec<Timestamp>, now: Timestamp) -> Vec<Timestamp> {
    starts.push(now);
    let too_many = starts.len().saturating_sub(STARTS_MAX + 1);
    starts.split_off(too_many)
}

/// Returns what somebody should look at.
pub fn alarms(health: &Health, now: Timestamp) -> Vec<Alarm> {
    let queue = health.queue_since.is_some_and(|since| since.plus(QUEUE_MAX) <= now);
    let clock = health.skew_ms.is_some_and(|skew| skew.unsigned_abs() > SKEW_MAX_MS.unsigned_abs());
    let recent = health.starts.iter().filter(|at| now < at.plus(STARTS_WITHIN)).count();
    let starts = recent > STARTS_MAX;
    [(queue, Alarm::Queue), (clock, Alarm::Clock), (starts, Alarm::BootLoop)]
        .into_iter()
        .filter_map(|(rings, alarm)| rings.then_some(alarm))
        .collect()
}

/// Returns a tag in hex with its bytes backwards; any other kind as it is.
pub fn reversed(tag: &str) -> String {
    let hex = tag.len().is_multiple_of(2) && tag.bytes().all(|b| b.is_ascii_hexdigit());
    if !hex {
        return tag.to_owned();
    }
    let bytes: Vec<char> = tag.chars().collect();
    bytes.rchunks(2).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn ago(seconds: u64) -> Option<Timestamp> {
        Some(NOW.minus(Duration::from_secs(seconds)))
    }

    #[test]
    fn three_missed_heartbeats_are_online_a_fourth_is_late_a_tenth_offline() {
        for (seconds, expected) in [
            (0, State::Online),
            (239, State::Online),
            (240, State::Late),
            (599, State::Late),
            (600, State::Offline),
        ] {
            assert_eq!(state(ago(seconds), NOW), expected, "{seconds}");
        }
        assert_eq!(state(None, NOW), State::Offline);
        // A clock that was set back makes nobody late.
        assert_eq!(state(Some(NOW.plus(Duration::from_secs(9999))), NOW), State::Online);
    }

    #[test]
    fn alarms_ring_from_their_limits_on_and_only_then() {
        let health = |queue, skew_ms, starts: &[u64]| Health {
            queue_since: ago(queue),
            skew_ms: Some(skew_ms),
            starts: starts.iter().filter_map(|seconds| ago(*seconds)).collect(),
        };
        assert_eq!(alarms(&health(299, -30_000, &[9, 9, 9, 0]), NOW), []);
        let all = [Alarm::Queue, Alarm::Clock, Alarm::BootLoop];
        assert_eq!(alarms(&health(300, -30_001, &[3599, 9, 9, 9, 0]), NOW), all);
        assert_eq!(alarms(&health(0, i64::MIN, &[3600, 9, 9, 9, 0]), NOW), [Alarm::Clock]);
        assert_eq!(alarms(&Health::default(), NOW), []);
    }

    #[test]
    fn of_a_readers_starts_the_last_five_are_known() {
        let starts = (1..=7).fold(Vec::new(), |starts, at| started(starts, Timestamp(at)));
        assert_eq!(starts, (3..=7).map(Timestamp).collect::<Vec<_>>());
    }

    #[test]
    fn the_bytes_of_a_tag_are_turned_round_and_back() {
        assert_eq!(reversed("04A1B2C3"), "C3B2A104");
        assert_eq!(reversed(&reversed("04A1B2C3D4E5F6")), "04A1B2C3D4E5F6");
        assert_eq!(reversed("Karte Zoë"), "Karte Zoë");
    }
}
