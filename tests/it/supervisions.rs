//! Substitution, taking over, ends, and what they do to streams that are open.

use std::collections::BTreeSet;
use std::time::Duration;

use daybook::base::id::{PersonId, RunId};
use daybook::base::{Error, Result};
use daybook::domain::people::Role;
use daybook::domain::people::audit;
use daybook::domain::people::model::{PersonChange, PersonState};
use daybook::domain::rooms::{Charge, NewRun, commands, queries, scope};
use daybook::domain::{house, people};
use daybook::event::Topic;
use daybook::jobs::Jobs;
use daybook::live::feed::{Next, Start};
use daybook::live::{Feed, Tx};
use serde_json::json;
use tokio::time::timeout;

use crate::rooms::{Cast, Club, MINUTE, code, field};

/// Opens what the person hears now.
async fn feed(club: &Club, person: PersonId) -> Feed {
    let topics = club.scope(person).await.topics();
    let holder = crate::store::holder(Some(person), "s");
    let app = &club.store.app;
    Feed::open(&app.hub, &app.replay, topics, holder, Start::Now).await.unwrap().0
}

/// Why the feed ends, whatever comes before; at the latest within a second.
async fn end_of(feed: &mut Feed) -> &'static str {
    timeout(Duration::from_secs(1), ended(feed)).await.expect("it ends within a second")
}

async fn ended(feed: &mut Feed) -> &'static str {
    loop {
        if let Next::Ended(why) = feed.next().await.unwrap() {
            return why;
        }
    }
}

