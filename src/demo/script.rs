//! Writes a day down: taps in waves, runs and everything else that happens, and at last the one
//! ordered list of it. The i-th of n taps of a wave lies evenly inside it, moved by a little
//! chance; nothing ever leaves its wave.

use super::dice::Dice;
use super::house::{CARE_GROUPS, House};
use super::places::{device, room};
use super::plan::{Action, Planned, Scan, Who};
use super::time::DayTime;
use crate::base::Timestamp;
use crate::base::ulid::ulid;

/// Where a badge is held to a reader.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// The entrance.
    DoorIn,
    /// The exit.
    DoorOut,
    /// A room.
    Room(usize),
}

#[derive(Clone, Debug)]
struct Tap {
    at: DayTime,
    /// When the reader sends it.
    sent_at: DayTime,
    device: usize,
    room: Option<usize>,
    holder: Option<Who>,
    double_tap: bool,
}

/// The tablet that has no network for a while, since when, and when it is back and sends what it
/// kept. It serves the rooms of the first two care groups.
pub(super) const OFFLINE: (usize, DayTime, DayTime) =
    (device::TABLET, DayTime::at(11, 30, 0), DayTime::at(11, 50, 0));

/// Returns whether a care group's room is served by the tablet that is offline for a while.
pub(super) const fn is_served_offline(care: usize) -> bool {
    care < 2
}

/// Double taps in each hour from 06 to 17: 31 in all.
const DOUBLE_TAPS: [usize; 12] = [0, 2, 2, 3, 4, 5, 3, 5, 3, 2, 1, 1];

/// Unknown tags in each hour from 06 to 17: 9 in all.
const UNKNOWN_TAGS: [usize; 12] = [0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0];

/// A day that is being written.
pub(super) struct Script<'h> {
    house: &'h House,
    /// The day's chance.
    pub(super) dice: Dice,
    taps: Vec<Tap>,
    actions: Vec<Planned>,
}

