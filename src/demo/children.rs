//! The children's way through the day, wave by wave. The waves are laid out so that the model's
//! equations hold for every seed: how many are in the house and in a room at each moment follows
//! from the sizes and the ends of the waves, never from chance. Capacities hold in the same way:
//! a group room only ever holds its own group, the dining hall is filled as it empties.

use super::cast::{Cast, EARLY, draw, take};
use super::house::House;
use super::places::room;
use super::plan::Who;
use super::script::{Place, Script};
use super::time::DayTime;

/// Who was where in the afternoon, as far as the rest of the day asks for it.
pub(super) struct Afternoon {
    /// In the homework room from half past twelve.
    pub(super) homework_first: Vec<usize>,
    /// In the homework room from a quarter past one.
    pub(super) homework_second: Vec<usize>,
    /// At the computers from two.
    pub(super) practising: Vec<usize>,
    /// In the library from two.
    pub(super) reading: Vec<usize>,
    /// In their group rooms until after half past four.
    pub(super) staying: Vec<usize>,
    /// Never check out.
    pub(super) forgotten: Vec<usize>,
}

/// The care group in whose room two are forgotten.
pub(super) const FORGETFUL_GROUP: usize = 5;

const fn at(hour: i64, minute: i64, second: i64) -> DayTime {
    DayTime::at(hour, minute, second)
}

/// Writes the morning: coming, early care, practice and reading, going home after lessons.
pub(super) fn morning(script: &mut Script<'_>, cast: &Cast) {
    let mut times = script.spread(19, at(7, 2, 0), at(7, 29, 30));
    times.extend(script.spread(168, at(7, 30, 5), at(7, 59, 55)));
    times.extend(script.spread(95, at(8, 0, 0), at(8, 9, 50)));
    // Nine are late: one of them still before a quarter past eight.
    times.push(at(8, 12, 30));
    times.extend(script.spread(8, at(8, 16, 0), at(8, 55, 0)));
    for (place, (member, time)) in cast.arriving.iter().zip(times).enumerate() {
        script.tap(Who::Member(*member), Place::DoorIn, time);
        if place < EARLY {
            let walk = 45 + i64::try_from(script.dice.below(30)).unwrap_or_default();
            script.tap(Who::Member(*member), Place::Room(room::FOYER), time.plus_s(walk));
        }
    }
    let computer = Place::Room(room::COMPUTER);
    script.wave(&cast.practice_nine, computer, at(9, 4, 0), at(9, 12, 0));
    script.wave(&cast.practice_ten, computer, at(10, 4, 0), at(10, 12, 0));
    script.wave(&cast.reading_ten, Place::Room(room::LIBRARY), at(10, 5, 0), at(10, 13, 0));
    script.wave(&cast.fetched, Place::DoorOut, at(10, 20, 0), at(10, 45, 0));
    let [fourth, fifth, sixth] = &cast.going_home;
    script.wave(fourth, Place::DoorOut, at(11, 32, 0), at(11, 58, 0));
    script.wave(fifth, Place::DoorOut, at(12, 18, 0), at(12, 58, 0));
    script.wave(sixth, Place::DoorOut, at(13, 2, 0), at(13, 28, 0));
}

