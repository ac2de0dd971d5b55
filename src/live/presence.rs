//! Presence: who is connected now, or has done something a moment ago.
//!
//! It is computed from what is: open streams, several of one person count as one presence, and
//! recent acts. A stream that breaks and comes back, as at every restart of a tablet's radio, is no
//! act: within the grace it changes nothing, and later it finds what it left. Nothing of it is
//! stored.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::hub::{Held, Hub};
use super::watch::DeviceKind;
use crate::base::Timestamp;
use crate::base::id::PersonId;
use crate::words;

/// How long somebody whose last stream has ended is still there: longer than a reconnect.
pub const GRACE: Duration = Duration::from_secs(10);
/// How long an act without a stream counts as being there.
pub const ACT_COUNTS: Duration = Duration::from_secs(60);
/// How long somebody may hold a stream and do nothing before they are away.
pub const AWAY_AFTER: Duration = Duration::from_secs(300);
/// How many people are remembered at once; a house has fewer accounts.
const PEOPLE_MAX: usize = 20_000;

words! {
    /// Whether somebody is there.
    Status { Online = "online", Away = "away", Offline = "offline" }
}

/// One person's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Here {
    pub person: PersonId,
    pub status: Status,
    /// How many streams the person holds.
    pub streams: usize,
    /// What the person used last, of what they hold streams on.
    pub device: DeviceKind,
    pub last_seen_at: Timestamp,
}

/// What has become of one person's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    pub was: Status,
    pub here: Here,
}

/// Who is there. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Presence {
    people: Arc<Mutex<HashMap<PersonId, Seen>>>,
}

#[derive(Debug)]
struct Seen {
    held: Held,
    /// When the person last held a stream.
    connected: Option<Instant>,
    /// When the person last did something; none after a sign-out, and when nobody has seen it.
    acted: Option<Instant>,
    /// What the person last did something on.
    used: DeviceKind,
    at: Timestamp,
    /// What was last told of the person.
    told: (Status, usize, DeviceKind),
}

impl Presence {
    /// Notes that `person` has done something on `device`.
    pub fn acted(&self, person: PersonId, device: DeviceKind, at: Timestamp) {
        self.acted_at(person, device, at, Instant::now());
    }

    /// Notes that `person` has signed out everywhere: what they did before counts no more.
    pub fn left(&self, person: PersonId) {
        let mut people = self.lock();
        if let Some(seen) = people.get_mut(&person) {
            (seen.connected, seen.acted) = (None, None);
        }
    }

    /// Looks who holds streams.
    pub fn look(&self, hub: &Hub, at: Timestamp) {
        self.look_at(&hub.connected(), at, Instant::now());
    }

    /// Returns whose presence has changed since this was last asked.
    pub fn changes(&self) -> Vec<Change> {
        self.changes_at(Instant::now())
    }

    /// Returns everybody who is there, by id.
    pub fn everybody(&self) -> Vec<Here> {
        let now = Instant::now();
        let people = self.lock();
        let all = people.iter().map(|(person, seen)| seen.here(*person, now));
        let mut here: Vec<_> = all.filter(|here| here.status != Status::Offline).collect();
        here.sort_unstable_by_key(|here| here.person);
        here
    }

    fn acted_at(&self, person: PersonId, device: DeviceKind, at: Timestamp, now: Instant) {
        let mut people = self.lock();
        if let Some(seen) = seen(&mut people, person, at) {
            (seen.acted, seen.used, seen.at) = (Some(now), device, at);
        }
    }

    fn look_at(&self, connected: &HashMap<PersonId, Held>, at: Timestamp, now: Instant) {
        let mut people = self.lock();
        for person in connected.keys() {
            seen(&mut people, *person, at);
        }
        for (person, seen) in people.iter_mut() {
            seen.held = connected.get(person).copied().unwrap_or_default();
            if seen.held.streams() > 0 {
                (seen.connected, seen.at) = (Some(now), at);
            }
        }
    }

