//! What the staff do on the demo day: coming and going, signing in, starting and ending runs, the
//! hand-over at one, the substitution for the one who falls ill, and the office's absences.

use super::cast::Cast;
use super::children::FORGETFUL_GROUP;
use super::house::CARE_GROUPS;
use super::places::{room, staff};
use super::plan::{Absence, Action, PlannedRun, Who};
use super::script::{Place, Script};
use super::time::DayTime;

const fn at(hour: i64, minute: i64, second: i64) -> DayTime {
    DayTime::at(hour, minute, second)
}

/// The care group whose first educator falls ill in the morning.
const ILL_GROUP: usize = 2;

/// Who steps in: the second educator of the next group.
const SUBSTITUTE: usize = staff::second(3);

/// When each colleague comes and goes.
const SHIFTS: [(usize, DayTime, DayTime); 20] = [
    (staff::first(0), at(6, 52, 0), at(13, 20, 0)),
    (staff::LEAD, at(7, 5, 0), at(16, 45, 0)),
    (staff::OFFICE, at(7, 8, 0), at(13, 50, 0)),
    (staff::first(ILL_GROUP), at(7, 20, 0), at(10, 2, 0)),
    (staff::tutor(0), at(7, 40, 0), at(15, 2, 0)),
    (staff::tutor(1), at(7, 50, 0), at(15, 5, 0)),
    (staff::tutor(2), at(8, 20, 0), at(15, 8, 0)),
    (staff::first(1), at(8, 40, 0), at(13, 35, 0)),
    (SUBSTITUTE, at(9, 35, 0), at(17, 12, 0)),
    (staff::first(3), at(10, 20, 0), at(17, 15, 0)),
    (staff::first(4), at(10, 40, 0), at(17, 18, 0)),
    (staff::first(5), at(10, 50, 0), at(16, 55, 0)),
    (staff::first(6), at(11, 2, 0), at(17, 24, 0)),
    (staff::second(0), at(11, 5, 0), at(17, 6, 0)),
    (staff::second(1), at(11, 6, 0), at(17, 9, 0)),
    (staff::second(ILL_GROUP), at(11, 8, 0), at(16, 40, 0)),
    (staff::tutor(3), at(11, 10, 0), at(14, 44, 0)),
    (staff::second(4), at(11, 20, 0), at(16, 20, 0)),
    (staff::second(5), at(11, 25, 0), at(15, 12, 0)),
    (staff::second(6), at(12, 30, 0), at(15, 30, 0)),
];

/// When the early shift hands its group over to the late one.
const HAND_OVER: DayTime = at(13, 0, 0);

/// What the care groups do in their own rooms.
pub(super) const FREE_PLAY: &str = "Freispiel";

/// The number of the first of the care groups' runs in [`runs`].
const GROUP_RUNS: usize = 4;

/// Returns who looks after a care group's room in the afternoon.
pub(super) const fn in_charge(care: usize) -> usize {
    match care {
        0 | 1 => staff::second(care),
        ILL_GROUP => SUBSTITUTE,
        other => staff::first(other),
    }
}

/// Returns who looks after a care group's room before the hand-over.
pub(super) const fn in_charge_before_one(care: usize) -> usize {
    if care < 2 { staff::first(care) } else { in_charge(care) }
}

fn run(
    activity: &'static str,
    room: usize,
    starts: DayTime,
    ends: DayTime,
    staff: &[usize],
) -> PlannedRun {
    let ended_by = staff.first().copied().unwrap_or_default();
    PlannedRun { activity, room, starts, ends: Some(ends), staff: staff.to_vec(), ended_by }
}

/// Returns the 22 runs of the day.
pub(super) fn runs() -> Vec<PlannedRun> {
    let practice = "Übungszeit";
    let (homework, lunch) = ("Hausaufgaben", "Mittagessen");
    let mut runs = vec![
        run("Frühbetreuung", room::FOYER, at(7, 0, 0), at(8, 5, 0), &[staff::first(0)]),
        run(practice, room::COMPUTER, at(9, 2, 0), at(9, 55, 0), &[staff::tutor(0)]),
        run(practice, room::COMPUTER, at(10, 2, 0), at(10, 50, 0), &[staff::tutor(0)]),
        run("Lesezeit", room::LIBRARY, at(10, 3, 0), at(10, 52, 0), &[staff::tutor(1)]),
    ];
    runs.extend((0..CARE_GROUPS).zip(0..).map(|(care, turn)| group_run(care, turn)));
    let lunch_staff = [staff::second(0), staff::second(5)];
    runs.extend([
        run(lunch, room::MENSA, at(11, 40, 0), at(12, 53, 0), &lunch_staff),
        run(homework, room::HOMEWORK, at(12, 27, 0), at(13, 10, 0), &[staff::tutor(2)]),
        run(lunch, room::MENSA, at(12, 54, 0), at(13, 53, 0), &[staff::second(1)]),
        run("Hofzeit", room::YARD, at(13, 3, 0), at(16, 32, 0), &[staff::second(ILL_GROUP)]),
        run(homework, room::HOMEWORK, at(13, 14, 0), at(13, 54, 0), &[staff::tutor(3)]),
        run("Chor", room::FOYER, at(14, 0, 30), at(14, 40, 0), &[staff::tutor(3)]),
        run(homework, room::HOMEWORK, at(14, 1, 0), at(14, 43, 0), &[staff::tutor(2)]),
        run(practice, room::COMPUTER, at(14, 2, 0), at(14, 50, 0), &[staff::tutor(0)]),
        run("Lesezeit", room::LIBRARY, at(14, 3, 0), at(14, 50, 0), &[staff::tutor(1)]),
        run("Werken", room::CREATIVE, at(14, 4, 0), at(14, 50, 0), &[staff::second(5)]),
        run("Ballspiele", room::GYM, at(14, 4, 30), at(14, 50, 0), &[staff::second(6)]),
    ]);
    runs
}