/// Writes the afternoon of those in care: lunch, homework, yard, clubs and going home.
pub(super) fn afternoon(script: &mut Script<'_>, house: &House, cast: &Cast) -> Afternoon {
    let homework_first = until_one(script, house, cast);
    let (mut in_yard, mut in_groups, homework_second) = until_two(script, cast, &homework_first);
    let forgotten = draw(&mut in_groups, 2, &mut script.dice, |member| {
        house.care_of(*member) == FORGETFUL_GROUP
    });
    // 44 go to no club, among them the two who are forgotten.
    let free_in_yard = draw(&mut in_yard, 14, &mut script.dice, |_| true);
    let free_in_groups = draw(&mut in_groups, 28, &mut script.dice, |_| true);
    let mut busy: Vec<usize> = in_yard.into_iter().chain(in_groups).collect();
    script.dice.shuffle(&mut busy);
    let practising = take(&mut busy, 24);
    let reading = take(&mut busy, 22);
    let mut in_clubs = clubs(script, &practising, &reading, &mut busy);
    let supervised_work = take(&mut busy, 28);
    work_and_play(script, &supervised_work, &free_in_groups);

    // At ten to three all clubs end at once: 104 are on their way.
    script.dice.shuffle(&mut in_clubs);
    let soon = take(&mut in_clubs, 23);
    let later = take(&mut in_clubs, 28);
    let much_later = take(&mut in_clubs, 11);
    let home_before_three = take(&mut in_clubs, 9);
    script.go_to_groups(&soon, at(14, 50, 20), at(14, 54, 50));
    script.go_to_groups(&later, at(14, 55, 5), at(14, 59, 55));
    script.go_to_groups(&much_later, at(15, 0, 15), at(15, 19, 30));
    script.wave(&home_before_three, Place::DoorOut, at(14, 55, 10), at(14, 59, 50));
    script.wave(&in_clubs, Place::DoorOut, at(15, 0, 5), at(15, 19, 30));

    // From the yard they go home first, since it closes at half past four.
    let mut present: Vec<usize> = free_in_groups.into_iter().chain(supervised_work).collect();
    present.extend(soon.into_iter().chain(later));
    script.dice.shuffle(&mut present);
    let mut fetched_early: Vec<usize> = take(&mut present, 14);
    fetched_early.extend(free_in_yard);
    script.dice.shuffle(&mut fetched_early);
    present.extend(much_later);
    script.dice.shuffle(&mut present);
    let staying = leave(script, &fetched_early, present);
    Afternoon { homework_first, homework_second, practising, reading, staying, forgotten }
}

/// 11:30 to 13:00: three sittings; returns who went from lunch to the homework room.
fn until_one(script: &mut Script<'_>, house: &House, cast: &Cast) -> Vec<usize> {
    let mensa = Place::Room(room::MENSA);
    // In the order of coming, the first sitting mixed with the second, but ahead of its lunch.
    let times = script.spread(66, at(11, 30, 10), at(11, 57, 0));
    let order = interleave(&cast.first_sitting, &cast.second_sitting);
    for (member, time) in order.iter().zip(times) {
        let room = room::of_care(house.care_of(*member));
        script.tap(Who::Member(*member), Place::Room(room), time);
    }
    script.wave(&cast.first_sitting, mensa, at(11, 45, 30), at(11, 59, 45));
    script.wave(&cast.second_sitting, mensa, at(12, 0, 30), at(12, 10, 0));
    script.go_to_groups(&cast.first_sitting, at(12, 3, 0), at(12, 17, 0));
    script.go_to_groups(&cast.third_sitting, at(12, 1, 0), at(12, 16, 0));
    script.wave(&cast.third_sitting, mensa, at(12, 20, 0), at(12, 29, 30));
    let mut to_homework = cast.second_sitting.clone();
    let to_group = to_homework.split_off(28.min(to_homework.len()));
    script.wave(&to_homework, Place::Room(room::HOMEWORK), at(12, 30, 30), at(12, 40, 0));
    script.go_to_groups(&to_group, at(12, 40, 0), at(12, 41, 0));
    script.go_to_groups(&cast.third_sitting, at(12, 42, 0), at(12, 52, 0));
    script.go_to_groups(&cast.fourth_sitting, at(12, 32, 0), at(12, 52, 0));
    to_homework
}