/// The types of the frames that a feed has now.
async fn heard(feed: &mut Feed) -> Vec<String> {
    let Next::Frames(frames) = feed.next().await.unwrap() else { panic!("it ended") };
    let json = |frame: &[u8]| serde_json::from_slice::<serde_json::Value>(frame).unwrap();
    frames.iter().map(|f| json(&f.json())["type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_substitute_has_it_beside_the_absent_one_until_the_time() {
    let club = Club::new().await;
    let (anna, ben, charge) = (club.anna, club.ben, Charge::Group(club.sun));
    let until = club.now().plus(60 * MINUTE);
    let substitute =
        move |tx: &mut Tx<'_>| commands::substitute(tx, charge, Some(anna), ben, Some(until));
    let before = club.log_length().await;
    let given = club.act(substitute).await.unwrap();
    assert_eq!(given.until_at, Some(until));
    assert!(club.sees(ben, Role::Staff, club.mia).await);
    assert_eq!(club.scope(anna).await.groups, [club.sun]);
    let log = club.log_after(before).await;
    assert_eq!(log[0].0, "supervision.changed");
    assert_eq!(
        log[0].2,
        json!({"charge": "group", "run_or_group_id": club.sun, "staff_ids": [anna, ben],
            "from": anna, "to": ben})
    );
    assert_eq!(log[1].2, json!({"added": [format!("group:{}", club.sun)], "removed": []}));
    assert_eq!(log.len(), 2);

    let next = club.store.read(queries::next_due).await;
    assert_eq!(next, Some(until));
    club.store.advance(60 * MINUTE - Duration::from_millis(1));
    assert_eq!(club.act(commands::end_due).await.unwrap(), 0);
    assert!(club.sees(ben, Role::Staff, club.mia).await);
    let mut stream = feed(&club, ben).await;

    // Over, also before the timetable has come to it.
    club.store.advance(Duration::from_millis(1));
    assert!(!club.sees(ben, Role::Staff, club.mia).await);
    let before = club.log_length().await;
    assert_eq!(club.act(commands::end_due).await.unwrap(), 1);
    assert_eq!(end_of(&mut stream).await, "access_changed");
    let log = club.log_after(before).await;
    assert_eq!(
        (log[0].0.as_str(), &log[0].2["staff_ids"]),
        ("supervision.changed", &json!([anna]))
    );
    assert_eq!(log[1].2, json!({"added": [], "removed": [format!("group:{}", club.sun)]}));
    assert_eq!(club.act(commands::end_due).await.unwrap(), 0);
    assert_eq!(club.store.read(queries::next_due).await, None);
    let id = given.id;
    let kept = club.store.read(move |conn| queries::supervision(conn, id)).await;
    assert_eq!(kept.ended_at, Some(until));
    assert_eq!(
        code(club.act(move |tx| commands::end_supervision(tx, id)).await),
        "supervision.ended"
    );
}

#[tokio::test]
async fn the_timetable_ends_a_substitution_in_the_middle_of_a_minute() {
    let club = Club::new().await;
    let (ben, charge) = (club.ben, Charge::Group(club.moon));
    let until = club.now().plus(Duration::from_secs(90));
    club.act(move |tx| commands::substitute(tx, charge, None, ben, Some(until))).await.unwrap();
    let mut stream = feed(&club, ben).await;
    let jobs = Jobs::spawn(&club.store.app);
    club.store.advance(Duration::from_secs(90));
    // Half a second, on a machine that has nothing else to do.
    let ended = timeout(Duration::from_secs(10), ended(&mut stream)).await;
    assert_eq!(ended.expect("it ends"), "access_changed");
    jobs.stop().await;
}

#[tokio::test]
async fn the_timetable_comes_late_and_still_the_end_is_the_planned_one() {
    let club = Club::new().await;
    let (ben, charge) = (club.ben, Charge::Group(club.moon));
    let until = club.now().plus(MINUTE);
    let given =
        club.act(move |tx| commands::substitute(tx, charge, None, ben, Some(until))).await.unwrap();
    club.store.advance(60 * MINUTE);
    club.act(commands::end_due).await.unwrap();
    let kept = club.store.read(move |conn| queries::supervision(conn, given.id)).await;
    assert_eq!(kept.ended_at, Some(until));
    let earlier = until.minus(Duration::from_millis(1));
    assert_eq!(club.scope_at(ben, earlier).await.groups, [club.moon]);
    assert!(club.scope_at(ben, until).await.groups.is_empty());
}

#[tokio::test]
async fn a_substitution_without_a_time_lasts_until_the_house_closes() {
    let club = Club::new().await;
    let (ben, charge) = (club.ben, Charge::Group(club.moon));
    let given =
        club.act(move |tx| commands::substitute(tx, charge, None, ben, None)).await.unwrap();
    let house = club.store.read(house::queries::house).await;
    let today = house.day(club.now());
    assert_eq!(
        given.until_at,
        Some(today.at_minute(house.hours.closes_at.minutes(), &house.time_zone()))
    );
    // At that very moment it is tomorrow's closing that comes next.
    club.store.advance(8 * 60 * MINUTE);
    let given =
        club.act(move |tx| commands::substitute(tx, charge, None, ben, None)).await.unwrap();
    assert_eq!(given.until_at, Some(club.now().plus(24 * 60 * MINUTE)));
}

#[tokio::test]
async fn one_substitute_can_have_everything_of_the_absent_one() {
    let club = Club::new().await;
    let run = club.start(club.hall, &[club.anna]).await.unwrap();
    let (anna, ben, until) = (club.anna, club.ben, club.now().plus(60 * MINUTE));
    let all =
        club.act(move |tx| commands::substitute_all(tx, anna, ben, Some(until))).await.unwrap();
    assert_eq!(all.len(), 2);
    let scope = club.scope(ben).await;
    assert_eq!((scope.groups, scope.runs), (vec![club.sun], vec![run.id]));
    // The run ends before the substitution would, and both of them lose it.
    let run = run.id;
    club.act(move |tx| commands::mark_ended(tx, run, "ended")).await.unwrap();
    assert!(club.scope(ben).await.runs.is_empty());
    let lead = club.lead;
    let nothing = club.act(move |tx| commands::substitute_all(tx, lead, ben, Some(until))).await;
    assert_eq!(code(nothing), "supervision.not_held");
}

#[tokio::test]
async fn substitutions_that_make_no_sense_are_refused() {
    let club = Club::new().await;
    let (anna, ben, mia, charge) = (club.anna, club.ben, club.mia, Charge::Group(club.sun));
    let now = club.now();
    let later = now.plus(MINUTE);
    let year = now.plus(367 * 24 * 60 * MINUTE);
    let substitute = |charge, absent, by, until| {
        club.act(move |tx| commands::substitute(tx, charge, absent, by, Some(until)))
    };
    assert_eq!(field(substitute(charge, Some(anna), mia, later).await), "staff_id");
    assert_eq!(field(substitute(charge, Some(anna), anna, later).await), "staff_id");
    assert_eq!(field(substitute(charge, Some(anna), ben, now).await), "until");
    assert_eq!(field(substitute(charge, Some(anna), ben, year).await), "until");
    assert_eq!(code(substitute(charge, Some(ben), club.lead, later).await), "supervision.not_held");
    assert_eq!(code(substitute(charge, None, anna, later).await), "supervision.held");
    let unknown = Charge::Group(daybook::base::id::GroupId(99));
    assert_eq!(field(substitute(unknown, None, ben, later).await), "group_id");
}

#[tokio::test]
async fn a_run_is_taken_over_only_when_nobody_has_it() {
    let club = Club::new().await;
    let run = club.start(club.hall, &[club.anna]).await.unwrap().id;
    let (ben, mia) = (club.ben, club.mia);
    let take = move |tx: &mut Tx<'_>| commands::take_over(tx, run, ben);
    assert_eq!(code(club.act(take).await), "supervision.held");
    let anna = club.anna;
    let hers = club.store.read(move |conn| queries::supervisions(conn, Some(anna))).await;
    let hers = hers.iter().find(|held| held.charge == Charge::Run(run)).unwrap().id;
    club.act(move |tx| commands::end_supervision(tx, hers)).await.unwrap();
    let refused = club.act(move |tx| commands::take_over(tx, run, mia)).await;
    assert_eq!(field(refused), "staff_id");
    let before = club.log_length().await;
    club.act(take).await.unwrap();
    assert_eq!(club.scope(ben).await.runs, [run]);
    let log = club.log_after(before).await;
    assert_eq!(log[0].2["from"], json!(null));
    assert_eq!(log[0].2["to"], json!(ben));
    assert_eq!((log[1].0.as_str(), &log[1].2["staff_ids"]), ("run.updated", &json!([ben])));
    let audited = "select count(*) from audit where act = 'run.taken_over'";
    assert_eq!(club.store.number(audited).await, 1);
    assert_eq!(club.store.read(audit::broken_seal).await, None);
    club.act(move |tx| commands::mark_ended(tx, run, "ended")).await.unwrap();
    assert_eq!(code(club.act(take).await), "run.ended");
}

#[tokio::test]
async fn a_run_whose_only_supervisor_has_left_the_house_can_be_taken_over() {
    let club = Club::new().await;
    let run = club.start(club.hall, &[club.anna]).await.unwrap().id;
    let (anna, ben) = (club.anna, club.ben);
    let gone = PersonChange { state: Some(PersonState::Inactive), ..PersonChange::default() };
    club.act(move |tx| people::commands::change(tx, anna, gone)).await.unwrap();
    club.act(move |tx| commands::take_over(tx, run, ben)).await.unwrap();
}

#[tokio::test]
async fn a_group_has_exactly_the_staff_that_was_set_and_its_substitutes() {
    let club = Club::new().await;
    let (anna, ben, lead, sun) = (club.anna, club.ben, club.lead, club.sun);
    let until = club.now().plus(60 * MINUTE);
    let charge = Charge::Group(sun);
    club.act(move |tx| commands::substitute(tx, charge, None, ben, Some(until))).await.unwrap();
    club.act(move |tx| commands::set_group_staff(tx, sun, &[lead])).await.unwrap();
    let staff = async || {
        let staff = club.store.read(move |conn| queries::staff_of_group(conn, sun)).await;
        staff.into_iter().map(|who| who.id).collect::<Vec<_>>()
    };
    assert_eq!(staff().await, [ben, lead]);
    let before = club.log_length().await;
    // For good from now on: the substitution is replaced, and Ben's scope stays the same.
    club.act(move |tx| commands::set_group_staff(tx, sun, &[lead, ben])).await.unwrap();
    assert_eq!(staff().await, [ben, lead]);
    assert_eq!(club.log_after(before).await.len(), 1);
    assert_eq!(club.store.read(queries::next_due).await, None);
    let refused = club.act(move |tx| commands::set_group_staff(tx, sun, &[anna, PersonId(99)]));
    assert_eq!(field(refused.await), "staff_ids");
    assert_eq!(staff().await, [ben, lead]);
}

#[tokio::test]
async fn a_hand_over_takes_effect_on_streams_that_are_open() {
    let club = Club::new().await;
    let run = club.start(club.hall, &[club.anna]).await.unwrap().id;
    let (anna, ben) = (club.anna, club.ben);
    let (mut hers, mut his) = (feed(&club, anna).await, feed(&club, ben).await);
    let mut leads = {
        let (lead, now) = (club.lead, club.now());
        let topics = club.store.read(move |conn| scope::of(conn, lead, Role::Admin, now)).await;
        let holder = crate::store::holder(Some(lead), "l");
        let app = &club.store.app;
        Feed::open(&app.hub, &app.replay, topics.topics(), holder, Start::Now).await.unwrap().0
    };
    club.act(move |tx| commands::hand_over(tx, Charge::Run(run), Some(anna), ben)).await.unwrap();
    assert_eq!(end_of(&mut hers).await, "access_changed");
    assert_eq!(end_of(&mut his).await, "access_changed");
    assert_eq!(heard(&mut leads).await, ["supervision.changed", "run.updated"]);
    // What is opened now is decided anew.
    assert!(!club.scope(anna).await.may_hear(Topic::Run(run)));
    assert!(club.scope(ben).await.topics().contains(&Topic::Run(run)));
}

#[tokio::test]
async fn new_members_of_a_group_are_seen_at_once_and_former_ones_no_more() {
    let club = Club::new().await;
    let mut stream = feed(&club, club.anna).await;
    let (sun, leo, office) = (club.sun, club.leo, club.office);
    let set = |members: Vec<PersonId>| {
        club.act(move |tx| -> Result<()> { commands::set_group_members(tx, sun, &members) })
    };
    set(vec![leo]).await.unwrap();
    assert!(club.sees(club.anna, Role::Staff, leo).await);
    assert!(!club.sees(club.anna, Role::Staff, club.mia).await);
    assert_eq!(end_of(&mut stream).await, "access_changed");
    assert_eq!(field(set(vec![leo, office]).await), "member_ids");
    assert_eq!(field(set(vec![PersonId(999)]).await), "member_ids");
    let before = club.log_length().await;
    set(vec![leo]).await.unwrap();
    assert_eq!(club.log_length().await, before);
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides).unwrap()).unwrap()
    }
}