impl<'h> Script<'h> {
    /// Returns an empty day.
    pub(super) fn new(house: &'h House, dice: Dice) -> Script<'h> {
        Script { house, dice, taps: Vec::new(), actions: Vec::new() }
    }

    /// Writes an action down.
    pub(super) fn note(&mut self, at: DayTime, action: Action) {
        self.actions.push(Planned { at, action });
    }

    /// Returns `count` times that lie evenly between two, each moved by less than half its step.
    pub(super) fn spread(&mut self, count: usize, from: DayTime, to: DayTime) -> Vec<DayTime> {
        let n = i64::try_from(count).unwrap_or(i64::MAX).max(1);
        let step = (to.ms() - from.ms()) / n;
        (0..n)
            .take(count)
            .map(|i| {
                let chance = i64::try_from(self.dice.below(1000)).unwrap_or_default();
                from.plus_ms(i * step + step / 4 + step * chance / 2000)
            })
            .collect()
    }

    /// Lets someone hold the badge to a reader.
    pub(super) fn tap(&mut self, who: Who, place: Place, at: DayTime) {
        let (device, room) = match place {
            Place::DoorIn => (device::DOOR_IN, None),
            Place::DoorOut => (device::DOOR_OUT, None),
            Place::Room(room) => reader_of(room, self.taps.len()),
        };
        let sent_at = if is_buffered(device, at) { OFFLINE.2 } else { at };
        self.taps.push(Tap { at, sent_at, device, room, holder: Some(who), double_tap: false });
    }

    /// Lets members hold their badges to readers of one place, one after the other.
    pub(super) fn wave(&mut self, members: &[usize], place: Place, from: DayTime, to: DayTime) {
        let times = self.spread(members.len(), from, to);
        for (member, at) in members.iter().zip(times) {
            self.tap(Who::Member(*member), place, at);
        }
    }

    /// Lets members go to the room of their own care group, one after the other.
    pub(super) fn go_to_groups(&mut self, members: &[usize], from: DayTime, to: DayTime) {
        let times = self.spread(members.len(), from, to);
        for (member, at) in members.iter().zip(times) {
            let room = room::of_care(self.house.care_of(*member));
            self.tap(Who::Member(*member), Place::Room(room), at);
        }
    }

    /// Returns everything that was written, in the order in which it reaches the server.
    pub(super) fn finish(mut self) -> Vec<Planned> {
        self.taps.sort_by_key(|tap| tap.at);
        self.add_double_taps();
        self.add_unknown_tags();
        self.taps.sort_by_key(|tap| tap.at);
        let mut counts = vec![0; self.house.devices.len()];
        let mut unknown = 0;
        for tap in std::mem::take(&mut self.taps) {
            let seq = counts.get_mut(tap.device).map_or(0, |count| {
                *count += 1;
                *count
            });
            let text = match tap.holder {
                Some(Who::Member(member)) => self.house.member_tag(member),
                Some(Who::Staff(colleague)) => self.house.staff_tag(colleague),
                None => {
                    unknown += 1;
                    // A card of another house: no person of this one has a tag of this kind.
                    super::house::tag(0xFF, unknown)
                }
            };
            let scan = Scan {
                scan_id: scan_id(tap.at, &mut self.dice),
                device: tap.device,
                room: tap.room,
                tag: text,
                holder: tap.holder,
                tapped_at: tap.at,
                seq,
                double_tap: tap.double_tap,
            };
            self.actions.push(Planned { at: tap.sent_at, action: Action::Scan(scan) });
        }
        self.actions.sort_by_key(|planned| planned.at);
        self.actions
    }

    /// Repeats some taps within 1.5 s, as impatient fingers do; the server calls them duplicates.
    /// A reader sends both in one batch: how far apart they were does not depend on the network.
    fn add_double_taps(&mut self) {
        for (hour, wanted) in (6..).zip(DOUBLE_TAPS) {
            let may_repeat = |tap: &Tap| {
                let in_hour = tap.at.hour() == hour && tap.at.plus_s(2).hour() == hour;
                // What happens at the stroke of an hour is known at that stroke.
                in_hour && !is_buffered(tap.device, tap.at) && tap.at.ms() % 3_600_000 != 0
            };
            let taps = self.taps.iter().enumerate();
            let candidates: Vec<usize> =
                taps.filter(|(_, tap)| may_repeat(tap)).map(|(place, _)| place).collect();
            let step = candidates.len() / wanted.max(1);
            for number in 0..wanted {
                let chosen = candidates.get(number * step + self.dice.below(step));
                let later = 400 + i64::try_from(self.dice.below(900)).unwrap_or_default();
                let Some(tap) = chosen.and_then(|place| self.taps.get_mut(*place)) else {
                    continue;
                };
                tap.sent_at = tap.at.plus_ms(later);
                let (at, repeat) = (tap.sent_at, tap.clone());
                self.taps.push(Tap { at, double_tap: true, ..repeat });
            }
        }
    }

    fn add_unknown_tags(&mut self) {
        const READERS: [usize; 4] = [device::DOOR_IN, device::MENSA, device::LIBRARY, device::YARD];
        for (hour, wanted) in (6..).zip(UNKNOWN_TAGS) {
            for at in self.spread(wanted, DayTime::at(hour, 20, 0), DayTime::at(hour, 50, 0)) {
                let device = READERS.get(self.dice.below(READERS.len())).copied();
                let device = device.unwrap_or(device::DOOR_IN);
                let sent_at = at;
                let (room, holder) = (None, None);
                self.taps.push(Tap { at, sent_at, device, room, holder, double_tap: false });
            }
        }
    }
}

fn is_buffered(device: usize, at: DayTime) -> bool {
    let (tablet, since, until) = OFFLINE;
    device == tablet && at >= since && at < until
}

/// Returns the reader that serves a room, and the room if the reader has to name it.
fn reader_of(room: usize, turn: usize) -> (usize, Option<usize>) {
    match room {
        room::MENSA => (device::MENSA + turn % 2, None),
        room::LIBRARY => (device::LIBRARY, None),
        room::COMPUTER => (device::COMPUTER, None),
        room::GYM => (device::GYM, None),
        room::YARD => (device::YARD, None),
        group if (1..=CARE_GROUPS).contains(&group) => {
            (device::TABLET + (group - 1) / 2, Some(group))
        }
        other => (device::TABLET + 3, Some(other)),
    }
}

/// Returns the id of a tap as readers make it.
fn scan_id(at: DayTime, dice: &mut Dice) -> String {
    let chance = (u128::from(dice.roll()) << 16) | u128::from(dice.roll() & 0xFFFF);
    ulid(Timestamp(at.epoch_ms()), chance)
}

#[cfg(test)]
mod tests {
    use super::{DOUBLE_TAPS, DayTime, Dice, House, Script, UNKNOWN_TAGS, scan_id};

    #[test]
    fn the_extra_taps_are_as_many_as_the_model_says() {
        assert_eq!(DOUBLE_TAPS.iter().sum::<usize>(), 31);
        assert_eq!(UNKNOWN_TAGS.iter().sum::<usize>(), 9);
    }

    #[test]
    fn a_wave_stays_inside_itself_and_in_order() {
        let house = House::new(1);
        let mut script = Script::new(&house, Dice::new(1));
        let (from, to) = (DayTime::at(9, 0, 0), DayTime::at(9, 10, 0));
        let times = script.spread(97, from, to);
        assert_eq!(times.len(), 97);
        assert!(times.is_sorted() && times.iter().all(|at| *at >= from && *at < to));
        assert!(script.spread(0, from, to).is_empty());
    }

    #[test]
    fn an_id_begins_with_its_time() {
        let mut dice = Dice::new(1);
        let one = scan_id(DayTime::at(9, 0, 0), &mut dice);
        let two = scan_id(DayTime::at(9, 0, 1), &mut dice);
        assert_eq!(one.len(), 26);
        assert!(one < two && one[..6] == two[..6]);
    }
}