/// 13:00 to 14:00: the last two sittings, homework, the yard; returns who is in the yard at two,
/// who in the group rooms, and who did homework.
fn until_two(
    script: &mut Script<'_>,
    cast: &Cast,
    homework_first: &[usize],
) -> (Vec<usize>, Vec<usize>, Vec<usize>) {
    let (mensa, yard) = (Place::Room(room::MENSA), Place::Room(room::YARD));
    let mut early_lunch = cast.fourth_sitting.clone();
    let late_lunch = early_lunch.split_off(16.min(early_lunch.len()));
    script.wave(&early_lunch, mensa, at(12, 55, 0), at(12, 59, 45));
    script.wave(&late_lunch, mensa, at(13, 0, 15), at(13, 4, 0));
    script.go_to_groups(&cast.last_sitting, at(13, 1, 0), at(13, 19, 0));
    // Homework ends at ten past one: they go straight out.
    script.wave(homework_first, yard, at(13, 10, 30), at(13, 15, 30));
    let mut homework_second = cast.fourth_sitting.clone();
    let to_group = homework_second.split_off(28.min(homework_second.len()));
    script.wave(&homework_second, Place::Room(room::HOMEWORK), at(13, 15, 15), at(13, 22, 30));
    script.go_to_groups(&to_group, at(13, 22, 30), at(13, 23, 30));
    script.wave(&cast.last_sitting, mensa, at(13, 20, 0), at(13, 34, 0));
    script.go_to_groups(&cast.last_sitting, at(13, 38, 0), at(13, 51, 30));
    script.go_to_groups(&homework_second, at(13, 54, 15), at(13, 59, 45));

    let mut rested = cast.first_sitting.clone();
    rested.extend(&cast.third_sitting);
    let to_yard = draw(&mut rested, 56, &mut script.dice, |_| true);
    script.wave(&to_yard, yard, at(13, 5, 0), at(13, 25, 0));
    let in_yard = to_yard.into_iter().chain(homework_first.iter().copied()).collect();
    let mut in_groups = rested;
    in_groups.extend(cast.second_sitting.iter().filter(|m| !homework_first.contains(m)));
    in_groups.extend(cast.fourth_sitting.iter().chain(&cast.last_sitting));
    (in_yard, in_groups, homework_second)
}

/// The four clubs from two o'clock; returns everyone who is in one.
fn clubs(
    script: &mut Script<'_>,
    practising: &[usize],
    reading: &[usize],
    others: &mut Vec<usize>,
) -> Vec<usize> {
    let creative = take(others, 20);
    let gym = take(others, 38);
    script.wave(practising, Place::Room(room::COMPUTER), at(14, 5, 0), at(14, 18, 0));
    script.wave(reading, Place::Room(room::LIBRARY), at(14, 5, 0), at(14, 18, 0));
    script.wave(&creative, Place::Room(room::CREATIVE), at(14, 6, 0), at(14, 18, 0));
    script.wave(&gym, Place::Room(room::GYM), at(14, 6, 0), at(14, 20, 0));
    [practising, reading, &creative, &gym].concat()
}

/// Choir and homework until about a quarter to three, and a second turn in the yard.
fn work_and_play(script: &mut Script<'_>, supervised_work: &[usize], free: &[usize]) {
    let (choir, homework) = supervised_work.split_at(12.min(supervised_work.len()));
    script.wave(choir, Place::Room(room::FOYER), at(14, 2, 30), at(14, 9, 0));
    script.wave(homework, Place::Room(room::HOMEWORK), at(14, 3, 0), at(14, 11, 0));
    script.go_to_groups(choir, at(14, 40, 30), at(14, 44, 30));
    script.go_to_groups(homework, at(14, 43, 30), at(14, 49, 30));
    let outdoors: Vec<usize> = free.iter().copied().take(25).collect();
    script.wave(&outdoors, Place::Room(room::YARD), at(14, 14, 0), at(14, 28, 0));
    script.go_to_groups(&outdoors, at(14, 33, 0), at(14, 47, 0));
}

/// Going home from three to five; returns who stays longest.
fn leave(script: &mut Script<'_>, first: &[usize], mut others: Vec<usize>) -> Vec<usize> {
    let out = Place::DoorOut;
    script.wave(first, out, at(15, 0, 10), at(15, 19, 40));
    let before_four = take(&mut others, 38);
    script.wave(&before_four, out, at(15, 20, 30), at(15, 59, 30));
    for member in take(&mut others, 1) {
        // At the stroke of four the door opens for those who are fetched then.
        script.tap(Who::Member(member), out, at(16, 0, 0));
    }
    let until_half_past = take(&mut others, 50);
    script.wave(&until_half_past, out, at(16, 0, 20), at(16, 29, 40));
    script.wave(&others, out, at(16, 31, 0), at(16, 58, 0));
    others
}

/// Mixes two lists evenly, each in its own order.
fn interleave(one: &[usize], two: &[usize]) -> Vec<usize> {
    let total = one.len() + two.len();
    let (mut ones, mut twos) = (one.iter(), two.iter());
    let mut mixed = Vec::with_capacity(total);
    let mut share = 0;
    for _ in 0..total {
        share += one.len();
        let next = if share >= total {
            share -= total;
            ones.next().or_else(|| twos.next())
        } else {
            twos.next().or_else(|| ones.next())
        };
        mixed.extend(next);
    }
    mixed
}