/// Does something about supervision; much of it is refused.
fn anything(tx: &mut Tx<'_>, dice: &mut Dice, cast: Cast) -> Result<()> {
    let staff = [cast.lead, cast.anna, cast.ben];
    let (from, to) = (staff[dice.throw(3)], staff[dice.throw(3)]);
    let room = [cast.hall, cast.yard][dice.throw(2)];
    let group = [cast.sun, cast.moon][dice.throw(2)];
    let until = tx.now.plus(Duration::from_millis(10 * u64::try_from(dice.throw(20)).unwrap()));
    let last: Option<i64> = tx.query_row("select max(run_id) from run", [], |row| row.get(0))?;
    let last = RunId(last.unwrap_or(1));
    let open = queries::open_run_in(tx, room)?.map(|run| run.id);
    let charge = match open {
        Some(run) if dice.throw(2) == 0 => Charge::Run(run),
        _ => Charge::Group(group),
    };
    let done = match dice.throw(9) {
        0 => {
            let new = NewRun { activity: cast.chess, room, staff: vec![from, to] };
            commands::start_run(tx, &new).map(drop)
        }
        1 => commands::mark_ended(tx, last, "ended").map(drop),
        2 => commands::mark_reopened(tx, last).map(drop),
        3 => commands::hand_over(tx, charge, Some(from), to).map(drop),
        4 => commands::substitute(tx, charge, None, to, Some(until)).map(drop),
        5 => commands::substitute_all(tx, from, to, Some(until)).map(drop),
        6 => commands::take_over(tx, last, to).map(drop),
        7 => match queries::supervisions(tx, Some(to))?.first() {
            Some(held) => commands::end_supervision(tx, held.id),
            None => Ok(()),
        },
        _ => commands::set_group_staff(tx, group, &staff[..dice.throw(4)]),
    };
    match done {
        Err(defect @ Error::Internal(_)) => Err(defect),
        Err(_) | Ok(()) => Ok(()),
    }
}