/// Each group's room is open from a quarter past eleven until after five, one by one.
fn group_run(care: usize, turn: i64) -> PlannedRun {
    let starts = at(11, 16, 0).plus_s(turn * 110);
    let ends = at(17, 4, 0).plus_s(turn * 180);
    let mut planned = run(FREE_PLAY, room::of_care(care), starts, ends, &[]);
    planned.staff.push(in_charge_before_one(care));
    if care == 1 || care == 4 {
        planned.staff.push(staff::second(care));
    }
    planned.ended_by = in_charge(care);
    planned.ends = planned.ends.filter(|_| care != FORGETFUL_GROUP);
    planned
}

/// Writes the staff's day.
pub(super) fn day(script: &mut Script<'_>, cast: &Cast, runs: &[PlannedRun]) -> Vec<Absence> {
    for (colleague, comes, goes) in SHIFTS {
        let who = Who::Staff(colleague);
        let late = i64::try_from(script.dice.below(20_000)).unwrap_or_default();
        script.tap(who, Place::DoorIn, comes.plus_ms(late));
        script.note(comes.plus_s(90), Action::SignIn(who));
        script.note(goes.plus_s(-60), Action::SignOut(who));
        script.tap(who, Place::DoorOut, goes.plus_ms(late));
    }
    for (number, run) in runs.iter().enumerate() {
        script.note(run.starts, Action::StartRun(number));
        if let Some(ends) = run.ends {
            script.note(ends, Action::EndRun { run: number, by: run.ended_by });
        }
    }
    let (by, to) = (staff::first(0), staff::second(0));
    script.note(HAND_OVER, Action::HandOver { run: GROUP_RUNS, by, to });
    let substitute = Action::Substitute { care: ILL_GROUP, to: SUBSTITUTE, until: at(17, 30, 0) };
    script.note(at(10, 5, 0), substitute);
    absences(script, cast)
}

/// Seven are ill, four are excused beforehand; two are missed.
fn absences(script: &mut Script<'_>, cast: &Cast) -> Vec<Absence> {
    let mut absent = cast.absent.clone();
    script.dice.shuffle(&mut absent);
    let mut times = script.spread(11, at(7, 12, 0), at(7, 55, 0));
    times.extend(script.spread(2, at(8, 40, 0), at(8, 44, 0)));
    let ill = [Some("krank"); 7].into_iter();
    let reasons = ill.chain([
        Some("Familienfeier"),
        Some("Arzttermin"),
        Some("Wettkampf"),
        Some("beurlaubt"),
    ]);
    let absences: Vec<Absence> = absent
        .into_iter()
        .zip(reasons.chain([None, None]))
        .zip(times)
        .map(|((member, reason), at)| Absence { member, reason, at })
        .collect();
    for absence in &absences {
        script.note(absence.at, Action::Mark(*absence));
    }
    absences
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{GROUP_RUNS, SHIFTS, in_charge_before_one, room, runs};

    #[test]
    fn everyone_has_one_shift_and_every_run_lies_in_its_staffs() {
        assert_eq!(SHIFTS.iter().map(|s| s.0).collect::<HashSet<_>>().len(), 20);
        let shift = |who: usize| SHIFTS.iter().find(|s| s.0 == who).unwrap();
        let runs = runs();
        assert_eq!(runs.len(), 22);
        for run in &runs {
            let (starter, ender) = (shift(run.staff[0]), shift(run.ended_by));
            assert!(starter.1.plus_s(91) < run.starts, "{} {}", run.activity, run.starts);
            if let Some(ends) = run.ends {
                assert!(ender.2.plus_s(-60) > ends, "{} {}", run.activity, ends);
                assert!(run.starts < ends);
            }
        }
        assert_eq!(runs.iter().filter(|run| run.ends.is_none()).count(), 1);
        assert_eq!(runs[GROUP_RUNS].room, room::of_care(0));
        assert_eq!(runs[GROUP_RUNS].staff, [in_charge_before_one(0)]);
    }

    #[test]
    fn a_room_has_one_run_at_a_time() {
        let runs = runs();
        for (place, one) in runs.iter().enumerate() {
            for other in runs.iter().skip(place + 1).filter(|other| other.room == one.room) {
                assert!(one.ends.is_some_and(|end| end < other.starts), "{}", one.activity);
            }
        }
    }
}
