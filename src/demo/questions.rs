//! What the members do at screens on the demo day: signing in, asking for help, and reading (the
//! reader's page reports what is done in it). Whoever answers is in charge of the run in which the
//! question is asked, so that every answer comes from someone who may see it.

use super::cast::Cast;
use super::children::Afternoon;
use super::colleagues::{in_charge, in_charge_before_one};
use super::house::House;
use super::places::{room, staff};
use super::plan::{Action, Question, Step, Who};
use super::script::Script;
use super::time::DayTime;

const fn at(hour: i64, minute: i64, second: i64) -> DayTime {
    DayTime::at(hour, minute, second)
}

/// How many requests for help the day has.
pub(super) const QUESTIONS: usize = 38;

const CONTENTS: [&str; 8] = [
    "Ich verstehe die Aufgabe nicht.",
    "Was heißt dieses Wort?",
    "Mein Bildschirm geht nicht weiter.",
    "Ich bin fertig. Was kommt jetzt?",
    "Kann jemand meine Rechnung prüfen?",
    "Ich finde mein Heft nicht.",
    "Wie schreibt man das?",
    "Ich komme bei Nummer 4 nicht weiter.",
];

/// One who will ask, when, and who will answer.
struct Asker {
    member: usize,
    at: DayTime,
    room: Option<usize>,
    helper: usize,
}

/// Writes down the readers of the morning and of the afternoon, and all questions.
pub(super) fn day(script: &mut Script<'_>, house: &House, cast: &Cast, later: &Afternoon) {
    read(script, &cast.reading_ten, [at(10, 14, 0), at(10, 17, 0)], 840);
    read(script, &later.reading, [at(14, 20, 0), at(14, 22, 30)], 660);
    let askers = askers(script, house, cast, later);
    let at_the_reader = |asker: &Asker| asker.room == Some(room::LIBRARY);
    for (number, asker) in askers.iter().enumerate() {
        let end = ask(script, number, asker);
        if !at_the_reader(asker) {
            let who = Who::Member(asker.member);
            script.note(asker.at.plus_s(-45), Action::SignIn(who));
            script.note(end.plus_s(30), Action::SignOut(who));
        }
    }
}

/// Readers sign in one after the other, report in three batches, and sign out.
fn read(script: &mut Script<'_>, readers: &[usize], sign_in: [DayTime; 2], pause_s: i64) {
    let [from, to] = sign_in;
    for (member, at) in readers.iter().zip(script.spread(readers.len(), from, to)) {
        let who = Who::Member(*member);
        script.note(at, Action::SignIn(who));
        // 46 readers do seven things each; the last of each hour does not come to the end.
        let is_last = readers.last() == Some(member);
        let end: &[&str] = if is_last { &["page.viewed"] } else { &["page.viewed", "book.closed"] };
        let batches: [&[&'static str]; 3] = [
            &["book.opened", "page.viewed"],
            &["page.viewed", "word.looked_up", "page.viewed"],
            end,
        ];
        for (turn, events) in (0..).zip(batches) {
            let events = events.to_vec();
            script.note(at.plus_s(60 + turn * pause_s), Action::Track { member: *member, events });
        }
        script.note(at.plus_s(160 + 2 * pause_s), Action::SignOut(who));
    }
}

/// Returns who asks: hour by hour as many as the model says.
fn askers(script: &mut Script<'_>, house: &House, cast: &Cast, later: &Afternoon) -> Vec<Asker> {
    let mut askers = Vec::with_capacity(QUESTIONS);
    let mut add = |members: Vec<usize>, from, to, room, helper: &dyn Fn(usize) -> usize| {
        let times = script.spread(members.len(), from, to);
        askers.extend(members.into_iter().zip(times).map(|(member, at)| Asker {
            member,
            at,
            room,
            helper: helper(member),
        }));
    };
    let first = |members: &[usize], count| members.iter().copied().take(count).collect::<Vec<_>>();
    // In a lesson: somebody who is there since long before eight.
    let in_class = cast.arriving.iter().skip(50).copied();
    let in_class =
        in_class.filter(|member| house.members.get(*member).is_some_and(|m| m.care.is_none()));
    add(in_class.take(1).collect(), at(8, 35, 0), at(8, 36, 0), None, &|_| staff::LEAD);
    let (computer, library) = (Some(room::COMPUTER), Some(room::LIBRARY));
    let (tutor, librarian) = (|_| staff::tutor(0), |_| staff::tutor(1));
    add(first(&cast.practice_nine, 5), at(9, 16, 0), at(9, 46, 0), computer, &tutor);
    add(first(&cast.reading_ten, 4), at(10, 18, 0), at(10, 40, 0), library, &librarian);
    add(first(&cast.practice_ten, 2), at(10, 18, 0), at(10, 40, 0), computer, &tutor);
    let group_room = |member| Some(room::of_care(house.care_of(member)));
    for (turn, member) in (0..).zip(first(&cast.first_sitting, 2)) {
        let (from, helper) =
            (at(11, 34, 0).plus_s(turn * 150), |m| in_charge_before_one(house.care_of(m)));
        add(vec![member], from, from.plus_s(60), group_room(member), &helper);
    }
    let homework = Some(room::HOMEWORK);
    let (second, third) = (first(&later.homework_first, 4), first(&later.homework_second, 8));
    add(second, at(12, 44, 0), at(12, 59, 0), homework, &|_| staff::tutor(2));
    add(third, at(13, 27, 0), at(13, 46, 0), homework, &|_| staff::tutor(3));
    add(first(&later.reading, 4), at(14, 25, 0), at(14, 40, 0), library, &librarian);
    add(first(&later.practising, 4), at(14, 22, 0), at(14, 38, 0), computer, &tutor);
    for (turn, member) in (0..).zip(first(&later.staying, 4)) {
        let (from, helper) = (at(15, 25, 0).plus_s(turn * 700), |m| in_charge(house.care_of(m)));
        let from = if turn == 3 { at(16, 10, 0) } else { from };
        add(vec![member], from, from.plus_s(60), group_room(member), &helper);
    }
    askers
}

/// Writes one question and what becomes of it; returns when it is over. Four are cancelled before
/// anyone comes, one after; one is given back once and one is put on hold once: 76 steps in all.
fn ask(script: &mut Script<'_>, number: usize, asker: &Asker) -> DayTime {
    let content = CONTENTS.get(number % CONTENTS.len()).copied().unwrap_or_default();
    let question = Question {
        request: number,
        member: asker.member,
        content,
        urgent: number.is_multiple_of(12),
        room: asker.room,
    };
    script.note(asker.at, Action::Ask(question));
    let steps: &[(i64, Step)] = match number {
        3 | 13 | 23 | 33 => &[(100, Step::Cancel)],
        8 => &[(40, Step::Claim), (90, Step::Release), (150, Step::Claim), (260, Step::Resolve)],
        20 => &[(40, Step::Claim), (90, Step::Hold), (180, Step::Claim), (280, Step::Resolve)],
        27 => &[(60, Step::Claim), (140, Step::Cancel)],
        _ => &[(40, Step::Claim), (170, Step::Resolve)],
    };
    let slower = i64::try_from(script.dice.below(30)).unwrap_or_default();
    let mut end = asker.at;
    for (after, step) in steps {
        end = asker.at.plus_s(after + slower);
        let by = match step {
            Step::Cancel => Who::Member(asker.member),
            _ => Who::Staff(asker.helper),
        };
        script.note(end, Action::Answer { request: number, by, step: *step });
    }
    end
}