    fn changes_at(&self, now: Instant) -> Vec<Change> {
        let mut changed = Vec::new();
        self.lock().retain(|person, seen| {
            let here = seen.here(*person, now);
            // Within the grace the streams that were there are taken to come back.
            let (streams, device) = if here.streams == 0 && here.status != Status::Offline {
                (seen.told.1, seen.told.2)
            } else {
                (here.streams, here.device)
            };
            if seen.told != (here.status, streams, device) {
                changed.push(Change { was: seen.told.0, here });
                seen.told = (here.status, streams, device);
            }
            // Who comes back soon is as active as before.
            here.status != Status::Offline || within(seen.acted, AWAY_AFTER, now)
        });
        changed.sort_unstable_by_key(|change| change.here.person);
        changed
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PersonId, Seen>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn here(&self, person: PersonId, now: Instant) -> Here {
        let streams = self.held.streams();
        let connected = streams > 0 || within(self.connected, GRACE, now);
        let status = match connected {
            true if within(self.acted, AWAY_AFTER, now) => Status::Online,
            true => Status::Away,
            false if within(self.acted, ACT_COUNTS, now) => Status::Online,
            false => Status::Offline,
        };
        let device = if streams > 0 { self.held.device(self.used) } else { self.used };
        Here { person, status, streams, device, last_seen_at: self.at }
    }
}

/// Returns what is known of `person`, from now on if nothing is; none when too many are known.
fn seen(
    people: &mut HashMap<PersonId, Seen>,
    person: PersonId,
    at: Timestamp,
) -> Option<&mut Seen> {
    if people.len() >= PEOPLE_MAX {
        return people.get_mut(&person);
    }
    let used = DeviceKind::Unknown;
    let told = (Status::Offline, 0, used);
    let held = Held::default();
    let unknown = || Seen { held, connected: None, acted: None, used, at, told };
    Some(people.entry(person).or_insert_with(unknown))
}

fn within(since: Option<Instant>, limit: Duration, now: Instant) -> bool {
    since.is_some_and(|since| now.saturating_duration_since(since) < limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: PersonId = PersonId(1);

    /// Looks after so many seconds and returns what has changed, as (status, streams).
    struct Scene {
        presence: Presence,
        start: Instant,
    }

    impl Scene {
        fn new() -> Scene {
            Scene { presence: Presence::default(), start: Instant::now() }
        }

        fn look(&self, second: u64, streams: usize) -> Option<(Status, usize)> {
            let here = self.look_on(second, &vec![DeviceKind::Desktop; streams])?;
            Some((here.status, here.streams))
        }

        fn look_on(&self, second: u64, devices: &[DeviceKind]) -> Option<Here> {
            let mut held = Held::default();
            devices.iter().for_each(|device| held.add(*device));
            let connected = HashMap::from_iter((!devices.is_empty()).then_some((ANNA, held)));
            let now = self.start + Duration::from_secs(second);
            self.presence.look_at(&connected, Timestamp(0), now);
            self.presence.changes_at(now).first().map(|change| change.here)
        }

        fn act(&self, second: u64) {
            self.act_on(second, DeviceKind::Desktop);
        }

        fn act_on(&self, second: u64, device: DeviceKind) {
            let now = self.start + Duration::from_secs(second);
            self.presence.acted_at(ANNA, device, Timestamp(0), now);
        }
    }

    #[test]
    fn several_streams_are_one_presence_that_ends_with_the_last_and_the_grace() {
        let scene = Scene::new();
        scene.act(0);
        assert_eq!(scene.look(0, 1), Some((Status::Online, 1)));
        assert_eq!(scene.look(1, 2), Some((Status::Online, 2)));
        scene.act(100);
        assert_eq!(scene.look(200, 1), Some((Status::Online, 1)));
        assert_eq!(scene.look(201, 0), None);
        assert_eq!(scene.look(209, 0), None);
        assert_eq!(scene.look(210, 0), Some((Status::Offline, 0)));
        assert_eq!(scene.look(211, 0), None);
    }

    #[test]
    fn the_device_is_the_one_that_was_used_last_of_those_that_are_connected() {
        use DeviceKind::{Desktop, Phone, Tablet, Unknown};
        let scene = Scene::new();
        let told = |second, devices: &[_]| scene.look_on(second, devices).map(|here| here.device);
        assert_eq!(told(0, &[Unknown]), Some(Unknown));
        assert_eq!(told(1, &[Unknown, Phone]), Some(Phone));
        scene.act_on(2, Desktop);
        assert_eq!(told(2, &[Desktop, Phone]), Some(Desktop));
        // A phone in a pocket that comes back is no use of it.
        assert_eq!(told(3, &[Desktop]), Some(Desktop));
        assert_eq!(told(4, &[Desktop, Phone]), Some(Desktop));
        scene.act_on(5, Phone);
        assert_eq!(told(5, &[Desktop, Phone]), Some(Phone));
        assert_eq!(told(6, &[Desktop]), Some(Desktop));
        scene.act_on(7, Tablet);
        // Within the grace nothing is new.
        assert_eq!(told(8, &[]), None);
        assert_eq!(told(9, &[Tablet]), Some(Tablet));
    }

    #[test]
    fn a_reconnect_within_the_grace_changes_nothing() {
        let scene = Scene::new();
        scene.act(0);
        scene.look(0, 1);
        assert_eq!(scene.look(100, 1), None);
        assert_eq!(scene.look(103, 0), None);
        assert_eq!(scene.look(108, 1), None);
    }

    #[test]
    fn a_reconnect_is_no_act_however_late_it_comes() {
        let scene = Scene::new();
        scene.act(0);
        scene.look(0, 1);
        assert_eq!(scene.look(200, 0), Some((Status::Offline, 0)));
        assert_eq!(scene.look(250, 1), Some((Status::Online, 1)));
        assert_eq!(scene.look(300, 1), Some((Status::Away, 1)));
        assert_eq!(scene.look(320, 0), Some((Status::Offline, 0)));
        assert_eq!(scene.look(400, 1), Some((Status::Away, 1)));
    }

    #[test]
    fn who_looks_without_doing_anything_is_away_and_comes_back_by_an_act() {
        let scene = Scene::new();
        scene.act(0);
        scene.look(0, 1);
        assert_eq!(scene.look(299, 1), None);
        assert_eq!(scene.look(300, 1), Some((Status::Away, 1)));
        scene.act(400);
        assert_eq!(scene.look(401, 1), Some((Status::Online, 1)));
    }

    #[test]
    fn who_signs_out_is_gone_at_once() {
        let scene = Scene::new();
        scene.look(0, 1);
        scene.act(1);
        scene.presence.left(ANNA);
        assert_eq!(scene.look(2, 0), Some((Status::Offline, 0)));
    }

    #[test]
    fn an_act_without_a_stream_counts_for_a_minute_and_is_forgotten_later() {
        let scene = Scene::new();
        scene.act(0);
        assert_eq!(scene.look(1, 0), Some((Status::Online, 0)));
        assert_eq!(scene.look(59, 0), None);
        assert_eq!(scene.look(60, 0), Some((Status::Offline, 0)));
        assert_eq!(scene.look(300, 0), None);
        assert!(scene.presence.lock().is_empty());
    }
}