#[tokio::test]
async fn what_somebody_saw_at_any_moment_can_be_computed_again() {
    let club = Club::new().await;
    let staff = [club.lead, club.anna, club.ben];
    let mut seen = Vec::new();
    let mut dice = Dice(42);
    for _ in 0..400 {
        club.store.advance(Duration::from_millis(7));
        let (cast, mut next) = (club.cast, Dice(dice.0));
        dice.throw(2);
        club.act(move |tx| anything(tx, &mut next, cast)).await.unwrap();
        for person in staff {
            seen.push(club.scope(person).await);
        }
    }
    assert!(seen.iter().filter(|scope| !scope.runs.is_empty()).count() > 100);
    for scope in seen {
        let then = club.scope_at(scope.person, scope.at).await;
        assert_eq!((then.groups, then.runs), (scope.groups, scope.runs));
    }
    // And who listened to nothing but the changes knows the end.
    club.store.advance(MINUTE);
    club.act(commands::end_due).await.unwrap();
    for person in staff {
        let mut topics = BTreeSet::new();
        for (kind, told, data) in club.log_after(0).await {
            if kind == "access.changed" && told == format!("user:{person}:inbox") {
                let of = |name: &str| serde_json::from_value::<Vec<String>>(data[name].clone());
                of("removed").unwrap().iter().for_each(|gone| assert!(topics.remove(gone)));
                of("added").unwrap().into_iter().for_each(|new| assert!(topics.insert(new)));
            }
        }
        let held = club.store.read(move |conn| queries::supervisions(conn, Some(person))).await;
        assert_eq!(topics, held.iter().map(|held| held.charge.topic().to_string()).collect());
    }
}
